#include "reason.h"

/* X(ID, stage, step, why) */
#define EVENT_REASONS(X)                                                                                               \
	X(OP_START, "*", "*", "Line {line}: the program is at its operation {op}, in ring 3.")                         \
	X(OP_END, "done", "done", "{op} is over; the script goes on from here, if there is more of it.")               \
	X(NOTE, "", "a note", "{text}")                                                                                \
	X(PHASE, "phase", "a phase", "From here on statistics are kept for the phase {name}, too.")                    \
	X(CODE, "", "the code ends", "Machine code {how} after {instructions} instructions.")                          \
	X(EXPECT, "check", "a check", "The workload checks itself: {that} is {actual}, {verdict}.")                    \
	X(ACCESS, "touch", "touch {va}", "{va} is only a number until the MMU has translated it.")                     \
	X(LIBC_CALL, "", "*", "")                                                                                      \
	X(LIBC_RETURN, "", "return {result}", "")                                                                      \
	X(LIBC_SEARCH, "search", "look in a free list",                                                                \
	  "Free lists lie in the program's own memory: looking costs no system call.")                                 \
	X(LIBC_SPLIT, "split", "split {bytes} off",                                                                    \
	  "Of too large a chunk {bytes} are used; {rest_bytes} stay free behind it.")                                  \
	X(LIBC_COALESCE, "coalesce", "join neighbours",                                                                \
	  "Free neighbours become one chunk of {bytes}: larger requests can fit.")                                     \
	X(LIBC_PLACE, "", "put {bytes} into a list", "{bytes} wait in {where}; for the kernel they are still in use.") \
	X(LIBC_GROW, "ask the kernel", "ask for {bytes}",                                                              \
	  "Only the kernel can promise more addresses: {bytes}, by {how}.")                                            \
	X(LIBC_SHRINK, "give back", "give {bytes} back",                                                               \
	  "{bytes} are not needed any more: the library gives them back by {how}.")                                    \
	X(LIBC_ABORT, "abort", "abort", "What the library keeps in the heap is damaged: it stops the program.")        \
	X(SYSCALL, "*", "*", "")                                                                                       \
	X(SYSCALL_RETURN, "", "return {result}", "The kernel's answer goes back to ring 3 in RAX: {result}.")          \
	X(VMA_ADD, "VMA appears", "VMA appears", "{start}-{end} is promised now; that alone takes no frame.")          \
	X(VMA_CHANGE, "VMA changes", "VMA changes", "{start}-{end} is promised as {prot} now; no frame moves.")        \
	X(VMA_REMOVE, "VMA goes", "VMA goes", "{start}-{end} is promised no more: a touch finds no VMA.")              \
	X(BREAK, "break moves", "the break moves", "The heap's end is only a number in the kernel: now {to}.")         \
	X(FAULT, "", "fault resolved", "")                                                                             \
	X(FRAME_ALLOC, "frame", "take frame {frame}", "Here RAM is really taken: frame {frame}, for {use}.")           \
	X(FRAME_FREE, "frame free", "free frame {frame}", "Frame {frame} can be given to anybody now.")                \
	X(PTE_SET, "PTE written", "write the level-{level} entry",                                                     \
	  "By this entry the MMU reads and writes {va} without the kernel.")                                           \
	X(PTE_CLEAR, "PTE cleared", "clear the level-{level} entry",                                                   \
	  "A walk for {va} ends here now; no TLB may know it any longer.")                                             \
	X(SWAP_OUT, "swap out", "write swap slot {slot}",                                                              \
	  "Once its page lies in swap slot {slot}, frame {frame} can serve somebody else.")                            \
	X(SWAP_IN, "swap in", "read swap slot {slot}", "The page of slot {slot} comes back, into frame {frame}.")      \
	X(FILE_OUT, "write back", "write page {page} back", "Page {page} was newer in RAM; now the file has it, too.") \
	X(FILE_IN, "read file", "read page {page}",                                                                    \
	  "Page {page} comes into the page cache: all who map the file share it.")                                     \
	X(OPEN, "open", "open descriptor {descriptor}",                                                                \
	  "A descriptor is a number for an open file; nothing of it has been read.")                                   \
	X(TRUNCATE, "resize", "the size becomes {to}",                                                                 \
	  "Pages behind the new end, {to}, are taken away from all who map them.")                                     \
	X(WRITEBACK, "write back", "write {pages} pages back",                                                         \
	  "{who}: what was newer in RAM is in the file now; {left} pages wait.")                                       \
	X(EVICT, "evict", "evict frame {frame}", "Frame {frame}'s page is {how}.")                                     \
	X(RECLAIM, "reclaim", "reclaim {taken} pages",                                                                 \
	  "By {who}: pages looked at {looked}, taken away {taken}; frames free {free}.")                               \
	X(COLLAPSE, "collapse", "make a huge page", "{copied} pages move together, so that one TLB entry serves all.") \
	X(COMPACT, "compact", "move {moved} pages", "Enough frames are free, but not side by side: pages move away.")  \
	X(HUGE_SPLIT, "split", "split a huge page", "One entry for all of it is too coarse now: {why}.")               \
	X(OOM_KILL, "OOM kill", "the OOM killer",                                                                      \
	  "Nothing is left to take: {name} has most points, {points}, and must die.")                                  \
	X(IO_WAIT, "wait", "wait {cycles} cycles", "The device needs {cycles} cycles; RAM would need hundreds.")       \
	X(SLEEP, "sleep", "sleep {cycles} cycles",                                                                     \
	  "The device needs {cycles} cycles; the CPU is free for others meanwhile.")                                   \
	X(SIGNAL, "signal", "a signal", "{name} ends the process: {why}.")                                             \
	X(PROCESS_START, "process starts", "process {pid} starts",                                                     \
	  "Process {pid} gets tables of its own; only the kernel's half is shared.")                                   \
	X(FORK, "fork", "fork {child}",                                                                                \
	  "{entries} entries are copied, no page: a private one is, by the first write.")                              \
	X(VFORK, "vfork", "vfork {child}", "No table is copied: {child} runs on its parent's, and the parent waits.")  \
	X(VFORK_DONE, "vfork ends", "{child} leaves",                                                                  \
	  "{child} has its own tables or none: {parent} may use these again.")                                         \
	X(EXEC, "exec", "exec", "The old address space is left behind; pid, descriptors and limits stay.")             \
	X(PROCESS_EXIT, "process ends", "process {pid} ends",                                                          \
	  "What process {pid} alone held is freed, also what it had forgotten.")                                       \
	X(SWITCH, "switch", "switch to {to}",                                                                          \
	  "Other registers; with other tables in CR3 addresses mean other memory.")                                    \
	X(CPU, "other CPU", "CPU {to} goes on", "Another processor goes on, CPU {to}, with TLBs of its own.")          \
	X(SHOOTDOWN, "shootdown", "shootdown", "TLBs of other CPUs, {cpus}, may hold the old translation: forget it.") \
	X(IPI, "IPI", "interrupt CPU {to}", "Nobody can reach into CPU {to}: it is interrupted, to act for itself.")   \
	X(OOM, "OOM", "OOM", "More was promised than there is, and somebody came for it: {what}.")                     \
	X(BOOT, "boot", "boot", "The kernel has built its tables, loaded CR3 and turned paging on.")                   \
	X(RING, "ring", "*", "From ring {from} to {to} only by a door that the kernel set up: {how}.")                 \
	X(PUSH, "", "push {words} words", "{words} words on the kernel stack: where to go back to, and why it came.")  \
	X(TLB_MISS, "TLB miss", "TLB miss", "No TLB knows {va}: the processor walks the tables in RAM.")               \
	X(WALK, "", "read {levels} entries", "Bits of {va} pick an entry in each table. Read: {levels}, {outcome}.")   \
	X(TLB_FILL, "TLB fill", "fill the TLB", "The walk is remembered: the next access to {page} costs none.")       \
	X(TLB_FLUSH, "", "flush", "A remembered walk may be wrong now, so {how} drops it.")                            \
	X(EXCEPTION, "*", "*", "{name}: the instruction cannot go on; the IDT says where the kernel is.")              \
	X(INSTRUCTION, "instruction", "instruction", "The processor itself checks what a ring may do: {outcome}.")

