#include "faultline/kernel.h"

#include "cpus.h"
#include "open_file.h"

/* Sparse, as RAM is: only what files hold costs the host something. */
#define DISK_BYTES (16 * GIB)

uint64_t kernel_reserve_bytes(const struct kernel_config *config, uint64_t memory_bytes, uint64_t processes)
{
	return (1 + processes) * replace_reserve_bytes(config, memory_bytes) +
	       memory_bytes / PAGE_BYTES * sizeof(struct frame) + frame_pool_group_bytes(memory_bytes) +
	       reclaim_reserve_bytes(memory_bytes) + swap_reserve_bytes(config->swap_bytes) +
	       physmem_reserve_bytes(DISK_BYTES) + rmap_reserve_bytes();
}

static void make_devices(struct kernel *kernel)
{
	const struct kernel_config *config = &kernel->config;
	swap_init(&kernel->swap, kernel->arena, page_floor(config->swap_bytes), config->swap_device);
	kernel->disk.store = physmem_new(kernel->arena, DISK_BYTES);
	kernel->disk.device.kind = block_kind_info(config->disk);
	rmap_init(kernel);
	reclaim_init(kernel);
}

enum status kernel_boot(struct arena *arena, struct machine *machine, const struct kernel_config *config,
			struct kernel **out, struct error *error)
{
	struct kernel *kernel = arena_new_object(arena, struct kernel);
	kernel->arena = arena;
	kernel->machine = machine;
	kernel->mem = machine_memory(machine);
	kernel->bus = machine_bus(machine);
	kernel->config = *config;
	kernel->layout = layout_of(config->paging);
	kernel->frames = frame_pool_new(arena, kernel->mem, kernel->bus, config->junk_freed_frames);
	if (config->thp != THP_NEVER)
		frame_pool_group(kernel->frames, arena);
	kernel->processes = arena_new_array(arena, struct process *, MAX_PROCESSES);
	kernel->spaces = arena_new_array(arena, struct mm *, MAX_PROCESSES);
	kernel->cpu_count = machine_cpu_count(machine);
	kernel->cpus = arena_new_array(arena, struct kernel_cpu, kernel->cpu_count);
	pool_init(&kernel->mm_pool, arena, sizeof(struct mm));
	pool_init(&kernel->vma_pool, arena, sizeof(struct vma));
	pool_init(&kernel->process_pool, arena,
		  sizeof(struct process) + kernel->cpu_count * sizeof(struct process_context));
	pool_init(&kernel->file_pool, arena, sizeof(struct file));
	pool_init(&kernel->node_pool, arena, file_node_bytes());
	pool_init(&kernel->open_file_pool, arena, sizeof(struct open_file));
	pool_init(&kernel->descriptors_pool, arena, sizeof(struct descriptors));
	make_devices(kernel);
	enum status status = boot_build(kernel, error);
	if (status != STATUS_OK)
		return status;
	kernel->thp.next_scan = config->thp == THP_NEVER ? UINT64_MAX : config->khugepaged.scan_sleep_cycles;
	status = hugetlb_fill(kernel, error);
	if (status != STATUS_OK)
		return status;
	kernel->boot_free = frame_pool_free(kernel->frames);
	reclaim_set_watermarks(kernel);
	emit(kernel->bus, EVENT_BOOT, physmem_bytes(kernel->mem), frame_pool_total(kernel->frames));
	*out = kernel;
	return STATUS_OK;
}

struct machine *kernel_machine(struct kernel *kernel)
{
	return kernel->machine;
}

const struct machine *kernel_machine_const(const struct kernel *kernel)
{
	return kernel->machine;
}

const struct frame_pool *kernel_frames(const struct kernel *kernel)
{
	return kernel->frames;
}

const struct vm_counts *kernel_vm_counts(const struct kernel *kernel)
{
	return &kernel->vm;
}

struct swap_use kernel_swap_use(const struct kernel *kernel)
{
	return (struct swap_use){swap_total(&kernel->swap), kernel->swap.used, kernel->swap.cached};
}

struct watermarks kernel_watermarks(const struct kernel *kernel)
{
	return kernel->reclaim.marks;
}

struct page_group kernel_page_group(const struct kernel *kernel, const struct process *process)
{
	const struct memgroup *group = process && process->mm ? process->mm->group : &kernel->reclaim.groups[0];
	return (struct page_group){group->policy, group->limit, group->charged, group->peak};
}

struct cache_use kernel_cache_use(const struct kernel *kernel)
{
	return (struct cache_use){
	    frame_pool_used(kernel->frames, FRAME_FILE) + frame_pool_used(kernel->frames, FRAME_IMAGE), kernel->dirty};
}

struct process *kernel_process(const struct kernel *kernel, unsigned index)
{
	return index < kernel->process_count ? kernel->processes[index] : NULL;
}

/* Sums over all address spaces, and over the page cache. */
struct census {
	uint64_t rss[RSS_KINDS], zero, tables, committed;
	uint64_t cached, mapped, swapped, dirty;
	uint64_t anon_mapped;                     /* pages of anonymous frames that entries map */
	uint64_t folios, mapped_entirely, entire; /* huge pages, those mapped as a whole, and by how many entries */
	uint64_t huge, huge_zero, zero_users;
};

