/* A sequence of memory calls and accesses on one small region, what came of each step, and who can run it. */
#ifndef FAULTLINE_TESTS_VMA_SEQUENCE_H
#define FAULTLINE_TESTS_VMA_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "faultline/kernel.h"
#include "faultline/rng.h"
#include "faultline/syscall.h"

/* Nothing else lives there, natively or simulated; AddressSanitizer keeps its heap below. The region has as many units:
 * pages or, where there are huge ones, quarters of one. */
#define REGION ((uint64_t)0x650000000000)
enum { REGION_UNITS = 64, MOST_STEPS = 40 };
#define SMALL_BYTES ((uint64_t)4096)
#define HUGE_BYTES ((uint64_t)2 * 1024 * 1024)
/* The heap begins here. */
#define REGION_BREAK (REGION + 24 * SMALL_BYTES)

/* What a sequence is about: X(ID, "name") */
#define SUBJECT_LIST(X)                                                                                                \
	X(SMALL, "small")     /* pages of 4 KiB only */                                                                \
	X(HUGE, "huge")       /* transparent huge pages, for who asks by MADV_HUGEPAGE */                              \
	X(HUGETLB, "hugetlb") /* a pool of huge pages, and MAP_HUGETLB */

enum subject {
#define X(id, name) SUBJECT_##id,
	SUBJECT_LIST(X)
#undef X
	    SUBJECTS
};

/* X(ID, "op", system call number or -1) */
#define STEP_LIST(X)                                                                                                   \
	X(MMAP, "mmap", SYS_NR_MMAP)                                                                                   \
	X(MUNMAP, "munmap", SYS_NR_MUNMAP)                                                                             \
	X(MREMAP, "mremap", SYS_NR_MREMAP)                                                                             \
	X(MPROTECT, "mprotect", SYS_NR_MPROTECT)                                                                       \
	X(MADVISE, "madvise", SYS_NR_MADVISE)                                                                          \
	X(MLOCK, "mlock", SYS_NR_MLOCK)                                                                                \
	X(MLOCK2, "mlock", SYS_NR_MLOCK2)                                                                              \
	X(MUNLOCK, "munlock", SYS_NR_MUNLOCK)                                                                          \
	X(MLOCKALL, "mlockall", SYS_NR_MLOCKALL)                                                                       \
	X(MUNLOCKALL, "munlockall", SYS_NR_MUNLOCKALL)                                                                 \
	X(MINCORE, "mincore", SYS_NR_MINCORE)                                                                          \
	X(MSYNC, "msync", SYS_NR_MSYNC)                                                                                \
	X(BRK, "brk", SYS_NR_BRK)                                                                                      \
	X(READ, "read", -1)                                                                                            \
	X(WRITE, "write", -1)

enum step_kind {
#define X(id, op, number) STEP_##id,
	STEP_LIST(X)
#undef X
	    STEP_KINDS
};

/* Arguments as the system call takes them. */
struct vma_step {
	enum step_kind kind;
	uint64_t at, length, new_length, to;
	uint64_t prot, flags; /* flags: also the advice of madvise */
};

struct sequence {
	enum subject subject;
	uint64_t seed;
	/* What kernel it is, on both sides: whether reads map a page of zeroes, and huge pages in the pool. */
	enum zero_page zero_page;
	uint64_t pool;
	/* Soft limits above what the process has when it begins, in pages; 0: none. */
	uint64_t as_room, data_room;
	uint64_t lock_pages; /* RLIMIT_MEMLOCK */
	unsigned count;
	struct vma_step steps[MOST_STEPS];
};

/* A successful result outside of the region: where is not compared. */
#define RESULT_ELSEWHERE INT64_MAX
#define RESULT_SIGNAL (INT64_MAX - 1)

enum { SMAPS_BYTES = 60000 };

struct outcome {
	int64_t result;
	uint64_t faults;
	unsigned char core[REGION_UNITS]; /* of mincore */
	char smaps[SMAPS_BYTES];          /* of the region, and a line about the pool */
};

struct outcomes {
	struct sequence sequence;
	struct outcome of[MOST_STEPS];
};

/* Bytes, of which addresses and lengths are multiples. */
static inline uint64_t subject_unit(enum subject subject)
{
	return subject == SUBJECT_SMALL ? SMALL_BYTES : HUGE_BYTES / 4;
}

static inline uint64_t region_end(enum subject subject)
{
	return REGION + REGION_UNITS * subject_unit(subject);
}

void sequence_make(struct sequence *sequence, uint64_t seed, enum subject subject);
/* The arguments of the system call, in its order. `vec` is where mincore writes. */
void step_arguments(const struct vma_step *step, uint64_t vec, uint64_t args[6]);
int step_number(const struct vma_step *step);
/* Length of the mapping that an mmap or mremap has made: of whole huge pages, which are whole small ones, too. */
uint64_t step_mapped(const struct vma_step *step);
/* What is compared of a line of smaps is appended to the text: without inode, name and Referenced, and without
 * LazyFree, which comes only when the kernel empties its per-CPU lists. */
void smaps_add_line(char *text, const char *line, size_t length);
/* A line about the pool of huge pages: how many are free, and how many of these are promised. */
void pool_text(char *text, uint64_t free, uint64_t promised);
/* The sequence as the script of a workload. */
void sequence_print(const struct sequence *sequence, FILE *out);
void step_print(const struct vma_step *step, FILE *out);

/* Each runs the sequence that *outcomes holds and fills in what came of it. */
struct native;
struct native *native_start(enum subject subject); /* NULL: the host is not Linux on x86-64, or has no such region */
bool native_run(struct native *native, struct outcomes *outcomes);
void native_stop(struct native *native);
void simulated_run(struct outcomes *outcomes);

#endif
