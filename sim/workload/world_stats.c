/* Statistics by name, put together from what machine, kernel and libc count. */
#include "world_private.h"

struct elapsed world_time(const struct world *world)
{
	return (struct elapsed){world->bus.cycle, machine_walk_cycles(world->machine)};
}

static struct elapsed kernel_time(const struct world *world)
{
	struct elapsed time = world->kernel_time;
	if (world->in_kernel)
		add_elapsed(&time, world_time(world), world->kernel_since);
	return time;
}

struct elapsed world_user_time(const struct world *world)
{
	struct elapsed user = {0};
	add_elapsed(&user, world_time(world), kernel_time(world));
	return user;
}

void world_counts(const struct world *world, struct machine_counts *out)
{
	const struct mmu_stats total = machine_mmu_stats(world->machine), *mmu = &total;
	*out = (struct machine_counts){
	    .all = world_time(world),
	    .kernel = kernel_time(world),
	    .libc = world->libc_time,
	    .ring_changes = world->bus.count[EVENT_RING],
	    /* INT 0x80 is how 32-bit code calls the system, nothing exceptional. */
	    .exceptions = world->bus.count[EVENT_EXCEPTION] - machine_stats(world->machine)->vectors[SYSCALL_VECTOR],
	    .l1_hits = mmu_stats_l1_hits(mmu),
	    .l2_hits = mmu_stats_l2_hits(mmu),
	    .walks = mmu->walks - mmu->rewalks_stale_path,
	    .flushes = mmu->flushes,
	    .walk_entries = mmu->walk_entries,
	};
	for (unsigned i = 0; i < ACCESS_KIND_COUNT; i++)
		out->accesses[i] = mmu->accesses[i];
}

/* total += later - earlier */
static void add_counts(struct machine_counts *total, const struct machine_counts *later,
		       const struct machine_counts *earlier)
{
	add_elapsed(&total->all, later->all, earlier->all);
	add_elapsed(&total->kernel, later->kernel, earlier->kernel);
	add_elapsed(&total->libc, later->libc, earlier->libc);
	total->ring_changes += later->ring_changes - earlier->ring_changes;
	total->exceptions += later->exceptions - earlier->exceptions;
	total->l1_hits += later->l1_hits - earlier->l1_hits;
	total->l2_hits += later->l2_hits - earlier->l2_hits;
	total->walks += later->walks - earlier->walks;
	total->flushes += later->flushes - earlier->flushes;
	total->walk_entries += later->walk_entries - earlier->walk_entries;
	for (unsigned i = 0; i < ACCESS_KIND_COUNT; i++)
		total->accesses[i] += later->accesses[i] - earlier->accesses[i];
}

void world_end_slice(struct world *world, struct runner *runner)
{
	struct machine_counts now;
	world_counts(world, &now);
	add_counts(&runner->owned, &now, &world->slice_start);
}

static void put_counts(uint64_t *value, const struct machine_counts *counts)
{
	value[STAT_RINGS_CHANGES] = counts->ring_changes;
	value[STAT_RINGS_EXCEPTION] = counts->exceptions;
	value[STAT_ACCESSES_READ] = counts->accesses[ACCESS_READ];
	value[STAT_ACCESSES_WRITE] = counts->accesses[ACCESS_WRITE];
	value[STAT_ACCESSES_FETCH] = counts->accesses[ACCESS_FETCH];
	value[STAT_ACCESSES_TOTAL] = counts->accesses[ACCESS_READ] + counts->accesses[ACCESS_WRITE] +
				     counts->accesses[ACCESS_FETCH];
	value[STAT_TLB_L1_HITS] = counts->l1_hits;
	value[STAT_TLB_L2_HITS] = counts->l2_hits;
	value[STAT_TLB_MISSES] = counts->walks;
	value[STAT_TLB_FLUSHES] = counts->flushes;
	value[STAT_WALKS_ENTRIES] = counts->walk_entries;
	value[STAT_CYCLES] = counts->all.cycles;
	value[STAT_CYCLES_KERNEL] = counts->kernel.cycles;
	value[STAT_CYCLES_LIBC] = counts->libc.cycles;
	value[STAT_CYCLES_APP] = counts->all.cycles - counts->kernel.cycles - counts->libc.cycles;
	value[STAT_CYCLES_WALK] = counts->all.walk;
	value[STAT_CYCLES_WALK_LIBC] = counts->libc.walk;
	value[STAT_CYCLES_WALK_KERNEL] = counts->kernel.walk;
}

