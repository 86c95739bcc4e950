/* Where the kernel puts things, and what its tables look like, in each paging mode: a row a mode. */
#ifndef FAULTLINE_LAYOUT_H
#define FAULTLINE_LAYOUT_H

#include "faultline/pte.h"
#include "faultline/walk.h"

/* Selectors as Linux has them: arch/x86/include/asm/segment.h */
enum { KERNEL_CS = 0x10, KERNEL_DS = 0x18, USER32_CS = 0x23, USER_DS = 0x2b, USER_CS = 0x33, TSS_SELECTOR = 0x40 };
enum { KERNEL_CS_32 = 0x60, KERNEL_DS_32 = 0x68, USER_CS_32 = 0x73, USER_DS_32 = 0x7b, TSS_SELECTOR_32 = 0x80 };

struct layout {
	enum paging_mode mode;
	uint8_t levels;
	uint8_t index_bits;    /* of one level in a linear address */
	uint8_t entry_bytes;   /* 4 or 8 */
	uint8_t huge_order;    /* frames of a page that a level-2 entry maps: log2 */
	uint16_t user_entries; /* of the root, from the first; the others are the kernel's, the same in every process */
	uint16_t root_entries;
	/* The tables below the root are made with it and stay: the processor would not see a new root entry before the
	 * next load of CR3. arch/x86/mm/pgtable.c, PREALLOCATED_PMDS. */
	bool fixed_root;
	uint64_t root_entry_rights; /* of an entry of the root, and of one of any other table */
	uint64_t table_rights;
	uint64_t no_execute; /* PTE_NO_EXECUTE, 0 where entries have no such bit */
	/* User space. mmap stays below the window unless a hint asks for more. */
	uint64_t task_size, window;
	uint64_t image_base, mmap_top, stack_top;
	/* Selectors, and the width of what the processor pushes. */
	bool is_64bit;
	uint8_t word_bytes;
	uint16_t kernel_cs, kernel_ds, user_cs, user_ds, tss_selector;
	/* The kernel. Its text lies at the start of physical memory. */
	uint64_t direct_map, direct_map_room, kernel_text;
};

const struct layout *layout_of(enum paging_mode mode);

static inline uint64_t layout_level_shift(const struct layout *layout, unsigned level)
{
	return PAGE_SHIFT + (uint64_t)layout->index_bits * (level - 1);
}

static inline unsigned layout_index(const struct layout *layout, struct vaddr va, unsigned level)
{
	uint64_t mask = level == layout->levels ? layout->root_entries - 1u : ((uint64_t)1 << layout->index_bits) - 1;
	return (unsigned)((va.v >> layout_level_shift(layout, level)) & mask);
}

/* Entries of a table of this level that concern the process. */
static inline unsigned layout_entries(const struct layout *layout, unsigned level)
{
	return level == layout->levels ? layout->user_entries : 1u << layout->index_bits;
}

static inline uint64_t layout_huge_bytes(const struct layout *layout)
{
	return PAGE_BYTES << layout->huge_order;
}

#endif
