/* Nothing that was written is ever lost: random work of several processes whose memory is ten times what the machine
 * has, under every replacement policy, against a flat model. FAULTLINE_INTEGRITY_OPS sets the operations of a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "file_model.h"
#include "kernel_private.h"
#include "rig.h"

enum {
	RW = LINUX_PROT_READ | LINUX_PROT_WRITE,
	PROCESSES = 8,
	MOST_ALIVE = 12,
	PAGES = 1400,
	PAGES_FOR_HUGE = 3840, /* 120 MiB in all */
	COMMON_PAGES = 300,
	OPERATIONS = 3000,
	CHECK_EVERY = 1000
};
#define AREA ((uint64_t)0x10000000)
#define COMMON ((uint64_t)0x20000000)

/* What the words at the start of each page of a process should hold. */
struct model {
	struct process *process;
	uint64_t word[PAGES_FOR_HUGE];
	bool read_only[PAGES_FOR_HUGE];
	struct file_view file;
};

struct work {
	struct rig rig;
	struct rng rng;
	struct model models[MOST_ALIVE];
	uint64_t common[COMMON_PAGES]; /* shared by the first process and all who descend from it */
	struct file_model file;
	struct model *current;
	unsigned processes;
	uint64_t pages; /* of a process */
};

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

static int64_t call(struct work *work, enum syscall_number number, uint64_t first, uint64_t pages, uint64_t argument)
{
	return rig_syscall(&work->rig, number, page(first), pages * PAGE_BYTES, argument, 0, 0);
}

static void map(struct work *work, uint64_t first, uint64_t pages)
{
	assert_int_equal(rig_mmap(&work->rig, page(first), pages * PAGE_BYTES, RW, LINUX_MAP_FIXED), page(first));
	for (uint64_t i = first; i < first + pages; i++) {
		work->current->word[i] = 0;
		work->current->read_only[i] = false;
	}
}

static void write_one(struct work *work, uint64_t at, uint64_t unused)
{
	(void)unused;
	if (work->current->read_only[at])
		return;
	work->current->word[at] = rng_next(&work->rng);
	rig_store(&work->rig, page(at), work->current->word[at]);
}

static void read_one(struct work *work, uint64_t at, uint64_t unused)
{
	(void)unused;
	if (rig_load(&work->rig, page(at)) != work->current->word[at])
		fail_msg("page %llu of process %u does not hold what was written", (unsigned long long)at,
			 work->current->process->pid);
}

static void write_many(struct work *work, uint64_t at, uint64_t pages)
{
	for (uint64_t i = at; i < at + pages; i++)
		write_one(work, i, 0);
}

static void read_many(struct work *work, uint64_t at, uint64_t pages)
{
	for (uint64_t i = at; i < at + pages; i++)
		read_one(work, i, 0);
}

static void page_out(struct work *work, uint64_t at, uint64_t pages)
{
	assert_int_equal(call(work, SYS_NR_MADVISE, at, pages, LINUX_MADV_PAGEOUT), 0);
}

static void drop(struct work *work, uint64_t at, uint64_t pages)
{
	assert_int_equal(call(work, SYS_NR_MADVISE, at, pages, LINUX_MADV_DONTNEED), 0);
	for (uint64_t i = at; i < at + pages; i++)
		work->current->word[i] = 0;
}

static void map_anew(struct work *work, uint64_t at, uint64_t pages)
{
	assert_int_equal(call(work, SYS_NR_MUNMAP, at, pages, 0), 0);
	map(work, at, pages);
}

static void protect(struct work *work, uint64_t at, uint64_t pages)
{
	bool read_only = rng_below(&work->rng, 2) == 0;
	assert_int_equal(call(work, SYS_NR_MPROTECT, at, pages, read_only ? LINUX_PROT_READ : RW), 0);
	for (uint64_t i = at; i < at + pages; i++)
		work->current->read_only[i] = read_only;
}

/* Away and back again: entries, also those that lead to swap, move twice. */
static void move(struct work *work, uint64_t at, uint64_t pages)
{
	const uint64_t away = AREA + GIB, bytes = pages * PAGE_BYTES;
	const uint64_t flags = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED;
	/* One mapping moves at a time: make it one. */
	assert_int_equal(call(work, SYS_NR_MPROTECT, at, pages, RW), 0);
	for (uint64_t i = at; i < at + pages; i++)
		work->current->read_only[i] = false;
	if (rig_syscall(&work->rig, SYS_NR_MREMAP, page(at), bytes, bytes, flags, away) != (int64_t)away)
		return; /* mappings with different histories do not move together */
	assert_int_equal(rig_syscall(&work->rig, SYS_NR_MREMAP, away, bytes, bytes, flags, page(at)), page(at));
}