static void add_faults(uint64_t *value, const struct process_stats *stats)
{
	value[STAT_FAULTS_MINOR] += stats->minor_faults;
	value[STAT_FAULTS_MAJOR] += stats->major_faults;
	value[STAT_FAULTS_DEMAND_ZERO] += stats->causes[FAULT_CAUSE_DEMAND_ZERO];
	value[STAT_FAULTS_ZERO_PAGE] += stats->causes[FAULT_CAUSE_ZERO_PAGE];
	value[STAT_FAULTS_ZERO_PAGE_WRITE] += stats->causes[FAULT_CAUSE_ZERO_PAGE_WRITE];
	value[STAT_FAULTS_HUGE] += stats->causes[FAULT_CAUSE_HUGE];
	value[STAT_FAULTS_HUGE_ZERO] += stats->causes[FAULT_CAUSE_HUGE_ZERO];
	value[STAT_FAULTS_FILE] += stats->causes[FAULT_CAUSE_FILE];
	value[STAT_FAULTS_SHARED] += stats->causes[FAULT_CAUSE_SHARED];
	value[STAT_FAULTS_COW] += stats->causes[FAULT_CAUSE_COW];
	value[STAT_FAULTS_MKWRITE] += stats->causes[FAULT_CAUSE_MKWRITE];
	value[STAT_FAULTS_REUSE] += stats->causes[FAULT_CAUSE_REUSE];
	value[STAT_FAULTS_SWAP_IN] += stats->causes[FAULT_CAUSE_SWAP_IN];
	value[STAT_FAULTS_SWAP_CACHE] += stats->causes[FAULT_CAUSE_SWAP_CACHE];
	value[STAT_FAULTS_FILE_READ] += stats->causes[FAULT_CAUSE_FILE_READ];
	value[STAT_CYCLES_WAIT] += stats->waited_cycles;
	value[STAT_CYCLES_ASLEEP] += stats->slept_cycles;
	value[STAT_FAULTS_KERNEL] += stats->kernel_faults;
	value[STAT_FAULTS_STACK_GROWTH] += stats->causes[FAULT_CAUSE_STACK_GROWTH];
	value[STAT_FAULTS_SPURIOUS] += stats->causes[FAULT_CAUSE_SPURIOUS];
	value[STAT_FAULTS_SEGV] += stats->causes[FAULT_CAUSE_SEGV_MAPERR] + stats->causes[FAULT_CAUSE_SEGV_ACCERR] +
				   stats->causes[FAULT_CAUSE_BUS_ADRERR] + stats->causes[FAULT_CAUSE_NO_HUGE_PAGE];
}

struct syscall_stat {
	enum syscall_index call;
	enum stat stat;
};

static const struct syscall_stat syscall_stats[] = {
    {SYSCALL_BRK, STAT_SYSCALLS_BRK},
    {SYSCALL_MMAP, STAT_SYSCALLS_MMAP},
    {SYSCALL_MUNMAP, STAT_SYSCALLS_MUNMAP},
    {SYSCALL_MREMAP, STAT_SYSCALLS_MREMAP},
    {SYSCALL_MPROTECT, STAT_SYSCALLS_MPROTECT},
    {SYSCALL_MADVISE, STAT_SYSCALLS_MADVISE},
    {SYSCALL_WRITE, STAT_SYSCALLS_WRITE},
    {SYSCALL_GETPID, STAT_SYSCALLS_GETPID},
    {SYSCALL_MLOCK, STAT_SYSCALLS_MLOCK},
    {SYSCALL_MLOCK2, STAT_SYSCALLS_MLOCK},
    {SYSCALL_MUNLOCK, STAT_SYSCALLS_MLOCK},
    {SYSCALL_MLOCKALL, STAT_SYSCALLS_MLOCK},
    {SYSCALL_MUNLOCKALL, STAT_SYSCALLS_MLOCK},
    {SYSCALL_MINCORE, STAT_SYSCALLS_MINCORE},
    {SYSCALL_EXECVE, STAT_SYSCALLS_EXEC},
    {SYSCALL_FORK, STAT_SYSCALLS_FORK},
    {SYSCALL_VFORK, STAT_SYSCALLS_VFORK},
    {SYSCALL_WAIT4, STAT_SYSCALLS_WAIT},
    {SYSCALL_OPENAT, STAT_SYSCALLS_OPEN},
    {SYSCALL_CLOSE, STAT_SYSCALLS_CLOSE},
    {SYSCALL_READ, STAT_SYSCALLS_READ},
    {SYSCALL_PREAD64, STAT_SYSCALLS_READ},
    {SYSCALL_PWRITE64, STAT_SYSCALLS_WRITE},
    {SYSCALL_LSEEK, STAT_SYSCALLS_LSEEK},
    {SYSCALL_FTRUNCATE, STAT_SYSCALLS_FTRUNCATE},
    {SYSCALL_FSYNC, STAT_SYSCALLS_FSYNC},
    {SYSCALL_MSYNC, STAT_SYSCALLS_MSYNC},
    {SYSCALL_PRLIMIT64, STAT_SYSCALLS_PRLIMIT},
};

