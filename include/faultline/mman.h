/* The words of the memory calls, with the values of include/uapi/asm-generic/mman-common.h, mman.h and resource.h of
 * Linux, as lists: the kernel, the script language, its schema and its documentation read the same ones. */
#ifndef FAULTLINE_MMAN_H
#define FAULTLINE_MMAN_H

#include <stdint.h>

/* X(ID, value, text) */
#define PROT_LIST(X)                                                                                                   \
	X(NONE, 0x0, "no access")                                                                                      \
	X(READ, 0x1, "loads")                                                                                          \
	X(WRITE, 0x2, "stores")                                                                                        \
	X(EXEC, 0x4, "instruction fetches")                                                                            \
	X(GROWSDOWN, 0x01000000, "mprotect: from the start of the stack that `at` lies in")

#define MAP_FLAG_LIST(X)                                                                                               \
	X(SHARED, 0x01, "changes are seen by others")                                                                  \
	X(PRIVATE, 0x02, "changes stay here")                                                                          \
	X(FIXED, 0x10, "exactly at `at`, whatever is there")                                                           \
	X(ANONYMOUS, 0x20, "backed by no file")                                                                        \
	X(GROWSDOWN, 0x0100, "grows down like a stack")                                                                \
	X(LOCKED, 0x2000, "populated and locked, as by mlock")                                                         \
	X(NORESERVE, 0x4000, "not counted against the overcommit limit")                                               \
	X(POPULATE, 0x8000, "frames at once")                                                                          \
	X(NONBLOCK, 0x10000, "with MAP_POPULATE: nothing is populated")                                                \
	X(STACK, 0x20000, "will be a stack: no huge pages")                                                            \
	X(HUGETLB, 0x40000, "huge pages: of 2 MiB, unless said otherwise")                                             \
	X(HUGE_2MB, 0x54000000, "with MAP_HUGETLB: 2 MiB pages, said explicitly")                                      \
	X(HUGE_1GB, 0x78000000, "with MAP_HUGETLB: 1 GiB pages")                                                       \
	X(FIXED_NOREPLACE, 0x100000, "exactly at `at`, if that is free")

#define MREMAP_FLAG_LIST(X)                                                                                            \
	X(MAYMOVE, 1, "may move to another address")                                                                   \
	X(FIXED, 2, "moves to `to`")                                                                                   \
	X(DONTUNMAP, 4, "the old addresses stay mapped, empty")

#define MADV_LIST(X)                                                                                                   \
	X(NORMAL, 0, "no special use")                                                                                 \
	X(RANDOM, 1, "pages in no order")                                                                              \
	X(SEQUENTIAL, 2, "pages in order")                                                                             \
	X(WILLNEED, 3, "will be used soon")                                                                            \
	X(DONTNEED, 4, "drops the pages")                                                                              \
	X(FREE, 8, "the pages may be dropped when memory is short")                                                    \
	X(REMOVE, 9, "drops pages of shared memory for everyone")                                                      \
	X(DONTFORK, 10, "not in a child")                                                                              \
	X(DOFORK, 11, "undoes MADV_DONTFORK")                                                                          \
	X(MERGEABLE, 12, "equal pages may be merged")                                                                  \
	X(UNMERGEABLE, 13, "undoes MADV_MERGEABLE")                                                                    \
	X(HUGEPAGE, 14, "huge pages are welcome")                                                                      \
	X(NOHUGEPAGE, 15, "no huge pages")                                                                             \
	X(DONTDUMP, 16, "not in a core dump")                                                                          \
	X(DODUMP, 17, "undoes MADV_DONTDUMP")                                                                          \
	X(WIPEONFORK, 18, "zero in a child")                                                                           \
	X(KEEPONFORK, 19, "undoes MADV_WIPEONFORK")                                                                    \
	X(COLD, 20, "first to go when memory is short")                                                                \
	X(PAGEOUT, 21, "to swap now, where there is swap")                                                             \
	X(POPULATE_READ, 22, "faults in as loads would")                                                               \
	X(POPULATE_WRITE, 23, "faults in as stores would")                                                             \
	X(DONTNEED_LOCKED, 24, "drops the pages, locked ones too")                                                     \
	X(COLLAPSE, 25, "huge pages at once, of what is there")

#define MLOCK_FLAG_LIST(X) X(ONFAULT, 1, "mlock2: pages are locked when they come")

#define MCL_LIST(X)                                                                                                    \
	X(CURRENT, 1, "what is mapped now")                                                                            \
	X(FUTURE, 2, "what will be mapped")                                                                            \
	X(ONFAULT, 4, "pages are locked when they come")

#define MS_LIST(X)                                                                                                     \
	X(ASYNC, 1, "write back soon")                                                                                 \
	X(INVALIDATE, 2, "others who map the file see it")                                                             \
	X(SYNC, 4, "write back now")

/* X(ID, number, "words of /proc/PID/limits", "unit there", text) */
#define RLIMIT_LIST(X)                                                                                                 \
	X(DATA, 2, "Max data size", "bytes", "writable private memory")                                                \
	X(STACK, 3, "Max stack size", "bytes", "how far the stack may grow")                                           \
	X(MEMLOCK, 8, "Max locked memory", "bytes", "memory locked by mlock")                                          \
	X(AS, 9, "Max address space", "bytes", "all mappings together")

/* Flags above carry the size of MAP_HUGETLB pages, log2. */
enum { LINUX_MAP_HUGE_SHIFT = 26, LINUX_MAP_HUGE_MASK = 0x3f };

#define X(id, value, text) LINUX_PROT_##id = (value),
enum { PROT_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MAP_##id = (value),
enum { MAP_FLAG_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MREMAP_##id = (value),
enum { MREMAP_FLAG_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MADV_##id = (value),
enum { MADV_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MLOCK_##id = (value),
enum { MLOCK_FLAG_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MCL_##id = (value),
enum { MCL_LIST(X) };
#undef X
#define X(id, value, text) LINUX_MS_##id = (value),
enum { MS_LIST(X) };
#undef X
#define X(id, number, words, unit, text) LINUX_RLIMIT_##id = (number),
enum { RLIMIT_LIST(X) };
#undef X
#define LINUX_RLIM_INFINITY UINT64_MAX

/* The limits of a process by their place in the list. */
enum rlimit_index {
#define X(id, number, words, unit, text) RLIMIT_INDEX_##id,
	RLIMIT_LIST(X)
#undef X
	    RLIMITS
};

#endif
