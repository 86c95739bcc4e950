/* The kernel decides like the reference-string engine: a process whose pages may take so many frames, against an engine
 * with as many, on the same references. After each of them both must hold the same pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/policy_engine.h"
#include "faultline/rng.h"
#include "kernel_private.h"
#include "page.h"
#include "reclaim.h"
#include "rig.h"

enum { FRAMES = 48, PAGES = 150, REFERENCES = 6000, RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)

static uint64_t address(uint32_t page)
{
	return AREA + page * PAGE_BYTES;
}

/* A process alone with FRAMES frames; reads from swap bring nothing but the page that is wanted. */
static void boot(struct rig *rig, const struct policy_ops *ops)
{
	static const struct process_spec spec = {.name = "small", .memory_limit = FRAMES * PAGE_BYTES};
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = 4 * MIB;
	config.page_cluster = 0;
	config.replacement = ops;
	rig_boot_kernel(rig, 0, &config);
	rig->process = kernel_spawn(rig->kernel, &spec);
	assert_non_null(rig->process);
	kernel_run(rig->kernel, rig->process);
	assert_int_equal(rig_mmap(rig, AREA, PAGES * PAGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
}

static bool has(const struct rig *rig, uint32_t page)
{
	return pte_present(table_get(rig->process->mm, vaddr(address(page))));
}

static void refer(struct rig *rig, struct policy_engine *engine, uint32_t page, bool writes)
{
	uint32_t reference = page | (writes ? REFERENCE_WRITES : 0);
	assert_true(writes ? rig_write(rig, address(page)) : rig_read(rig, address(page)));
	policy_engine_feed(engine, &reference, 1);
}

static void assert_same(const struct rig *rig, const struct policy_engine *engine, const char *name, unsigned step)
{
	for (uint32_t page = 0; page < PAGES; page++) {
		if (has(rig, page) != policy_engine_has(engine, page))
			fail_msg("%s, reference %u: page %u is %s in the kernel", name, step, page,
				 has(rig, page) ? "resident only" : "missing only");
	}
}

/* Loops, a hot part, noise. */
static uint32_t choose(struct rng *rng, unsigned step)
{
	if (step / 500 % 3 == 0)
		return step % (FRAMES + 10);
	return (uint32_t)rng_below(rng, rng_below(rng, 3) ? PAGES / 4 : PAGES);
}

/* What the process was born with goes: both begin with nothing. */
static void empty(struct rig *rig)
{
	const struct policy *policy = rig->process->mm->group->policy;
	for (uint32_t i = 1; frame_peek(rig->kernel->frames, pfn(i)); i++) {
		if (policy_holds(policy, i))
			assert_true(evict(rig->kernel, pfn(i)));
	}
	assert_int_equal(policy_resident(policy), 0);
}

/* Faults that need a frame. */
static uint64_t misses(const struct rig *rig)
{
	const struct process_stats *stats = &rig->process->stats;
	return stats->major_faults + stats->causes[FAULT_CAUSE_DEMAND_ZERO];
}

static void run(const struct policy_ops *ops)
{
	struct policy_engine_config config = {.frames = FRAMES, .pages = PAGES, .hardware = true};
	struct policy_engine *engine = policy_engine_new(ops, &config);
	struct rig rig;
	struct rng rng = rng_seeded(7);
	boot(&rig, ops);
	empty(&rig);
	uint64_t before = misses(&rig);
	for (uint32_t page = 0; page < PAGES; page++)
		refer(&rig, engine, page, true); /* a page that was never written would be the zero page */
	for (unsigned step = 1; step <= REFERENCES; step++) {
		refer(&rig, engine, choose(&rng, step), rng_below(&rng, 3) == 0);
		assert_same(&rig, engine, ops->name, step);
	}
	assert_int_equal(misses(&rig) - before, policy_engine_result(engine).misses);
	policy_engine_free(engine);
	rig_release(&rig);
}

/* Those that decide by the references alone. The others ask the clock, throw dice, or know the future. */
static void the_kernel_decides_like_the_engine(void **state)
{
	(void)state;
	static const char *const names[] = {"fifo", "second-chance", "clock", "lru",       "lfu",   "2q",
					    "arc",  "car",           "lirs",  "clock-pro", "sieve", "s3-fifo"};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		run(policy_find(names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_kernel_decides_like_the_engine)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