static void add_syscalls(uint64_t *value, const struct process_stats *stats)
{
	for (unsigned i = 0; i < SYSCALL_COUNT; i++) {
		value[STAT_SYSCALLS_TOTAL] += stats->syscalls[i];
		value[STAT_RINGS_SYSCALL] += stats->syscalls[i];
	}
	for (unsigned i = 0; i < sizeof(syscall_stats) / sizeof(*syscall_stats); i++)
		value[syscall_stats[i].stat] += stats->syscalls[syscall_stats[i].call];
}

static void add_shootdowns(uint64_t *value, const struct process_stats *stats)
{
	value[STAT_SHOOTDOWNS] += stats->shootdowns;
	value[STAT_SHOOTDOWNS_SENT] += stats->shootdowns_sent;
	value[STAT_SHOOTDOWNS_RECEIVED] += stats->shootdowns_received;
	value[STAT_SHOOTDOWNS_PAGES] += stats->shootdowns_pages;
	value[STAT_SHOOTDOWNS_FULL] += stats->shootdowns_full;
	value[STAT_SHOOTDOWNS_LAZY] += stats->shootdowns_lazy;
	value[STAT_SHOOTDOWNS_CYCLES] += stats->shootdowns_cycles;
}

static void add_memory(uint64_t *value, const struct process *process)
{
	value[STAT_MEMORY_RSS] += process_resident_pages(process);
	value[STAT_MEMORY_PEAK_RSS] += process->stats.peak_resident;
	value[STAT_MEMORY_ZERO] += process_zero_pages(process);
	value[STAT_MEMORY_HUGE] += process_huge_pages(process);
	value[STAT_MEMORY_HUGETLB] += process_hugetlb_pages(process);
	value[STAT_MEMORY_SWAP] += process_swap_pages(process);
	value[STAT_MEMORY_VIRTUAL] += process_virtual_bytes(process);
	value[STAT_MEMORY_TABLES] += process_table_pages(process);
	value[STAT_HEAP_BYTES] += process_heap_bytes(process);
}

static void add_heap(uint64_t *value, const struct heap_stats *heap)
{
	value[STAT_HEAP_MALLOCS] += heap->mallocs;
	value[STAT_HEAP_FREES] += heap->frees;
	value[STAT_HEAP_REALLOCS] += heap->reallocs;
	value[STAT_HEAP_FAILURES] += heap->failures;
	value[STAT_HEAP_LIVE_BLOCKS] += heap->live_blocks;
	value[STAT_HEAP_LIVE_BYTES] += heap->live_bytes;
	value[STAT_HEAP_PEAK_LIVE_BYTES] += heap->peak_live_bytes;
	value[STAT_HEAP_REQUESTED] += heap->requested_bytes;
	value[STAT_HEAP_SEARCHED] += heap->searched;
	value[STAT_HEAP_SPLITS] += heap->splits;
	value[STAT_HEAP_COALESCES] += heap->coalesces;
}

/* What can be added up over the processes. The heap of one that runs in another's memory is counted there: nobody can
 * tell whose doing it is. */
static void add_process(uint64_t *value, const struct runner *runner)
{
	add_faults(value, &runner->process->stats);
	add_syscalls(value, &runner->process->stats);
	add_shootdowns(value, &runner->process->stats);
	if (!runner->lender)
		add_heap(value, &runner->heap->stats);
	value[STAT_FRAMES_TAKEN] += runner->process->stats.frames_taken;
	value[STAT_PROCESSES_SWITCHES] += runner->process->stats.switches;
}

