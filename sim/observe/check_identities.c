/* What is counted in two places, or as a whole and in parts, must agree. */
#include <inttypes.h>

#include "faultline/check.h"
#include "faultline/machine.h"

/* X(what, left side, right side), in terms of value[] (statistics of the machine), count[] (events) and the statistics
 * of the processor and the MMU. */
#define IDENTITY_LIST(X)                                                                                               \
	X("accesses are reads, writes and fetches", value[STAT_ACCESSES_TOTAL],                                        \
	  value[STAT_ACCESSES_READ] + value[STAT_ACCESSES_WRITE] + value[STAT_ACCESSES_FETCH])                         \
	X("accesses are L1 hits, L2 hits and misses", value[STAT_ACCESSES_TOTAL],                                      \
	  value[STAT_TLB_L1_HITS] + value[STAT_TLB_L2_HITS] + value[STAT_TLB_MISSES])                                  \
	X("TLB misses are TLB_MISS events and entries that denied the access", value[STAT_TLB_MISSES],                 \
	  count[EVENT_TLB_MISS] + mmu->rewalks_dirty + mmu->rewalks_denied)                                            \
	X("walks are WALK events", mmu->walks, count[EVENT_WALK])                                                      \
	X("TLB entries filled are TLB_FILL events", mmu->walks - mmu->rewalks_stale_path - mmu->walk_refused,          \
	  count[EVENT_TLB_FILL])                                                                                       \
	X("flushes are TLB_FLUSH events", value[STAT_TLB_FLUSHES], count[EVENT_TLB_FLUSH])                             \
	X("page faults of the MMU are exceptions 14", mmu->page_faults, machine->vectors[VECTOR_PAGE_FAULT])           \
	X("page faults are minor, major, deadly by SIGSEGV or for want of memory",                                     \
	  machine->vectors[VECTOR_PAGE_FAULT],                                                                         \
	  value[STAT_FAULTS_MINOR] - value[STAT_FAULTS_KERNEL] + value[STAT_FAULTS_MAJOR] + value[STAT_FAULTS_SEGV] +  \
	      faults_without_memory)                                                                                   \
	X("minor faults have a cause", value[STAT_FAULTS_MINOR],                                                       \
	  value[STAT_FAULTS_DEMAND_ZERO] + value[STAT_FAULTS_ZERO_PAGE] + value[STAT_FAULTS_ZERO_PAGE_WRITE] +         \
	      value[STAT_FAULTS_HUGE] + value[STAT_FAULTS_HUGE_ZERO] + value[STAT_FAULTS_STACK_GROWTH] +               \
	      value[STAT_FAULTS_SPURIOUS] + value[STAT_FAULTS_FILE] + value[STAT_FAULTS_SHARED] +                      \
	      value[STAT_FAULTS_COW] + value[STAT_FAULTS_REUSE] + value[STAT_FAULTS_MKWRITE] +                         \
	      value[STAT_FAULTS_SWAP_CACHE])                                                                           \
	X("major faults have a cause", value[STAT_FAULTS_MAJOR],                                                       \
	  value[STAT_FAULTS_SWAP_IN] + value[STAT_FAULTS_FILE_READ])                                                   \
	X("pages written to swap are SWAP_OUT events", value[STAT_SWAP_OUT], count[EVENT_SWAP_OUT])                    \
	X("huge pages split, and entries of them, are HUGE_SPLIT events",                                              \
	  value[STAT_THP_SPLIT_ENTRIES] + value[STAT_THP_SPLIT_PAGES], count[EVENT_HUGE_SPLIT])                        \
	X("huge pages that replaced small ones are COLLAPSE events", value[STAT_THP_COLLAPSES], count[EVENT_COLLAPSE]) \
	X("compactions are COMPACT events", value[STAT_COMPACT_STALLS], count[EVENT_COMPACT])                          \
	X("processes chosen to be killed are OOM_KILL events", value[STAT_OOM_KILLS], count[EVENT_OOM_KILL])           \
	X("pages read from swap are SWAP_IN events", value[STAT_SWAP_IN], count[EVENT_SWAP_IN])                        \
	X("pages of files written are FILE_OUT events", value[STAT_FILES_OUT], count[EVENT_FILE_OUT])                  \
	X("pages of files read are FILE_IN events", value[STAT_FILES_IN], count[EVENT_FILE_IN])                        \
	X("faults resolved are FAULT events", value[STAT_FAULTS_MINOR] + value[STAT_FAULTS_MAJOR], count[EVENT_FAULT]) \
	X("ring changes are RING events", value[STAT_RINGS_CHANGES], count[EVENT_RING])                                \
	X("ring changes of the processor are RING events", machine->ring_changes, count[EVENT_RING])                   \
	X("exceptions are EXCEPTION events", machine->exceptions, count[EVENT_EXCEPTION])                              \
	X("system calls are SYSCALL events", value[STAT_SYSCALLS_TOTAL], count[EVENT_SYSCALL])                         \
	X("system calls are SYSCALL instructions, or INT 0x80", value[STAT_SYSCALLS_TOTAL],                            \
	  machine->syscalls + machine->vectors[SYSCALL_VECTOR])                                                        \
	X("shootdowns are SHOOTDOWN events", value[STAT_SHOOTDOWNS], count[EVENT_SHOOTDOWN])                           \
	X("interrupts of shootdowns were all handled", value[STAT_SHOOTDOWNS_SENT], value[STAT_SHOOTDOWNS_RECEIVED])   \
	X("context switches are SWITCH events", value[STAT_PROCESSES_SWITCHES], count[EVENT_SWITCH])                   \
	X("time is spent in the program, the libc and the kernel", value[STAT_CYCLES],                                 \
	  value[STAT_CYCLES_APP] + value[STAT_CYCLES_LIBC] + value[STAT_CYCLES_KERNEL])                                \
	X("frames are free or in use", value[STAT_FRAMES_TOTAL], value[STAT_FRAMES_FREE] + value[STAT_FRAMES_USED])    \
	X("blocks in use were allocated and not freed", value[STAT_HEAP_LIVE_BLOCKS],                                  \
	  value[STAT_HEAP_MALLOCS] - value[STAT_HEAP_FREES])                                                           \
	X("events are the sum over their kinds", value[STAT_EVENTS], events)

