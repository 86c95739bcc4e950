/* Random work of parents and children in private and shared huge pages, against a model of the words in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
enum { MODEL_PAGES = 4, MODEL_PROCESSES = 4, MODEL_POOL = 40, MODEL_STEPS = 4000 };
#define AREA ((uint64_t)0x10000000)
#define COMMON (AREA + GIB)
#define HUGE_BYTES (2 * MIB)

struct hugetlb_model {
	struct rig rig;
	struct rng rng;
	struct process *process[MODEL_PROCESSES];
	uint64_t own[MODEL_PROCESSES][MODEL_PAGES];
	uint64_t common[MODEL_PAGES];
	unsigned processes, current;
};

static void map_own(struct hugetlb_model *model, uint64_t at, uint64_t pages)
{
	const uint64_t va = AREA + at * HUGE_BYTES;
	assert_int_equal(rig_mmap(&model->rig, va, pages * HUGE_BYTES, RW, LINUX_MAP_FIXED | LINUX_MAP_HUGETLB), va);
}

static void use_own(struct hugetlb_model *model, uint64_t at)
{
	uint64_t *word = &model->own[model->current][at], va = AREA + at * HUGE_BYTES + 8 * at;
	if (rng_below(&model->rng, 2) == 0) {
		*word = rng_next(&model->rng);
		rig_store(&model->rig, va, *word);
	}
	assert_int_equal(rig_load(&model->rig, va), *word);
}

static void use_shared(struct hugetlb_model *model, uint64_t at)
{
	uint64_t va = COMMON + at * HUGE_BYTES + 4096 * at;
	if (rng_below(&model->rng, 2) == 0) {
		model->common[at] = rng_next(&model->rng);
		rig_store(&model->rig, va, model->common[at]);
	}
	assert_int_equal(rig_load(&model->rig, va), model->common[at]);
}

static void drop_both(struct hugetlb_model *model, uint64_t at)
{
	struct rig *rig = &model->rig;
	const uint64_t offset = at * HUGE_BYTES;
	model->own[model->current][at] = 0;
	assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, AREA + offset, HUGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, COMMON + offset, HUGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
}

static void remove_shared(struct hugetlb_model *model, uint64_t at)
{
	model->common[at] = 0;
	assert_int_equal(
	    rig_syscall(&model->rig, SYS_NR_MADVISE, COMMON + at * HUGE_BYTES, HUGE_BYTES, LINUX_MADV_REMOVE, 0, 0), 0);
}

static void map_own_anew(struct hugetlb_model *model, uint64_t at)
{
	model->own[model->current][at] = 0;
	assert_int_equal(rig_syscall(&model->rig, SYS_NR_MUNMAP, AREA + at * HUGE_BYTES, HUGE_BYTES, 0, 0, 0), 0);
	map_own(model, at, 1);
}

static void protect_and_allow(struct hugetlb_model *model, uint64_t at)
{
	struct rig *rig = &model->rig;
	const uint64_t va = (rng_below(&model->rng, 2) ? AREA : COMMON) + at * HUGE_BYTES;
	assert_int_equal(rig_syscall(rig, SYS_NR_MPROTECT, va, HUGE_BYTES, LINUX_PROT_READ, 0, 0), 0);
	assert_int_equal(rig_syscall(rig, SYS_NR_MPROTECT, va, HUGE_BYTES, RW, 0, 0), 0);
}

static void switch_to(struct hugetlb_model *model, uint64_t at)
{
	model->current = (unsigned)at % model->processes;
	kernel_run(model->rig.kernel, model->process[model->current]);
}

static void fork_or_exit(struct hugetlb_model *model, uint64_t at)
{
	if (model->processes < MODEL_PROCESSES) {
		int64_t pid = rig_syscall(&model->rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
		model->process[model->processes] = kernel_process(model->rig.kernel, (unsigned)pid - 1);
		memcpy(model->own[model->processes++], model->own[model->current], sizeof(model->own[0]));
		return;
	}
	unsigned last = --model->processes;
	(void)rig_syscall(&model->rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	model->process[model->current] = model->process[last];
	memcpy(model->own[model->current], model->own[last], sizeof(model->own[0]));
	switch_to(model, at);
}

static void random_work_agrees_with_a_model(void **state)
{
	(void)state;
	static void (*const steps[])(struct hugetlb_model *, uint64_t) = {
	    use_own,   use_own,       use_own,      use_shared,        use_shared, use_shared,
	    drop_both, remove_shared, map_own_anew, protect_and_allow, switch_to,  fork_or_exit};
	struct hugetlb_model *model = calloc(1, sizeof(*model));
	assert_non_null(model);
	model->rng = rng_seeded(7);
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.hugepages = MODEL_POOL;
	rig_boot_kernel(&model->rig, 128 * MIB, &config);
	model->process[model->processes++] = model->rig.process;
	map_own(model, 0, MODEL_PAGES);
	assert_int_equal(rig_syscall(&model->rig, SYS_NR_MMAP, COMMON, MODEL_PAGES * HUGE_BYTES, RW,
				     LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED | LINUX_MAP_HUGETLB,
				     UINT64_MAX),
			 COMMON);
	for (unsigned i = 0; i < MODEL_STEPS; i++) {
		struct error why = {.text = ""};
		uint64_t which = rng_below(&model->rng, sizeof(steps) / sizeof(*steps));
		steps[which](model, rng_below(&model->rng, MODEL_PAGES));
		if (!kernel_check(model->rig.kernel, &why))
			fail_msg("step %u: %s", i, why.text);
	}
	while (model->processes > 0) {
		switch_to(model, model->processes - 1);
		(void)rig_syscall(&model->rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
		model->processes--;
	}
	assert_int_equal(model->rig.kernel->hugetlb[HUGETLB_DEFAULT].free, MODEL_POOL);
	assert_int_equal(model->rig.kernel->hugetlb[HUGETLB_DEFAULT].reserved, 0);
	rig_release(&model->rig);
	free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_work_agrees_with_a_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
