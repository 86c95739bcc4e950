/* Runs a sequence on the simulated kernel. */
#include <string.h>

#include "faultline/procfs.h"
#include "hugetlb.h"
#include "kernel_private.h"
#include "rig.h"
#include "sequence.h"

static void set_limits(struct rig *rig, const struct sequence *sequence)
{
	struct process *process = rig->process;
	const struct mm *mm = process->mm;
	process->limits[RLIMIT_INDEX_MEMLOCK].soft = sequence->lock_pages * PAGE_BYTES;
	if (sequence->as_room)
		process->limits[RLIMIT_INDEX_AS].soft = (mm->total_vm + sequence->as_room) * PAGE_BYTES;
	if (sequence->data_room)
		process->limits[RLIMIT_INDEX_DATA].soft = (mm->data_vm + sequence->data_room) * PAGE_BYTES;
}

/* A fault that cannot be resolved ends the process; one that can is, as by the access. */
static bool faults_deadly(struct mm *mm, uint64_t va, bool write)
{
	enum fault_cause cause = fault_resolve(mm, vaddr(va), FAULT_USER | (write ? FAULT_WRITE : 0));
	if (!fault_cause_is_resolved(cause))
		return true;
	fault_count(mm, vaddr(va), cause);
	return false;
}

/* Whether the access would end the process. A stack that grows for it has grown then, and a page of a pool is there. */
static bool is_deadly(struct rig *rig, uint64_t va, bool write)
{
	struct mm *mm = rig->process->mm;
	const struct vma *vma = vma_tree_find(&mm->vmas, vaddr(va));
	if (vma && !(vma->flags & (write ? (uint32_t)VMA_WRITE : (uint32_t)VMA_PROT)))
		return true;
	/* Shared memory ends where it was made to end, however long a mapping has become since: SIGBUS. */
	if (vma && vma->file && !entry_used(table_get(mm, vaddr(page_floor(va)))))
		return vma->pgoff + (va - vma->start.v) / PAGE_BYTES >= vma->file->bytes / PAGE_BYTES;
	if (vma && (vma->flags & VMA_HUGETLB) && !entry_used(table_get(mm, vaddr(page_floor(va)))))
		return faults_deadly(mm, va, write);
	return !vma && faults_deadly(mm, va, write);
}

static int64_t access_page(struct rig *rig, uint64_t va, bool write)
{
	if (is_deadly(rig, va, write))
		return RESULT_SIGNAL;
	uint64_t value;
	bool lived = write ? machine_store(rig->machine, vaddr(va), 1, 1)
			   : machine_load(rig->machine, vaddr(va), 1, &value);
	return lived ? 0 : RESULT_SIGNAL - 1;
}

static int64_t call(struct rig *rig, const struct vma_step *step, struct outcome *outcome)
{
	uint64_t args[6], vec = rig->process->segment_start[SEGMENT_BSS].v;
	step_arguments(step, vec, args);
	if (step->kind == STEP_MINCORE) {
		static const unsigned char clean[REGION_UNITS];
		(void)copy_to_user(rig->process->mm, vec, clean, sizeof(clean));
	}
	int64_t result = rig_syscall(rig, (enum syscall_number)step_number(step), args[0], args[1], args[2], args[3],
				     args[4]);
	if (step->kind == STEP_MINCORE)
		(void)copy_from_user(rig->process->mm, vec, outcome->core, sizeof(outcome->core));
	return result;
}

/* What lies elsewhere is taken away again. */
static int64_t settle(struct rig *rig, const struct vma_step *step, int64_t result, uint64_t end_of_region)
{
	bool places = step->kind == STEP_MMAP || step->kind == STEP_MREMAP;
	if (!places || result < 0 || ((uint64_t)result >= REGION && (uint64_t)result < end_of_region))
		return result;
	(void)rig_syscall(rig, SYS_NR_MUNMAP, (uint64_t)result, step_mapped(step), 0, 0, 0);
	return RESULT_ELSEWHERE;
}

/* Text comes in pieces; a line is complete with its end. */
struct lines {
	char *text;
	char line[256];
	size_t length;
};

static void add_text(void *self, const char *text, size_t length)
{
	struct lines *lines = self;
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n') {
			smaps_add_line(lines->text, lines->line, lines->length);
			lines->length = 0;
		} else if (lines->length < sizeof(lines->line)) {
			lines->line[lines->length++] = text[i];
		}
	}
}

static void read_smaps(const struct rig *rig, char *text, uint64_t end_of_region)
{
	struct lines lines = {.text = text, .length = 0};
	text[0] = '\0';
	const struct vma *vma = process_vma_after(rig->process, vaddr(REGION));
	for (; vma && vma->start.v < end_of_region; vma = vma->next)
		procfs_print_smaps_of(rig->process, vma, add_text, &lines);
}

static void read_pool(const struct rig *rig, char *text)
{
	const struct hugetlb *pool = &rig->kernel->hugetlb[HUGETLB_DEFAULT];
	pool_text(text, pool->free, pool->reserved);
}

static void run_step(struct rig *rig, enum subject subject, const struct vma_step *step, struct outcome *outcome)
{
	const uint64_t end_of_region = region_end(subject);
	uint64_t before = rig->process->stats.minor_faults;
	memset(outcome->core, 0, sizeof(outcome->core));
	bool access = step->kind == STEP_READ || step->kind == STEP_WRITE;
	int64_t result = access ? access_page(rig, step->at, step->kind == STEP_WRITE) : call(rig, step, outcome);
	outcome->faults = rig->process->stats.minor_faults - before;
	outcome->result = rig->process->death.dead ? result : settle(rig, step, result, end_of_region);
	read_smaps(rig, outcome->smaps, end_of_region);
	if (subject == SUBJECT_HUGETLB)
		read_pool(rig, outcome->smaps);
}

void simulated_run(struct outcomes *outcomes)
{
	struct rig rig;
	const struct process_spec spec = {.name = "test", .start_brk = vaddr(REGION_BREAK)};
	const enum subject subject = outcomes->sequence.subject;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.zero_page = outcomes->sequence.zero_page;
	config.thp = subject == SUBJECT_HUGE ? THP_MADVISE : THP_NEVER;
	config.hugepages = subject == SUBJECT_HUGETLB ? outcomes->sequence.pool : 0;
	rig_boot_with(&rig, subject == SUBJECT_SMALL ? 0 : GIB, &config, &spec);
	/* Where mincore writes is there before it counts. */
	(void)machine_store(rig.machine, rig.process->segment_start[SEGMENT_BSS], 8, 0);
	set_limits(&rig, &outcomes->sequence);
	for (unsigned i = 0; i < outcomes->sequence.count && !rig.process->death.dead; i++)
		run_step(&rig, subject, &outcomes->sequence.steps[i], &outcomes->of[i]);
	rig_release(&rig);
}
