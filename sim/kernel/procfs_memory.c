/* /proc/meminfo, vmstat and buddyinfo: fs/proc/meminfo.c, mm/vmstat.c. There is one node with one zone, and no order
 * among pages: all of a kind are inactive. */
#include <inttypes.h>

#include "procfs.h"

/* ---- counting ---- */

struct mapped {
	const struct kernel *kernel;
	uint64_t pages;
};

static void count_mapped(void *self, uint64_t index, struct pfn frame)
{
	(void)index;
	struct mapped *mapped = self;
	mapped->pages += frame_peek(mapped->kernel->frames, frame)->mappings > 0;
}

static uint64_t locked_pages(const struct mm *mm)
{
	uint64_t pages = 0;
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		for (struct vaddr va = vma->start; (vma->flags & VMA_LOCKED) && va.v < vma->end.v; va.v += PAGE_BYTES) {
			struct pte entry = table_get(mm, va);
			pages += entry_has_frame(entry) && !frame_is_zero(mm->kernel, pfn(pte_frame(entry)));
		}
	}
	return pages;
}

struct memory_use memory_use_of(const struct kernel *kernel)
{
	const struct frame_pool *frames = kernel->frames;
	struct memory_use use = {
	    .total = frame_pool_total(frames),
	    .free = frame_pool_free(frames),
	    .anon = frame_pool_used(frames, FRAME_ANON),
	    .shmem = frame_pool_used(frames, FRAME_SHMEM),
	    .file = kernel_cache_use(kernel).files,
	};
	struct mapped mapped = {.kernel = kernel};
	for (const struct file *file = kernel->files; file; file = file->next)
		file_for_each(file, count_mapped, &mapped);
	use.mapped = mapped.pages;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		const struct process *process = kernel->processes[i];
		const struct mm *mm = kernel->spaces[i];
		use.faults += process->stats.minor_faults + process->stats.major_faults;
		use.major_faults += process->stats.major_faults;
		use.stacks += process->mm ? (uint64_t)1 << STACK_ORDER : 0;
		use.locked += mm ? locked_pages(mm) : 0;
		use.tables += mm ? mm->tables : 0;
	}
	return use;
}

/* ---- meminfo ---- */

static void row(const struct sink *sink, const char *label, uint64_t kilobytes)
{
	sink_print(sink, "%-16s%8" PRIu64 " kB\n", label, kilobytes);
}

static void zeroes(const struct sink *sink, const char *const *labels)
{
	for (; *labels; labels++)
		row(sink, *labels, 0);
}

static void print_lists(const struct sink *sink, const struct memory_use *use)
{
	uint64_t anon = use->anon + use->shmem - use->locked;
	row(sink, "Active:", 0);
	row(sink, "Inactive:", kib(anon + use->file));
	row(sink, "Active(anon):", 0);
	row(sink, "Inactive(anon):", kib(anon));
	row(sink, "Active(file):", 0);
	row(sink, "Inactive(file):", kib(use->file));
	row(sink, "Unevictable:", kib(use->locked));
	row(sink, "Mlocked:", kib(use->locked));
}

static void print_direct_map(const struct kernel *kernel, const struct sink *sink)
{
	uint64_t bytes = physmem_bytes(kernel->mem), huge = layout_huge_bytes(kernel->layout);
	uint64_t gigantic = kernel->layout->levels > 3 ? bytes / GIB * GIB : 0;
	row(sink, "DirectMap4k:", 0);
	row(sink, huge == 2 * MIB ? "DirectMap2M:" : "DirectMap4M:", align_up(bytes - gigantic, huge) / KIB);
	if (kernel->layout->levels > 3)
		row(sink, "DirectMap1G:", gigantic / KIB);
}

