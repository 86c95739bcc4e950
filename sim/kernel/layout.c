#include "layout.h"

#include "faultline/status.h"

#define TABLE_RIGHTS (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

/* 64-bit: Documentation/arch/x86/x86_64/mm.rst, arch/x86/include/asm/page_64_types.h. With five levels user space is
 * larger, but what is placed without a hint stays where it was: Documentation/arch/x86/x86_64/5level-paging.rst. */
#define LONG_MODE                                                                                                      \
	.index_bits = 9, .entry_bytes = 8, .huge_order = 9, .user_entries = 256, .root_entries = 512,                  \
	.root_entry_rights = TABLE_RIGHTS, .table_rights = TABLE_RIGHTS, .no_execute = PTE_NO_EXECUTE,                 \
	.window = 0x00007ffffffff000, .image_base = 0x555555554000, .mmap_top = 0x7ffff7fff000,                        \
	.stack_top = 0x7ffffffff000, .kernel_text = 0xffffffff81000000, .is_64bit = true, .word_bytes = 8,             \
	.kernel_cs = KERNEL_CS, .kernel_ds = KERNEL_DS, .user_cs = USER_CS, .user_ds = USER_DS,                        \
	.tss_selector = TSS_SELECTOR

/* 32-bit: 3 GiB for the process, 1 GiB for the kernel, whose direct map ("lowmem") has room for 896 MiB and holds its
 * text. arch/x86/include/asm/page_32_types.h, pgtable_32_areas.h; an image at ELF_ET_DYN_BASE of asm/elf.h, mmap 128
 * MiB below the stack: arch/x86/mm/mmap.c. */
#define LEGACY_MODE                                                                                                    \
	.task_size = 0xc0000000, .window = 0xc0000000, .image_base = 0x00400000, .mmap_top = 0xb8000000,               \
	.stack_top = 0xc0000000, .direct_map = 0xc0000000, .direct_map_room = 896 * MIB, .kernel_text = 0xc0000000,    \
	.table_rights = TABLE_RIGHTS, .word_bytes = 4, .kernel_cs = KERNEL_CS_32, .kernel_ds = KERNEL_DS_32,           \
	.user_cs = USER_CS_32, .user_ds = USER_DS_32, .tss_selector = TSS_SELECTOR_32

static const struct layout layouts[PAGING_MODE_COUNT] = {
    [PAGING_32BIT] = {LEGACY_MODE, .mode = PAGING_32BIT, .levels = 2, .index_bits = 10, .entry_bytes = 4,
		      .huge_order = 10, .user_entries = 768, .root_entries = 1024, .root_entry_rights = TABLE_RIGHTS},
    /* A PDPTE has no rights: bits 2:1 are reserved. */
    [PAGING_PAE] = {LEGACY_MODE, .mode = PAGING_PAE, .levels = 3, .index_bits = 9, .entry_bytes = 8, .huge_order = 9,
		    .user_entries = 3, .root_entries = 4, .fixed_root = true, .root_entry_rights = PTE_PRESENT,
		    .no_execute = PTE_NO_EXECUTE},
    [PAGING_4LEVEL] = {LONG_MODE, .mode = PAGING_4LEVEL, .levels = 4, .task_size = 0x00007ffffffff000,
		       .direct_map = 0xffff888000000000, .direct_map_room = 64 * TIB},
    [PAGING_5LEVEL] = {LONG_MODE, .mode = PAGING_5LEVEL, .levels = 5, .task_size = 0x00fffffffffff000,
		       .direct_map = 0xff11000000000000, .direct_map_room = 32768 * TIB},
};

const struct layout *layout_of(enum paging_mode mode)
{
	BUG_ON(mode >= PAGING_MODE_COUNT);
	return &layouts[mode];
}
