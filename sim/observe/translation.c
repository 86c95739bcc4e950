#include "faultline/translation.h"

#include <string.h>

#include "faultline/machine.h"

static struct translation_area area_of(const struct vma *vma)
{
	if (!vma)
		return (struct translation_area){.name = ""};
	return (struct translation_area){.exists = true,
					 .file = vma->file != NULL,
					 .start = vma->start,
					 .end = vma->end,
					 .flags = vma->flags,
					 .name = vma->name};
}

static void take_areas(struct translation *out, const struct process *process)
{
	const struct vma *vma = process_vma_at(process, out->va);
	const struct vma *above = process_vma_after(process, out->va);
	const struct vma *below = above ? above->prev : NULL;
	/* Behind the last one there is nothing above; the last one itself is found by going through them all. */
	if (!above) {
		for (const struct vma *at = process_vma_after(process, vaddr(0)); at; at = at->next)
			below = at;
	}
	out->vma = area_of(vma);
	out->above = area_of(vma ? NULL : above);
	out->below = area_of(vma ? NULL : below);
}

static bool covers(const struct tlb_entry *entry, struct vaddr va, uint16_t pcid)
{
	return (entry->global || entry->pcid == pcid) && va.v - entry->page.v < page_size_bytes(entry->size);
}

static void take_tlbs(struct translation *out, const struct mmu *mmu, uint16_t pcid)
{
	for (unsigned i = 0; i < mmu_tlb_count(mmu); i++) {
		const struct tlb *tlb = mmu_tlb(mmu, i);
		for (unsigned slot = 0; slot < tlb_slots(tlb); slot++) {
			struct tlb_entry entry;
			if (tlb_slot(tlb, slot, &entry) && covers(&entry, out->va, pcid) &&
			    out->tlb_count < TRANSLATION_TLBS)
				out->tlb[out->tlb_count++] = (struct translation_tlb){tlb_role(tlb), entry};
		}
	}
}

/* SDM 3A 4.6 and 4.7, with CR0.WP, CR4.SMEP and, as wherever the kernel means to, EFLAGS.AC. */
static struct translation_access judge(const struct translation *translation, enum access_kind kind, bool user,
				       bool nxe)
{
	const struct walk *walk = &translation->walk;
	struct translation_access access = {.vector = VECTOR_PAGE_FAULT, .error_code = user ? FAULT_USER : 0};
	if (walk->outcome == WALK_NOT_CANONICAL)
		return (struct translation_access){.vector = VECTOR_PROTECTION};
	if (kind == ACCESS_WRITE)
		access.error_code |= FAULT_WRITE;
	if (kind == ACCESS_FETCH && nxe)
		access.error_code |= FAULT_FETCH;
	if (walk->outcome == WALK_RESERVED)
		access.error_code |= FAULT_PRESENT | FAULT_RESERVED;
	if (walk->outcome != WALK_MAPPED)
		return access;
	access.error_code |= FAULT_PRESENT;
	access.allowed = (!user || walk->rights.user) && (kind != ACCESS_WRITE || walk->rights.writable) &&
			 (kind != ACCESS_FETCH || (!walk->rights.no_execute && (user || !walk->rights.user)));
	return access;
}

/* A fetch from a page that is not there is served like a read, and refused when it comes again. */
static enum fault_cause ask_kernel(const struct process *process, struct vaddr va,
				   const struct translation_access *access)
{
	enum fault_cause first = process_fault_verdict(process, va, access->error_code);
	enum fault_cause again = process_fault_verdict(process, va, access->error_code | FAULT_PRESENT);
	return (access->error_code & FAULT_FETCH) && again == FAULT_CAUSE_SEGV_ACCERR ? again : first;
}

/* What the entries say beyond the walk. */
static void take_entries(struct translation *out, const struct world *world, const struct paging *paging)
{
	const struct walk *walk = &out->walk;
	for (unsigned i = 0; i < walk->count; i++)
		out->reserved[i] = paging_reserved_bits(paging, walk->step[i].level, walk->step[i].entry);
	if (walk->outcome == WALK_NOT_PRESENT && walk->step[walk->count - 1].level == 1)
		out->absent = kernel_absent_entry(world_kernel(world), walk->step[walk->count - 1].entry);
}

