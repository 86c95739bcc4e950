/* Transparent huge pages: anonymous memory in pages of 2 MiB where that is allowed and possible. See
 * mm/huge_memory.c. */
#ifndef FAULTLINE_KERNEL_THP_H
#define FAULTLINE_KERNEL_THP_H

#include "faultline/process.h"
#include "faultline/pte.h"
#include "folio.h"

struct mm;
struct vma;

/* Invariants: folios counts the huge pages, mapped_entirely those that an entry of level 2 maps; zero_users counts the
 * address spaces that have mapped the huge zero page. */
struct thp {
	uint64_t folios, mapped_entirely;
	struct pfn zero; /* the huge zero page; 0: there is none now */
	uint64_t zero_users;
	/* khugepaged: when it wakes, and where it goes on. */
	uint64_t next_scan;
	unsigned scan_space; /* index of the address space */
	struct vaddr scan_at;
	uint32_t queue_first, queue_last; /* folios that may be split to free a part; 0: none */
};

/* ---- thp.c ---- */
/* thp_vma_allowable_order: the VMA may have huge pages. */
bool thp_is_allowed(const struct kernel *kernel, const struct vma *vma);
/* The same whatever the mode: what MADV_COLLAPSE may do. */
bool thp_is_possible(const struct kernel *kernel, const struct vma *vma);
/* thp_vma_suitable_order: one would fit into it. */
bool thp_holds_one(const struct mm *mm, const struct vma *vma);
/* The aligned 2 MiB around va lie within the VMA. */
bool thp_fits(const struct mm *mm, const struct vma *vma, struct vaddr va);
/* Resolves the fault by a huge page, or finds one there. False: it is one of small pages. */
bool thp_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write, enum fault_cause *cause);
/* A block for a huge page of the address space, not cleared, or why there is none. */
enum thp_room { THP_TAKEN, THP_NO_BLOCK, THP_NO_CHARGE };
/* What may be done to get one: __GFP_KSWAPD_RECLAIM, __GFP_DIRECT_RECLAIM, and that without __GFP_NORETRY. */
enum thp_effort { THP_JUST_LOOK, THP_WAKE_THREADS, THP_COMPACT, THP_RECLAIM_AND_COMPACT };
enum thp_room thp_take(struct mm *mm, enum thp_effort effort, struct pfn *head);
/* An entry of level 2 for the folio, or the huge zero page. */
struct pte thp_entry(const struct mm *mm, const struct vma *vma, struct pfn head, bool ours);
/* The folio becomes one that the address space maps at va by an entry of level 2; the entry is the caller's. */
void thp_map(struct mm *mm, struct pfn head, struct vaddr va);
/* Ends the mapping of such an entry, or of one of the huge zero page. True: the folio is nobody's now. */
bool thp_unmap(struct mm *mm, struct vaddr va, struct pte entry);
/* copy_huge_pmd: the child maps what the parent maps. False: no frame for a table. */
bool thp_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry);
/* The address space lets go of the huge zero page. */
void thp_forget_zero(struct mm *mm);

/* ---- thp_split.c ---- */
/* __split_huge_pmd: a table with an entry a page takes the place of the entry. */
void thp_split_entry(struct mm *mm, struct vaddr va, struct paddr entry_pa, const char *why);
/* Where `at` falls into a huge page its entry is split: vma_adjust_trans_huge. */
void thp_split_at(struct mm *mm, struct vaddr at, const char *why);
void thp_split_ends(struct mm *mm, struct vaddr start, struct vaddr end, const char *why);
/* split_folio: all entries of it, then the page itself. Returns how many frames that freed, because nobody maps them.
 */
uint64_t thp_split_page(struct kernel *kernel, struct pfn head, const char *why);
/* Advice about pages: huge ones that the range covers in part, and that nobody else has, are split. */
void thp_split_parts(struct mm *mm, struct vaddr start, struct vaddr end, const char *why);
/* Frees parts of huge pages that nobody maps any more, and the huge zero page if nobody uses it; at least so many
 * frames, if there are. */
uint64_t thp_shrink(struct kernel *kernel, uint64_t want);

static inline bool thp_is_transparent(const struct frame *record)
{
	return record->use != FRAME_HUGETLB;
}

#endif