static bool differ(struct error *why, const char *what, uint64_t left, uint64_t right)
{
	if (left == right)
		return false;
	(void)error_set(why, STATUS_MACHINE_STOPPED, "identity: %s: %" PRIu64 " against %" PRIu64, what, left, right);
	return true;
}

static uint64_t deaths_for_want_of_memory(const struct world *world)
{
	const struct process *process;
	uint64_t sum = 0;
	for (unsigned i = 0; (process = world_process(world, i)); i++)
		sum += process->stats.causes[FAULT_CAUSE_OUT_OF_MEMORY];
	return sum;
}

static bool check_machine(const struct world *world, const struct stats *stats, struct error *why)
{
	const struct mmu_stats total = machine_mmu_stats(world_machine(world)), *mmu = &total;
	const struct machine_stats *machine = machine_stats(world_machine(world));
	const uint64_t *value = stats->value;
	const uint64_t *count = world_bus_const(world)->count;
	uint64_t faults_without_memory = deaths_for_want_of_memory(world);
	uint64_t events = 0;
	const char *what = NULL;
	for (unsigned i = 0; i < EVENT_COUNT; i++)
		events += count[i];
#define X(text, left, right)                                                                                           \
	if (differ(why, text, left, right))                                                                            \
		return false;
	IDENTITY_LIST(X)
#undef X
	for (unsigned i = 0; i < machine_cpu_count(world_machine(world)); i++) {
		if (mmu_check(machine_mmu_at(world_machine(world), i), &what))
			continue;
		(void)error_set(why, STATUS_MACHINE_STOPPED, "identity: CPU %u: %s", i, what);
		return false;
	}
	return true;
}

/* Statistics that belong to everything and not to one process. */
static bool is_of_the_machine(enum stat stat)
{
	static const bool of_the_machine[STAT_COUNT] = {
	    [STAT_FRAMES_TOTAL] = true,   [STAT_FRAMES_FREE] = true,       [STAT_FRAMES_USED] = true,
	    [STAT_EVENTS] = true,         [STAT_SWAP_OUT] = true,          [STAT_SWAP_IN] = true,
	    [STAT_SWAP_READAHEAD] = true, [STAT_FILES_OUT] = true,         [STAT_RECLAIM_SCANNED] = true,
	    [STAT_RECLAIM_TAKEN] = true,  [STAT_RECLAIM_KSWAPD] = true,    [STAT_RECLAIM_DIRECT] = true,
	    [STAT_THP_FALLBACKS] = true,  [STAT_THP_SPLIT_ENTRIES] = true, [STAT_THP_SPLIT_PAGES] = true,
	    [STAT_THP_COLLAPSES] = true,  [STAT_COMPACT_STALLS] = true,    [STAT_COMPACT_MOVED] = true,
	    [STAT_OOM_KILLS] = true,      [STAT_FILES_IN] = true,          [STAT_FILES_READAHEAD] = true,
	};
	return of_the_machine[stat];
}

/* Whatever happened since the first process began to run was done by one of them. */
static bool check_sums(const struct check *check, const struct stats *whole, struct error *why)
{
	struct stats sum = check->at_start;
	struct stats one;
	for (unsigned i = 0; world_process(check->world, i); i++) {
		world_process_stats(check->world, i, &one);
		for (unsigned stat = 0; stat < STAT_COUNT; stat++)
			sum.value[stat] += one.value[stat];
	}
	for (unsigned stat = 0; stat < STAT_COUNT; stat++) {
		const struct stat_info *info = stat_info((enum stat)stat);
		bool adds_up = info->kind == STAT_TOTAL && !is_of_the_machine((enum stat)stat);
		if (!adds_up || sum.value[stat] == whole->value[stat])
			continue;
		(void)error_set(why, STATUS_MACHINE_STOPPED,
				"identity: %s of the processes and of the time before them add up to %" PRIu64
				", the whole is %" PRIu64,
				info->name, sum.value[stat], whole->value[stat]);
		return false;
	}
	return true;
}

bool check_identities(const struct check *check, struct error *why)
{
	struct stats whole;
	world_machine_stats(check->world, &whole);
	return check_machine(check->world, &whole, why) && check_sums(check, &whole, why);
}