static void take_frame(struct translation *out, const struct world *world)
{
	const struct walk *walk = &out->walk;
	if (walk->outcome != WALK_MAPPED)
		return;
	out->pa = paddr_add(walk->page, out->va.v & (page_size_bytes(walk->size) - 1));
	const struct frame *frame = frame_peek(kernel_frames(world_kernel(world)), paddr_to_pfn(out->pa));
	out->has_frame = frame != NULL;
	if (frame)
		out->frame = *frame;
}

void translation_take(struct translation *out, const struct world *world, unsigned index, struct vaddr va)
{
	const struct process *process = world_process(world, index);
	const struct machine *machine = world_machine(world);
	const struct mmu *mmu = machine_mmu_at(machine, process->last);
	struct paging now = mmu_paging(mmu);
	struct paging paging = paging_elsewhere(&now, machine_memory_const(machine), process_page_table(process));
	*out = (struct translation){
	    .event = world_bus_const(world)->number,
	    .cycle = world_bus_const(world)->cycle,
	    .va = va,
	    .pid = process->pid,
	    .process = process->name,
	    .alive = process->mm != NULL,
	    .cr3 = paging.root.v | process->pcid,
	    .mode = paging.mode,
	    .levels = paging.levels,
	    .nxe = paging.nxe,
	    .canonical = vaddr_is_canonical(va, paging.levels),
	};
	memcpy(out->pdpte, paging.pdpte, sizeof(out->pdpte));
	if (!out->alive)
		return;
	walk_peek(machine_memory_const(machine), &paging, va, &out->walk);
	take_entries(out, world, &paging);
	take_tlbs(out, mmu, process->pcid);
	take_areas(out, process);
	take_frame(out, world);
	for (unsigned kind = 0; kind < ACCESS_KIND_COUNT; kind++) {
		out->access[kind] = judge(out, (enum access_kind)kind, true, paging.nxe);
		out->supervisor[kind] = judge(out, (enum access_kind)kind, false, paging.nxe);
		out->access[kind].verdict = ask_kernel(process, va, &out->access[kind]);
	}
}

/* How the kernel serves an access that the VMA allows. */
static const char *served_by(const struct translation *translation, enum access_kind kind)
{
	const struct translation_area *vma = &translation->vma;
	bool write = kind == ACCESS_WRITE;
	bool mapped = translation->walk.outcome == WALK_MAPPED;
	if (write && mapped && translation->frame.use == FRAME_ZERO)
		return "the VMA allows it: the kernel replaces the zero page by a frame";
	if (mapped)
		return "the VMA allows it: the kernel makes the page writable, or copies it";
	if (translation->absent.swapped)
		return "the VMA allows it: the kernel brings the page back from swap";
	if (vma->flags & VMA_HUGETLB)
		return "the VMA allows it: the kernel maps a huge page of MAP_HUGETLB";
	if (vma->file && (vma->flags & VMA_SHARED))
		return "the VMA allows it: the kernel maps the shared page";
	if (vma->file && !write)
		return "the VMA allows it: the kernel maps the file's page from the page cache";
	if (vma->file)
		return "the VMA allows it: the kernel gives a frame with a copy of the file's page";
	return write ? "the VMA allows it: the kernel gives a zeroed frame"
		     : "the VMA allows it: the kernel maps the zero page";
}

const char *translation_verdict(const struct translation *translation, enum access_kind kind)
{
	const struct translation_access *access = &translation->access[kind];
	if (access->allowed)
		return "done by the hardware alone";
	if (access->vector == VECTOR_PROTECTION)
		return "the address is not canonical: SIGSEGV";
	if (access->verdict == FAULT_CAUSE_STACK_GROWTH)
		return "no VMA, but the stack begins above: it grows down to here and gets a frame";
	if (access->verdict == FAULT_CAUSE_SEGV_MAPERR)
		return "no VMA holds the address: SIGSEGV (SEGV_MAPERR)";
	if (access->verdict == FAULT_CAUSE_SEGV_ACCERR)
		return "the VMA does not allow it: SIGSEGV (SEGV_ACCERR)";
	return served_by(translation, kind);
}
