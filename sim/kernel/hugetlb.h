/* Huge pages of MAP_HUGETLB: a pool that is filled at boot, and promises on it. See mm/hugetlb.c. Without a pool each
 * is made when it is touched, as with vm.nr_overcommit_hugepages. */
#ifndef FAULTLINE_KERNEL_HUGETLB_H
#define FAULTLINE_KERNEL_HUGETLB_H

#include "faultline/frame.h"
#include "faultline/process.h"
#include "faultline/pte.h"

struct kernel;
struct mm;
struct vma;

/* Invariants: free counts the pages of the chain that begins at first; reserved, of these, what VMAs with a reservation
 * have not touched yet; reserved <= free <= total. */
struct hugetlb {
	uint64_t total, free, reserved;
	uint32_t first;
};

void hugetlb_fill(struct kernel *kernel, uint64_t pages); /* as many as there is room for */
/* hugetlb_reserve_pages: at mmap, where it may. */
bool hugetlb_may_reserve(const struct kernel *kernel, uint64_t pages);
void hugetlb_reserve(struct kernel *kernel, uint64_t pages);
void hugetlb_unreserve(struct kernel *kernel, uint64_t pages);
/* hugetlb_fault */
enum fault_cause hugetlb_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write);
/* copy_hugetlb_page_range: the child maps what the parent maps. False: no frame for a table. */
bool hugetlb_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry);
/* Ends the mapping of an entry. True: the page is nobody's now, and is to be freed once no TLB can reach it. */
bool hugetlb_release(struct mm *mm, struct vaddr va, struct pfn page);
/* Nobody maps the page any more. */
void hugetlb_free(struct kernel *kernel, struct pfn page);
bool hugetlb_check(const struct kernel *kernel, const char **why);

#endif