void procfs_meminfo(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)process;
	const struct memory_use use = memory_use_of(kernel);
	const struct hugetlb *pool = &kernel->hugetlb[HUGETLB_DEFAULT];
	uint64_t gigantic = kernel->hugetlb[HUGETLB_GIGANTIC].total << FRAME_GIGANTIC_ORDER;
	uint64_t pages = (frame_pool_used(kernel->frames, FRAME_HUGETLB) - gigantic) >> kernel->layout->huge_order;
	row(sink, "MemTotal:", kib(use.total));
	row(sink, "MemFree:", kib(use.free));
	row(sink, "MemAvailable:", kib(use.free + use.file));
	row(sink, "Buffers:", 0);
	row(sink, "Cached:", kib(use.file + use.shmem));
	row(sink, "SwapCached:", kib(kernel->swap.cached));
	print_lists(sink, &use);
	row(sink, "SwapTotal:", kib(swap_total(&kernel->swap)));
	row(sink, "SwapFree:", kib(swap_total(&kernel->swap) - kernel->swap.used));
	zeroes(sink, (const char *const[]){"Zswap:", "Zswapped:", NULL});
	row(sink, "Dirty:", kib(kernel->dirty));
	row(sink, "Writeback:", kib(disk_writes_on_their_way(kernel)));
	row(sink, "AnonPages:", kib(use.anon));
	row(sink, "Mapped:", kib(use.mapped));
	row(sink, "Shmem:", kib(use.shmem));
	zeroes(sink, (const char *const[]){"KReclaimable:", "Slab:", "SReclaimable:", "SUnreclaim:", NULL});
	row(sink, "KernelStack:", kib(use.stacks));
	row(sink, "PageTables:", kib(use.tables));
	zeroes(sink, (const char *const[]){"SecPageTables:", "NFS_Unstable:", "Bounce:", "WritebackTmp:", NULL});
	row(sink, "CommitLimit:", kib(kernel_commit_limit(kernel)));
	row(sink, "Committed_AS:", kib(kernel->committed));
	row(sink, "VmallocTotal:", 34359738367);
	zeroes(sink, (const char *const[]){"VmallocUsed:", "VmallocChunk:", "Percpu:", NULL});
	row(sink, "AnonHugePages:", kib(kernel->thp.mapped_entirely * FOLIO_FRAMES));
	zeroes(sink, (const char *const[]){
			 "ShmemHugePages:", "ShmemPmdMapped:", "FileHugePages:", "FilePmdMapped:", "Balloon:", NULL});
	sink_print(sink,
		   "HugePages_Total:   %5d\nHugePages_Free:    %5d\nHugePages_Rsvd:    %5d\n"
		   "HugePages_Surp:    %5d\n",
		   (int)pages, (int)pool->free, (int)pool->reserved, (int)(pages - pool->total));
	row(sink, "Hugepagesize:", layout_huge_bytes(kernel->layout) / KIB);
	row(sink, "Hugetlb:", kib(frame_pool_used(kernel->frames, FRAME_HUGETLB)));
	print_direct_map(kernel, sink);
}

/* ---- vmstat ---- */