/* Into a huge page, where there is room for one. */
static void collapse(struct work *work, uint64_t at, uint64_t unused)
{
	(void)unused;
	uint64_t start = at / 512 * 512;
	if (start + 512 <= work->pages)
		(void)call(work, SYS_NR_MADVISE, start, 512, LINUX_MADV_COLLAPSE);
}

static void switch_process(struct work *work, uint64_t at, uint64_t unused)
{
	(void)unused;
	work->current = &work->models[at % work->processes];
	kernel_run(work->rig.kernel, work->current->process);
}

/* The first process maps shared memory; whoever has it in the tables of its VMAs may use it. */
static void use_common(struct work *work, uint64_t at, uint64_t pages)
{
	if (!process_vma_at(work->current->process, vaddr(COMMON)))
		return;
	for (uint64_t i = at % COMMON_PAGES; i < COMMON_PAGES && pages > 0; i++, pages--) {
		uint64_t va = COMMON + i * PAGE_BYTES;
		if (rig_load(&work->rig, va) != work->common[i])
			fail_msg("shared page %llu does not hold what was written", (unsigned long long)i);
		work->common[i] = rng_next(&work->rng);
		rig_store(&work->rig, va, work->common[i]);
	}
}

/* The buffer of the calls is a page of the process. */
static void use_file(struct work *work, uint64_t at, uint64_t unused)
{
	(void)unused;
	struct model *current = work->current;
	if (current->read_only[at])
		return;
	if (!file_model_step(&work->file, &current->file, page(at), &current->word[at]))
		return;
	for (unsigned i = 0; i < work->processes; i++)
		file_model_forget_copies(&work->file, &work->models[i].file);
}

static void check(const struct work *work)
{
	struct error why = {.text = ""};
	const char *broken = NULL;
	if (!kernel_check(work->rig.kernel, &why))
		fail_msg("%s", why.text);
	for (unsigned i = 0; kernel_process(work->rig.kernel, i); i++) {
		const struct policy *policy = work->rig.kernel->reclaim.groups[i].policy;
		broken = policy ? policy_check(policy) : NULL;
		if (broken)
			fail_msg("%s: %s", policy_ops(policy)->name, broken);
	}
}