#define SYSCALL_REASONS(X)                                                                                             \
	X(READ, "read copies from the page cache; what is not there comes from the disk.")                             \
	X(WRITE, "write hands {a2} bytes to the kernel, for descriptor {a0}.")                                         \
	X(CLOSE, "close gives descriptor {a0} back; mappings of the file stay.")                                       \
	X(LSEEK, "lseek moves a position in the kernel: nothing is read.")                                             \
	X(MMAP, "mmap asks for {a1} bytes of addresses: a promise, memory comes later.")                               \
	X(MPROTECT, "mprotect changes what is allowed from {a0} on: VMA, entries, TLBs.")                              \
	X(MUNMAP, "munmap takes {a1} bytes of promises back, with the entries behind them.")                           \
	X(BRK, "brk asks for another end of the heap, {a0}: addresses, no memory.")                                    \
	X(MREMAP, "mremap resizes or moves a mapping by its entries: no byte is copied.")                              \
	X(PREAD64, "pread64 copies from the page cache, at offset {a3}.")                                              \
	X(PWRITE64, "pwrite64 copies into the page cache: the disk gets it later.")                                    \
	X(MSYNC, "msync: what was written to pages in RAM must reach the file.")                                       \
	X(MINCORE, "mincore asks which pages are in RAM; it brings none in.")                                          \
	X(MADVISE, "madvise says how memory will be used, or that it is not needed.")                                  \
	X(GETPID, "getpid needs one number of the kernel: the shortest way in and out.")                               \
	X(FORK, "fork copies tables, not pages: a private one is copied by the first write.")                          \
	X(VFORK, "vfork copies nothing: the child borrows the memory, the parent waits.")                              \
	X(EXECVE, "execve gives the process another program: a new address space.")                                    \
	X(EXIT, "exit: frames, tables and VMAs that nobody else has are given back.")                                  \
	X(WAIT4, "wait4 asks how a child ended; until then the kernel remembers it.")                                  \
	X(FSYNC, "fsync: what is newer in RAM must be on the disk before it returns.")                                 \
	X(FTRUNCATE, "ftruncate makes the file {a1} bytes long.")                                                      \
	X(MLOCK, "mlock brings the range into RAM now, and keeps it there.")                                           \
	X(MUNLOCK, "munlock: the range may be taken away again when RAM is short.")                                    \
	X(MLOCKALL, "mlockall: what is mapped, or will be, stays in RAM and is not swapped out.")                      \
	X(MUNLOCKALL, "munlockall: all memory may be taken away again when RAM is short.")                             \
	X(TGKILL, "tgkill sends a signal to itself: that is how abort() ends.")                                        \
	X(OPENAT, "openat looks a path up; the answer is a descriptor.")                                               \
	X(PRLIMIT64, "prlimit64 reads or sets a limit: on addresses, the stack, locked memory.")                       \
	X(MLOCK2, "mlock2 keeps the range in RAM, with ONFAULT only what is touched.")                                 \
	X(UNKNOWN, "The kernel has no such call: it answers -ENOSYS.")

