/* Listens to the MMU. A range of one access is one reference to its page. */
#include "faultline/recorder.h"

#include "faultline/kernel.h"

/* Bits of a virtual page number, with which a pid makes one number. */
enum { PAGE_NUMBER_BITS = 45 };

static bool name_of(const struct recorder *recorder, const struct mmu_reference *reference, uint64_t *number)
{
	const struct kernel *kernel = world_kernel(recorder->world);
	if (recorder->pages == RECORDER_MEMORY)
		return kernel && kernel_page_key(kernel, paddr_to_pfn(reference->pa), number);
	const struct process *process = kernel ? kernel_current(kernel) : NULL;
	*number = process ? (uint64_t)process->pid << PAGE_NUMBER_BITS | vaddr_to_vpn(reference->va).v : 0;
	return process && vaddr_to_vpn(reference->va).v < (uint64_t)1 << PAGE_NUMBER_BITS;
}

static void on_reference(void *self, const struct mmu_reference *reference)
{
	struct recorder *recorder = self;
	uint64_t number;
	if (!name_of(recorder, reference, &number))
		return;
	recorder->overflown = recorder->references->count >= REFERENCES_MOST;
	if (!recorder->overflown)
		references_add(recorder->references, number, reference->kind == ACCESS_WRITE);
}

void recorder_attach(struct recorder *recorder, struct world *world, struct references *references,
		     enum recorder_pages pages)
{
	*recorder = (struct recorder){world, references, pages, false};
	world_watch(world, on_reference, recorder);
}
