/* Everything that is known about one virtual address of one process at one moment: the page tables entry by entry, the
 * TLBs, the VMA, the frame, and what an access would meet. A snapshot by value: it stays true to that moment when the
 * process has long been gone. Taking it touches and counts nothing. */
#ifndef FAULTLINE_TRANSLATION_H
#define FAULTLINE_TRANSLATION_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/frame.h"
#include "faultline/mmu.h"
#include "faultline/pages.h"
#include "faultline/process.h"
#include "faultline/walk.h"
#include "faultline/world.h"

enum { TRANSLATION_TLBS = 12 };

struct translation_area {
	bool exists;
	bool file; /* backed by a file, or by shared memory */
	struct vaddr start, end;
	uint32_t flags;   /* VMA_* */
	const char *name; /* lives as long as the world */
};

struct translation_tlb {
	enum tlb_role role;
	struct tlb_entry entry;
};

/* What an access would meet. */
struct translation_access {
	bool allowed;        /* by the tables in RAM */
	unsigned vector;     /* else: 14 #PF, 13 #GP */
	uint32_t error_code; /* of #PF */
	/* What the kernel says to that #PF: SEGV_MAPERR, SEGV_ACCERR, STACK_GROWTH; FAULT_CAUSE_COUNT: the VMA allows
	 * it */
	enum fault_cause verdict;
};

struct translation {
	uint64_t event, cycle; /* the moment */
	struct vaddr va;
	uint32_t pid;
	const char *process;
	bool alive; /* else there is no address space, and nothing below is valid */
	uint64_t cr3;
	enum paging_mode mode;
	unsigned levels;
	struct pte pdpte[PAE_PDPTES]; /* the registers of PAE paging, as they are when the process runs */
	bool canonical;
	bool nxe; /* bit 63 of an entry means no-execute */
	struct walk walk;
	uint64_t reserved[WALK_MAX_LEVELS]; /* by step of the walk: the bits that must be 0 in that entry */
	struct absent_entry absent;         /* what a PTE that is not present is used for */
	struct paddr pa;                    /* of va, if mapped */
	struct translation_tlb tlb[TRANSLATION_TLBS];
	unsigned tlb_count;
	struct translation_area vma;          /* that holds va */
	struct translation_area below, above; /* neighbours, if none does */
	bool has_frame;
	struct frame frame; /* of va, if mapped to RAM that the kernel manages */
	/* From ring 3, and from ring 0, which lets itself into pages of ring 3 (STAC). */
	struct translation_access access[ACCESS_KIND_COUNT], supervisor[ACCESS_KIND_COUNT];
};

/* `process` is an index as in world_process. The world has booted. */
void translation_take(struct translation *out, const struct world *world, unsigned process, struct vaddr va);

/* What the kernel would say to a refused access, in words. */
const char *translation_verdict(const struct translation *translation, enum access_kind kind);

#endif