#define FAULT_REASONS(X)                                                                                               \
	X(DEMAND_ZERO, "A write, and no frame behind {va} yet: it gets a zeroed one.")                                 \
	X(ZERO_PAGE, "First read: pages that nobody has written share one frame of zeros.")                            \
	X(HUGE, "First access: 2 MiB at once, so that one fault and one TLB entry do.")                                \
	X(HUGE_ZERO, "First read: 2 MiB that nobody has written share one page of zeros.")                             \
	X(ZERO_PAGE_WRITE, "First write after a read: a frame replaces the zero page.")                                \
	X(FILE, "The page was in RAM already, in the page cache: only entries are new.")                               \
	X(SHARED, "Shared memory: whoever maps this page of it sees this one frame.")                                  \
	X(COW, "First write to a page that is not its alone: it gets a copy of its own.")                              \
	X(MKWRITE, "First write to a clean page of a file: now it is dirty, and writable.")                            \
	X(REUSE, "Nobody else has the page: it becomes writable, and is not copied.")                                  \
	X(STACK_GROWTH, "Just below the stack: its VMA grows down, then comes a frame.")                               \
	X(SPURIOUS, "The tables allow it already: a TLB had an old entry, now gone.")                                  \
	X(SWAP_CACHE, "Swapped out, yet in RAM: no device is needed, so it is minor.")                                 \
	X(SWAP_IN, "Major: the page was in swap, and the program waits for the device.")                               \
	X(FILE_READ, "Major: the page of the file was not in RAM, the disk is asked.")                                 \
	X(SEGV_MAPERR, "No VMA holds {va}: nothing was promised there. SIGSEGV.")                                      \
	X(SEGV_ACCERR, "The VMA forbids this access: SIGSEGV, whatever the tables say.")                               \
	X(BUS_ADRERR, "The mapping is longer than its file: no page there, SIGBUS.")                                   \
	X(NO_HUGE_PAGE, "The pool's last huge pages are promised to others: SIGBUS.")                                  \
	X(OUT_OF_MEMORY, "The promise was good, but no frame is left to keep it.")

