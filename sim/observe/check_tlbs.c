/* The stale-translation detector: every TLB entry that can still be used, against the tables in RAM that it came from.
 * SDM 3A 4.10.4 says when software must invalidate. An entry that allows less than the tables is allowed; it costs a
 * walk or a spurious fault. One that allows more, or leads to another frame, is a path of the kernel that forgot a
 * flush. */
#include <inttypes.h>

#include "faultline/check.h"
#include "faultline/machine.h"

/* Whose tables an entry of a CPU belongs to. False: it cannot be used any more. Entries of a PCID whose process has
 * died are flushed by the next owner of the PCID, and those of a process that has changed since by the CPU itself. */
static bool root_of(const struct world *world, unsigned cpu, const struct tlb_entry *entry, struct paddr *root)
{
	const struct machine *machine = world_machine(world);
	const struct kernel *kernel = world_kernel(world);
	const struct process *process = kernel_loaded(kernel, cpu);
	bool loaded = entry->pcid == (machine_cpu_at(machine, cpu)->cr3 & CR3_PCID_MASK);
	*root = mmu_paging(machine_mmu_at(machine, cpu)).root;
	if (entry->global || (loaded && !process))
		return true;
	if (loaded)
		return !kernel_flushes_before_use(kernel, cpu, process);
	for (unsigned i = 0; (process = world_process(world, i)); i++) {
		if (process->pcid == entry->pcid && process->mm) {
			*root = process_page_table(process);
			return !kernel_flushes_before_use(kernel, cpu, process);
		}
	}
	return false;
}

static const char *what_is_stale(const struct tlb_entry *entry, const struct walk *walk)
{
	uint64_t offset = entry->page.v & (page_size_bytes(walk->size) - 1);
	if (walk->outcome != WALK_MAPPED)
		return "the tables map nothing there";
	if (entry->mapping_size != walk->size)
		return "the page has another size in the tables";
	if (entry->frame.v != paddr_to_pfn(paddr_add(walk->page, offset)).v)
		return "the tables name another frame";
	if (entry->writable && !walk->rights.writable)
		return "the tables do not allow writing";
	if (entry->user && !walk->rights.user)
		return "the tables do not allow ring 3";
	if (!entry->no_execute && walk->rights.no_execute)
		return "the tables do not allow execution";
	if (entry->dirty && !walk->dirty)
		return "the D bit in the tables is clear: a write would go unnoticed";
	return NULL;
}

static bool check_entry(const struct world *world, unsigned cpu, const struct tlb *tlb, const struct tlb_entry *entry,
			struct error *why)
{
	const struct machine *machine = world_machine(world);
	struct paging now = mmu_paging(machine_mmu_at(machine, cpu));
	struct paddr root;
	struct walk walk;
	if (!root_of(world, cpu, entry, &root))
		return true;
	/* The loaded PDPTE registers are what counts, not the table that they were loaded from. */
	struct paging paging = root.v == now.root.v ? now : paging_elsewhere(&now, machine_memory_const(machine), root);
	walk_peek(machine_memory_const(machine), &paging, entry->page, &walk);
	const char *what = what_is_stale(entry, &walk);
	if (!what)
		return true;
	(void)error_set(why, STATUS_MACHINE_STOPPED,
			"stale translation: the %s TLB of CPU %u maps 0x%" PRIx64 " (PCID %u) to frame 0x%" PRIx64
			", but %s",
			tlb_role_name(tlb_role(tlb)), cpu, entry->page.v, entry->pcid, entry->frame.v, what);
	return false;
}

static bool check_cpu(const struct world *world, unsigned cpu, uint64_t *visited, struct error *why)
{
	const struct mmu *mmu = machine_mmu_at(world_machine(world), cpu);
	for (unsigned i = 0; i < mmu_tlb_count(mmu); i++) {
		const struct tlb *tlb = mmu_tlb(mmu, i);
		for (unsigned slot = 0; slot < tlb_slots(tlb); slot++) {
			struct tlb_entry entry;
			if (!tlb_slot(tlb, slot, &entry))
				continue;
			(*visited)++;
			if (!check_entry(world, cpu, tlb, &entry, why))
				return false;
		}
	}
	return true;
}

bool check_tlbs(const struct world *world, uint64_t *visited, struct error *why)
{
	for (unsigned i = 0; i < machine_cpu_count(world_machine(world)); i++) {
		if (!check_cpu(world, i, visited, why))
			return false;
	}
	return true;
}