static bool count_spaces(const struct kernel *kernel, struct census *census, struct error *why)
{
	for (unsigned i = 0; i < kernel->process_count; i++) {
		const struct mm *mm = kernel->spaces[i];
		if (!mm)
			continue;
		if (!mm_check(mm, why))
			return false;
		for (unsigned kind = 0; kind < RSS_KINDS; kind++)
			census->rss[kind] += mm->rss[kind];
		census->zero += mm->zero;
		census->huge += mm->huge;
		census->huge_zero += mm->huge_zero;
		census->zero_users += mm->uses_huge_zero;
		census->swapped += mm->swapped;
		census->tables += mm->tables;
		census->committed += mm->committed;
	}
	return true;
}

struct cache_sweep {
	const struct kernel *kernel;
	struct census *census;
};

static void count_cached(void *self, uint64_t index, struct pfn frame)
{
	(void)index;
	const struct cache_sweep *sweep = self;
	sweep->census->cached++;
	const struct frame *record = frame_peek(sweep->kernel->frames, frame);
	sweep->census->mapped += record->mappings;
	sweep->census->dirty += record->dirty && record->use != FRAME_SHMEM;
}

static void count_files(const struct kernel *kernel, struct census *census)
{
	struct cache_sweep sweep = {kernel, census};
	for (const struct file *file = kernel->files; file; file = file->next) {
		if (!file->huge_level)
			file_for_each(file, count_cached, &sweep);
		census->committed += file->promised;
		census->swapped += file->swapped;
	}
}

static const char *count_folio(const struct kernel *kernel, struct pfn head, struct census *census)
{
	uint32_t entire = folio_peek(kernel->frames, head, FOLIO_ENTIRE);
	census->folios++;
	census->entire += entire;
	census->mapped_entirely += entire != 0;
	return folio_check(kernel, head, &census->anon_mapped);
}

/* A frame that nobody maps any more is kept only as the content of a slot. */
static const char *count_anon(const struct kernel *kernel, struct census *census)
{
	const struct frame_pool *frames = kernel->frames;
	uint64_t left = frame_pool_used(frames, FRAME_ANON);
	for (uint64_t i = 1; left > 0; i++) {
		const struct frame *record = frame_peek(frames, pfn(i));
		if (!record)
			return "frames: there are fewer anonymous frames than are in use";
		if (record->use != FRAME_ANON || !record->block_start)
			continue;
		left -= (uint64_t)1 << record->order;
		const char *why = frame_is_in_folio(record) ? count_folio(kernel, pfn(i), census) : NULL;
		if (why)
			return why;
		if (frame_is_in_folio(record))
			continue;
		census->anon_mapped += record->mappings;
		if (record->mappings == 0 && record->swap == 0)
			return "frames: an anonymous frame is mapped by nobody and not in the swap cache";
		if (record->swap != 0 && swap_cache_find(kernel, record->swap).v != i)
			return "swap: a frame in the swap cache is not what its slot leads to";
	}
	return NULL;
}

static bool zero_is_counted(const struct kernel *kernel, uint64_t entries)
{
	uint64_t zero = kernel->thp.zero.v;
	return zero == 0 ? entries == 0 : frame_peek(kernel->frames, pfn(zero))->mappings == entries;
}

bool kernel_check(const struct kernel *kernel, struct error *why)
{
	struct census census = {0};
	const char *what = NULL;
	if (!frame_pool_check(kernel->frames, &what)) {
		(void)error_set(why, STATUS_MACHINE_STOPPED, "frames: %s", what);
		return false;
	}
	if (!count_spaces(kernel, &census, why))
		return false;
	count_files(kernel, &census);
	what = count_anon(kernel, &census);
	const struct frame_pool *frames = kernel->frames;
	if (what || !swap_check(kernel, &what) || !hugetlb_check(kernel, &what) || !reclaim_check(kernel, &what))
		what = what ? what : "swap";
	else if (census.anon_mapped != census.rss[RSS_ANON])
		what = "frames: mappings of anonymous frames are not the anonymous pages of all processes";
	else if (census.swapped != kernel->swap.entries)
		what = "swap: the entries that lead to slots are not those of all processes and files";
	else if (kernel_cache_use(kernel).files + frame_pool_used(frames, FRAME_SHMEM) != census.cached)
		what = "frames: frames of the page cache are not the pages of all files";
	else if (census.dirty != kernel->dirty)
		what = "files: the count of dirty pages is not what the page cache holds";
	else if (census.mapped != census.rss[RSS_FILE] + census.rss[RSS_SHMEM])
		what = "frames: mappings of the page cache are not the file pages of all processes";
	else if (frame_pool_used(frames, FRAME_TABLE) != census.tables + kernel->kernel_tables)
		what = "frames: page-table frames in use are not the tables of all processes and the kernel";
	else if (frame_peek(frames, kernel->zero_page)->mappings != census.zero)
		what = "frames: the zero page's reference count is not the number of entries that map it";
	else if (kernel->thp.folios != census.folios || kernel->thp.mapped_entirely != census.mapped_entirely ||
		 census.entire != census.huge)
		what = "frames: huge pages, or the entries that map them, are miscounted";
	else if (kernel->thp.zero_users != census.zero_users || !zero_is_counted(kernel, census.huge_zero))
		what = "frames: the huge zero page's users, or the entries that map it, are miscounted";
	else if (kernel->committed != census.committed)
		what = "overcommit: the committed total is not the sum over processes and shared memory";
	if (what)
		(void)error_set(why, STATUS_MACHINE_STOPPED, "%s", what);
	return what == NULL;
}