/* X(ID, at the call, at the return) */
#define LIBC_REASONS(X)                                                                                                \
	X(MALLOC, "malloc runs in ring 3: only if no free chunk fits does it ask the kernel.",                         \
	  "{result} is an address: behind it may be frames, or only a promise.")                                       \
	X(CALLOC, "calloc must hand out zeros; what comes fresh from the kernel is zero.",                             \
	  "{result} reads as zeros, whether its pages have frames yet or not.")                                        \
	X(REALLOC, "realloc keeps the block in place if it can; else it moves what is in it.",                         \
	  "The block of the size asked for is at {result}.")                                                           \
	X(FREE, "free reads the size in front of {a}: it decides what happens.",                                       \
	  "The block is the program's no longer.")                                                                     \
	X(ALIGNED_ALLOC, "Where malloc does not align enough, it takes more and trims that.",                          \
	  "{result} is a multiple of the alignment asked for.")                                                        \
	X(MALLOC_USABLE_SIZE, "The size stands in the header right before the block: {a}.",                            \
	  "{result} bytes fit: requests are rounded up to a whole chunk.")                                             \
	X(MALLOC_TRIM, "malloc_trim gives free pages back, at the top and inside.",                                    \
	  "Did any memory go back to the kernel? {result}.")                                                           \
	X(MALLOPT, "mallopt changes a rule of the library: parameter {a} is {b}.",                                     \
	  "1 is success, 0 a parameter or value that it does not take: {result}.")

/* A list that misses a row, or has one twice, does not compile. */
#define COUNT(...) +1
_Static_assert(EVENT_REASONS(COUNT) == EVENT_COUNT, "every event has its reason");
_Static_assert(SYSCALL_REASONS(COUNT) == SYSCALL_COUNT, "every system call has its reason");
_Static_assert(FAULT_REASONS(COUNT) == FAULT_CAUSE_COUNT, "every cause of a fault has its reason");
_Static_assert(LIBC_REASONS(COUNT) == LIBC_FUNCTION_COUNT, "every function of the C library has its reason");
#undef COUNT

const struct event_reason *reason_of_kind(enum event_kind kind)
{
	static const struct event_reason reasons[EVENT_COUNT] = {
#define X(id, stage, step, why) [EVENT_##id] = {stage, step, why},
	    EVENT_REASONS(X)
#undef X
	};
	return &reasons[kind];
}

const char *reason_of_syscall(enum syscall_index index)
{
	static const char *const reasons[SYSCALL_COUNT] = {
#define X(id, why) [SYSCALL_##id] = why,
	    SYSCALL_REASONS(X)
#undef X
	};
	return reasons[index];
}

const char *reason_of_fault(enum fault_cause cause)
{
	static const char *const reasons[FAULT_CAUSE_COUNT] = {
#define X(id, why) [FAULT_CAUSE_##id] = why,
	    FAULT_REASONS(X)
#undef X
	};
	return reasons[cause];
}

const char *reason_of_call(enum libc_function function)
{
	static const char *const reasons[LIBC_FUNCTION_COUNT] = {
#define X(id, call, back) [LIBC_FUNCTION_##id] = call,
	    LIBC_REASONS(X)
#undef X
	};
	return reasons[function];
}

const char *reason_of_return(enum libc_function function)
{
	static const char *const reasons[LIBC_FUNCTION_COUNT] = {
#define X(id, call, back) [LIBC_FUNCTION_##id] = back,
	    LIBC_REASONS(X)
#undef X
	};
	return reasons[function];
}

const char *reason_of_case(enum reason_case which)
{
	static const char *const reasons[REASON_CASE_COUNT] = {
#define X(id, kind, why) [REASON_CASE_##id] = why,
	    REASON_CASE_LIST(X)
#undef X
	};
	return reasons[which];
}
