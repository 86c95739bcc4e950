/* Flushes: translations that the tables no longer bear out go, here and on every CPU that may have them. See
 * arch/x86/mm/tlb.c.
 *
 * Each change gives the address space a new generation, and each CPU knows of which one its translations are. Where the
 * address space runs, the CPU is told by an interrupt (the shootdown). Where it does not, nothing is done: a CPU that
 * loads it again sees that it has fallen behind, and flushes then. An idle CPU with the tables still loaded (lazy TLB
 * mode) uses no translation of the process, so it counts as one that does not run it. */
#include "cpus.h"

/* arch/x86/mm/tlb.c, tlb_single_page_flush_ceiling: beyond it one full flush is cheaper. */
enum { SINGLE_FLUSH_CEILING = 33 };

static void flush_here(struct kernel *kernel, const struct flush *flush)
{
	struct machine *machine = kernel->machine;
	kernel->cpus[kernel->cpu].seen[flush->mm->id] = flush->mm->tlb_gen;
	if (flush->pages > SINGLE_FLUSH_CEILING) {
		machine_write_cr3(machine, machine_cpu(machine)->cr3);
		return;
	}
	for (struct vaddr va = flush->start; va.v < flush->end.v; va.v += flush->stride)
		machine_invlpg(machine, va);
}

void flush_entry(void *self)
{
	struct kernel *kernel = ((const struct gate *)self)->kernel;
	struct process_stats *stats = &kernel->flush.mm->owner->stats;
	stats->shootdowns_received++;
	if (kernel->flush.pages > SINGLE_FLUSH_CEILING)
		stats->shootdowns_full++;
	else
		stats->shootdowns_pages += kernel->flush.pages;
	flush_here(kernel, &kernel->flush);
	machine_iretq(kernel->machine);
}

static bool runs_on(const struct kernel *kernel, unsigned cpu, const struct mm *mm)
{
	const struct process *process = cpu_current(kernel, cpu);
	return cpu != kernel->cpu && process && process->mm == mm;
}

/* The other CPUs. Their answers are waited for: only then may the frames have another use. */
static void shoot_down(struct kernel *kernel, const struct flush *flush)
{
	const struct mm *mm = flush->mm;
	struct process_stats *stats = &mm->owner->stats;
	uint64_t since = kernel->bus->cycle;
	unsigned targets = 0;
	for (unsigned i = 0; i < kernel->cpu_count; i++) {
		bool runs = runs_on(kernel, i, mm);
		targets += runs;
		stats->shootdowns_lazy += i != kernel->cpu && !runs && kernel->cpus[i].loaded == mm;
	}
	if (targets == 0)
		return;
	emit(kernel->bus, EVENT_SHOOTDOWN, targets, flush->pages, flush->start.v, flush->end.v);
	kernel->flush = *flush;
	stats->shootdowns++;
	stats->shootdowns_sent += targets;
	for (unsigned i = 0; i < kernel->cpu_count; i++) {
		if (runs_on(kernel, i, mm))
			cpu_interrupt(kernel, i, FLUSH_VECTOR);
	}
	stats->shootdowns_cycles += kernel->bus->cycle - since;
}

static void flush_all(const struct flush *flush)
{
	struct mm *mm = flush->mm;
	struct kernel *kernel = mm->kernel;
	if (flush->pages == 0)
		return;
	mm->tlb_gen++;
	if (kernel->current && kernel->current->mm == mm)
		flush_here(kernel, flush);
	if (kernel->cpu_count > 1)
		shoot_down(kernel, flush);
}

void flush_range(struct mm *mm, struct vaddr start, struct vaddr end, uint64_t page_bytes)
{
	flush_all(&(struct flush){mm, start, end, (end.v - start.v) / page_bytes, page_bytes});
}