void procfs_vmstat(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)process;
	const struct memory_use use = memory_use_of(kernel);
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
	    {"nr_free_pages", use.free},
	    {"nr_zone_inactive_anon", use.anon + use.shmem - use.locked},
	    {"nr_zone_active_anon", 0},
	    {"nr_zone_inactive_file", use.file},
	    {"nr_zone_active_file", 0},
	    {"nr_zone_unevictable", use.locked},
	    {"nr_mlock", use.locked},
	    {"nr_inactive_anon", use.anon + use.shmem - use.locked},
	    {"nr_active_anon", 0},
	    {"nr_inactive_file", use.file},
	    {"nr_active_file", 0},
	    {"nr_unevictable", use.locked},
	    {"nr_anon_pages", use.anon},
	    {"nr_mapped", use.mapped},
	    {"nr_file_pages", use.file + use.shmem},
	    {"nr_dirty", kernel->dirty},
	    {"nr_writeback", disk_writes_on_their_way(kernel)},
	    {"nr_shmem", use.shmem},
	    {"nr_kernel_stack", kib(use.stacks)},
	    {"nr_page_table_pages", use.tables},
	    {"nr_swapcached", kernel->swap.cached},
	    {"nr_anon_transparent_hugepages", kernel->thp.mapped_entirely},
	    {"nr_dirty_threshold", file_dirty_limits(kernel).limit},
	    {"nr_dirty_background_threshold", file_dirty_limits(kernel).background},
	    {"pgpgin", kib(kernel->vm.file_pages_in + kernel->vm.swapped_in)},
	    {"pgpgout", kib(kernel->vm.file_pages_out + kernel->vm.swapped_out)},
	    {"pswpin", kernel->vm.swapped_in},
	    {"pswpout", kernel->vm.swapped_out},
	    {"pgfault", use.faults},
	    {"pgmajfault", use.major_faults},
	    {"pgsteal_kswapd", kernel->vm.stolen_kswapd},
	    {"pgsteal_direct", kernel->vm.stolen_direct},
	    {"pgscan_kswapd", kernel->vm.scanned_kswapd},
	    {"pgscan_direct", kernel->vm.scanned_direct},
	    {"allocstall_normal", kernel->vm.direct_stalls},
	    {"pgmigrate_success", kernel->vm.pgmigrate_success},
	    {"oom_kill", kernel->vm.oom_kills},
	    {"compact_migrate_scanned", kernel->vm.compact_migrate_scanned},
	    {"compact_free_scanned", kernel->vm.compact_free_scanned},
	    {"compact_isolated", kernel->vm.compact_isolated},
	    {"compact_stall", kernel->vm.compact_stall},
	    {"compact_fail", kernel->vm.compact_fail},
	    {"compact_success", kernel->vm.compact_success},
	    {"thp_fault_alloc", kernel->vm.thp_fault_alloc},
	    {"thp_fault_fallback", kernel->vm.thp_fault_fallback},
	    {"thp_fault_fallback_charge", kernel->vm.thp_fault_fallback_charge},
	    {"thp_collapse_alloc", kernel->vm.thp_collapse_alloc},
	    {"thp_collapse_alloc_failed", kernel->vm.thp_collapse_alloc_failed},
	    {"thp_scan_exceed_none_pte", kernel->vm.thp_scan_exceed_none_pte},
	    {"thp_scan_exceed_swap_pte", kernel->vm.thp_scan_exceed_swap_pte},
	    {"thp_scan_exceed_share_pte", kernel->vm.thp_scan_exceed_share_pte},
	    {"thp_split_page", kernel->vm.thp_split_page},
	    {"thp_deferred_split_page", kernel->vm.thp_deferred_split_page},
	    {"thp_split_pmd", kernel->vm.thp_split_pmd},
	    {"thp_zero_page_alloc", kernel->vm.thp_zero_page_alloc},
	    {"thp_zero_page_alloc_failed", kernel->vm.thp_zero_page_alloc_failed},
	    {"thp_swpout_fallback", kernel->vm.thp_swpout_fallback},
	};
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		sink_print(sink, "%s %" PRIu64 "\n", rows[i].name, rows[i].value);
}

/* ---- buddyinfo ---- */

static void begin_zone(const struct sink *sink)
{
	sink_print(sink, "Node %d, zone %8s ", 0, "Normal");
}

void procfs_buddyinfo(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)process;
	const struct free_blocks free = frame_pool_blocks(kernel->frames);
	begin_zone(sink);
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++)
		sink_print(sink, "%6" PRIu64 " ", free.of[order]);
	sink_print(sink, "\n");
}

/* extfrag_show_print */
static void print_indices(const struct kernel *kernel, const struct sink *sink,
			  int (*index_of)(const struct free_blocks *free, unsigned order))
{
	const struct free_blocks free = frame_pool_blocks(kernel->frames);
	begin_zone(sink);
	for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
		int index = index_of(&free, order);
		sink_print(sink, "%2d.%03d ", index / 1000, index % 1000);
	}
	sink_print(sink, "\n");
}

void procfs_extfrag_index(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)process;
	print_indices(kernel, sink, fragmentation_index);
}

void procfs_unusable_index(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)process;
	print_indices(kernel, sink, unusable_free_index);
}