static void put_frames(uint64_t *value, const struct world *world)
{
	const struct frame_pool *frames = kernel_frames(world->kernel);
	value[STAT_FRAMES_TOTAL] = frame_pool_total(frames);
	value[STAT_FRAMES_FREE] = frame_pool_free(frames);
	value[STAT_FRAMES_USED] = frame_pool_total(frames) - frame_pool_free(frames);
	value[STAT_EVENTS] = world->bus.number;
}

static void put_utilisation(struct stats *stats, const struct world *world)
{
	stats->cycle = world->bus.cycle;
	stats->waited = kernel_vm_counts(world->kernel)->waited_cycles;
	stats->value[STAT_CPU_UTILISATION] = stats_utilisation(stats);
}

/* What is counted for the whole machine only. */
static void put_paging(uint64_t *value, const struct kernel *kernel)
{
	const struct vm_counts *vm = kernel_vm_counts(kernel);
	const struct swap_use swap = kernel_swap_use(kernel);
	const struct cache_use cache = kernel_cache_use(kernel);
	value[STAT_SWAP_OUT] = vm->swapped_out;
	value[STAT_SWAP_IN] = vm->swapped_in;
	value[STAT_SWAP_READAHEAD] = vm->swap_readahead;
	value[STAT_SWAP_TOTAL] = swap.total;
	value[STAT_SWAP_USED] = swap.used;
	value[STAT_SWAP_CACHED] = swap.cached;
	value[STAT_RECLAIM_SCANNED] = vm->scanned_kswapd + vm->scanned_direct;
	value[STAT_RECLAIM_TAKEN] = vm->stolen_kswapd + vm->stolen_direct;
	value[STAT_RECLAIM_KSWAPD] = vm->kswapd_wakes;
	value[STAT_RECLAIM_DIRECT] = vm->direct_stalls;
	value[STAT_OOM_KILLS] = vm->oom_kills;
	value[STAT_THP_FALLBACKS] = vm->thp_fault_fallback;
	value[STAT_THP_COLLAPSES] = vm->thp_pages_collapsed;
	value[STAT_COMPACT_STALLS] = vm->compact_stall;
	value[STAT_COMPACT_MOVED] = vm->pgmigrate_success;
	value[STAT_THP_SPLIT_ENTRIES] = vm->thp_split_pmd;
	value[STAT_THP_SPLIT_PAGES] = vm->thp_split_page;
	value[STAT_FILES_OUT] = vm->file_pages_out;
	value[STAT_FILES_IN] = vm->file_pages_in;
	value[STAT_FILES_READAHEAD] = vm->file_readahead;
	value[STAT_FILES_CACHED] = cache.files;
	value[STAT_FILES_DIRTY] = cache.dirty;
}

void world_process_stats(const struct world *world, unsigned index, struct stats *out)
{
	*out = (struct stats){.cycle = 0};
	BUG_ON(index >= world->runner_count);
	const struct runner *runner = &world->runners[index];
	if (!world->kernel || !runner->process)
		return;
	struct machine_counts counts = runner->owned;
	if (world->current == runner) {
		struct machine_counts now;
		world_counts(world, &now);
		add_counts(&counts, &now, &world->slice_start);
	}
	put_counts(out->value, &counts);
	add_process(out->value, runner);
	add_memory(out->value, runner->process);
	put_frames(out->value, world);
	put_paging(out->value, world->kernel);
	put_utilisation(out, world);
}

void world_machine_stats(const struct world *world, struct stats *out)
{
	struct machine_counts counts;
	*out = (struct stats){.cycle = 0};
	if (!world->kernel)
		return;
	world_counts(world, &counts);
	put_counts(out->value, &counts);
	for (unsigned i = 0; i < world->runner_count && world->runners[i].process; i++) {
		const struct runner *runner = &world->runners[i];
		add_process(out->value, runner);
		if (!process_borrows_memory(runner->process))
			add_memory(out->value, runner->process);
	}
	put_frames(out->value, world);
	put_paging(out->value, world->kernel);
	put_utilisation(out, world);
}

unsigned world_phase_count(const struct world *world)
{
	return world->phase_count;
}

const char *world_phase_name(const struct world *world, unsigned phase)
{
	BUG_ON(phase >= world->phase_count);
	return world->phases[phase].name;
}

void world_phase_stats(const struct world *world, unsigned phase, struct stats *out)
{
	struct stats end;
	BUG_ON(phase >= world->phase_count);
	if (phase + 1 < world->phase_count)
		end = world->phases[phase + 1].before;
	else
		world_machine_stats(world, &end);
	stats_difference(&end, &world->phases[phase].before, out);
}
