/* What the pools say against the tables, the records of frames and the promises. */
#include "hugetlb.h"

#include "page.h"

static uint64_t count_free(const struct kernel *kernel, const struct hugetlb *pool)
{
	uint64_t free = 0;
	for (uint32_t i = pool->first; i != 0; i = frame_peek(kernel->frames, pfn(i))->next)
		free++;
	return free;
}

static void count_promises_of(const struct mm *mm, uint64_t *promised)
{
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		if (vma->reserves)
			promised[hugetlb_size(vma->file->huge_level)] += hugetlb_promised(vma, vma->start, vma->end);
	}
}

/* Frames of pages that are mapped, once for each mapping. */
static uint64_t count_mapped(const struct kernel *kernel)
{
	uint64_t mapped = 0;
	uint64_t left = frame_pool_used(kernel->frames, FRAME_HUGETLB);
	for (uint64_t i = 1; left > 0; i++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(i));
		if (!record)
			return UINT64_MAX;
		if (record->use != FRAME_HUGETLB || !record->block_start)
			continue;
		uint64_t frames = (uint64_t)1 << record->order;
		mapped += record->mappings * frames;
		left -= frames;
		i += frames - 1; /* a gigantic page has one record */
	}
	return mapped;
}

bool hugetlb_check(const struct kernel *kernel, const char **why)
{
	uint64_t promised[HUGETLB_SIZES] = {0}, mapped = 0;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		if (!kernel->spaces[i])
			continue;
		mapped += kernel->spaces[i]->hugetlb;
		count_promises_of(kernel->spaces[i], promised);
	}
	if (mapped != count_mapped(kernel))
		*why = "hugetlb: the tables do not map what the records of the pages say";
	for (const struct file *file = kernel->files; file; file = file->next)
		promised[hugetlb_size(file->huge_level)] += hugetlb_promised_file(kernel, file);
	for (unsigned size = 0; size < HUGETLB_SIZES; size++) {
		const struct hugetlb *pool = &kernel->hugetlb[size];
		if (count_free(kernel, pool) != pool->free || pool->free > pool->total ||
		    promised[size] + pool->lost != pool->reserved)
			*why = "hugetlb: free or promised pages are miscounted";
	}
	return *why == NULL;
}