static void fork_one(struct work *work, uint64_t unused, uint64_t unused_too)
{
	(void)unused, (void)unused_too;
	if (work->processes == MOST_ALIVE)
		return;
	int64_t pid = rig_syscall(&work->rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	assert_true(pid > 0);
	struct model *child = &work->models[work->processes++];
	*child = *work->current;
	child->process = kernel_process(work->rig.kernel, (unsigned)pid - 1);
}

/* What the child does to the memory is done to the parent's. */
static void vfork_one(struct work *work, uint64_t at, uint64_t pages)
{
	struct model *current = work->current;
	struct process *parent = current->process;
	(void)rig_syscall(&work->rig, SYS_NR_VFORK, 0, 0, 0, 0, 0);
	assert_true(parent->vfork_child != 0);
	current->process = kernel_process(work->rig.kernel, parent->vfork_child - 1);
	kernel_run(work->rig.kernel, current->process);
	write_many(work, at, pages);
	map_anew(work, at, 1);
	read_many(work, at, pages);
	check(work);
	(void)rig_syscall(&work->rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	current->process = parent;
	kernel_run(work->rig.kernel, parent);
}

static void end_one(struct work *work, uint64_t unused, uint64_t unused_too)
{
	(void)unused, (void)unused_too;
	if (work->processes == 1)
		return;
	(void)rig_syscall(&work->rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_true(work->current->process->death.dead);
	*work->current = work->models[--work->processes];
	switch_process(work, 0, 0);
}

typedef void step_fn(struct work *work, uint64_t at, uint64_t pages);

static const struct {
	step_fn *fn;
	unsigned share; /* of 100 */
} steps[] = {
    {use_common, 2}, {fork_one, 1},    {vfork_one, 1},      {end_one, 1},  {write_one, 17}, {read_one, 17},
    {use_file, 20},  {write_many, 10}, {read_many, 10},     {page_out, 4}, {drop, 2},       {map_anew, 2},
    {protect, 4},    {move, 2},        {switch_process, 6}, {collapse, 1},
};

static void step(struct work *work)
{
	uint64_t dice = rng_below(&work->rng, 100);
	unsigned i = 0;
	for (; dice >= steps[i].share; i++)
		dice -= steps[i].share;
	uint64_t at = rng_below(&work->rng, work->pages), pages = 1 + rng_below(&work->rng, 40);
	steps[i].fn(work, at, at + pages <= work->pages ? pages : work->pages - at);
}

static void start(struct work *work, uint64_t memory, const struct kernel_config *config, unsigned processes,
		  uint64_t seed)
{
	work->rng = rng_seeded(seed);
	work->processes = processes;
	work->pages = config->thp == THP_NEVER ? PAGES : PAGES_FOR_HUGE;
	rig_boot_kernel(&work->rig, memory, config);
	file_model_init(&work->file, &work->rig, &work->rng);
	for (unsigned i = 0; i < processes; i++) {
		struct process_spec spec = {.name = "worker"};
		work->models[i].process = i == 0 ? work->rig.process : kernel_spawn(work->rig.kernel, &spec);
		assert_non_null(work->models[i].process);
		switch_process(work, i, 0);
		map(work, 0, work->pages);
		file_model_open(&work->file, &work->models[i].file, page(0));
		if (i == 0)
			assert_int_equal(rig_syscall(&work->rig, SYS_NR_MMAP, COMMON, COMMON_PAGES * PAGE_BYTES, RW,
						     LINUX_MAP_FIXED | LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS,
						     UINT64_MAX),
					 COMMON);
	}
}

static uint64_t operations(void)
{
	const char *wanted = getenv("FAULTLINE_INTEGRITY_OPS");
	return wanted ? strtoull(wanted, NULL, 10) : OPERATIONS;
}

static struct vm_counts run(uint64_t memory, const struct kernel_config *config, unsigned processes, uint64_t seed)
{
	struct work *work = calloc(1, sizeof(*work));
	assert_non_null(work);
	start(work, memory, config, processes, seed);
	for (uint64_t i = 0, count = operations(); i < count; i++) {
		step(work);
		if (i % CHECK_EVERY == 0)
			check(work);
	}
	for (unsigned i = 0; i < work->processes; i++) {
		switch_process(work, i, 0);
		read_many(work, 0, work->pages);
		file_model_check(&work->file, &work->models[i].file);
	}
	check(work);
	const struct vm_counts counts = *kernel_vm_counts(work->rig.kernel);
	assert_true(counts.swapped_in > 0);
	rig_release(&work->rig);
	free(work);
	return counts;
}

static struct kernel_config tight(const struct policy_ops *policy)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = 64 * MIB;
	config.overcommit = OVERCOMMIT_ALWAYS;
	config.replacement = policy;
	return config;
}

static void nothing_is_lost_under_any_policy(void **state)
{
	(void)state;
	for (unsigned i = 0; policy_registry[i]; i++) {
		const struct kernel_config config = tight(policy_registry[i]);
		if (!replace_works_in_a_kernel(policy_registry[i]))
			continue;
		(void)run(4 * MIB, &config, PROCESSES, 1 + i);
	}
}

static void nothing_is_lost_on_any_device_with_any_number_of_processes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BLOCK_KIND_COUNT; i++) {
		struct kernel_config config = tight(NULL);
		config.swap_device = (enum block_kind)i;
		(void)run(4 * MIB, &config, 1 + 2 * i, 100 + i);
	}
}

static void nothing_is_lost_where_processes_keep_apart(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALLOCATION_COUNT; i++) {
		struct kernel_config config = tight(NULL);
		config.scope = REPLACEMENT_LOCAL;
		config.allocation = (enum allocation)i;
		(void)run(4 * MIB, &config, 4, 200 + i);
	}
}

/* Huge pages come by faults and go by halves: each of them is split sooner or later. */
static void nothing_is_lost_in_huge_pages(void **state)
{
	(void)state;
	uint64_t collapsed = 0, moved = 0;
	for (unsigned i = 0; policy_registry[i]; i++) {
		struct kernel_config config = tight(policy_registry[i]);
		config.swap_bytes = 256 * MIB;
		config.thp = THP_ALWAYS;
		config.thp_defrag = THP_DEFRAG_ALWAYS;
		config.khugepaged.scan_sleep_cycles = 2000000;
		if (!replace_works_in_a_kernel(policy_registry[i]))
			continue;
		struct vm_counts counts = run(12 * MIB, &config, PROCESSES, 300 + i);
		assert_true(counts.thp_fault_alloc > 0 && counts.thp_split_page > 0 && counts.thp_split_pmd > 0);
		collapsed += counts.thp_pages_collapsed;
		moved += counts.pgmigrate_success;
	}
	assert_true(collapsed > 0 && moved > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_lost_under_any_policy),
	    cmocka_unit_test(nothing_is_lost_on_any_device_with_any_number_of_processes),
	    cmocka_unit_test(nothing_is_lost_where_processes_keep_apart),
	    cmocka_unit_test(nothing_is_lost_in_huge_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
