/* A paging-structure entry of 4-level and 5-level paging, as hardware reads it. SDM 3A 4.5, table 4-15 ff.
 *
 *   63 62..59 58..52 51........................12 11..9 8 7 6 5 4   3   2 1 0
 *   XD  PKEY   avail  physical address of frame   avail G S D A PCD PWT U W P
 *
 * S (bit 7) is PS in a PDE or PDPTE: the entry maps a 2 MiB or 1 GiB page; in a PTE it is PAT. */
#ifndef FAULTLINE_PTE_H
#define FAULTLINE_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/units.h"

struct pte {
	uint64_t word;
};

/* X(field, first bit, bits, name as printed) */
#define PTE_FIELDS(X)                                                                                                  \
	X(present, 0, 1, "P")                                                                                          \
	X(writable, 1, 1, "RW")                                                                                        \
	X(user, 2, 1, "US")                                                                                            \
	X(write_through, 3, 1, "PWT")                                                                                  \
	X(cache_disable, 4, 1, "PCD")                                                                                  \
	X(accessed, 5, 1, "A")                                                                                         \
	X(dirty, 6, 1, "D")                                                                                            \
	X(page_size, 7, 1, "PS")                                                                                       \
	X(global, 8, 1, "G")                                                                                           \
	X(available, 9, 3, "AVL")                                                                                      \
	X(frame, 12, 40, "PFN")                                                                                        \
	X(available_high, 52, 7, "AVL2")                                                                               \
	X(protection_key, 59, 4, "PKEY")                                                                               \
	X(no_execute, 63, 1, "NX")

/* pte_FIELD(p) reads, pte_with_FIELD(p, value) returns a changed copy, PTE_FIELD_MASK(field) selects. */
#define X(field, first, bits, text)                                                                                    \
	static inline uint64_t pte_##field(struct pte p)                                                               \
	{                                                                                                              \
		return (p.word >> (first)) & (((uint64_t)1 << (bits)) - 1);                                            \
	}                                                                                                              \
	static inline struct pte pte_with_##field(struct pte p, uint64_t value)                                        \
	{                                                                                                              \
		uint64_t mask = (((uint64_t)1 << (bits)) - 1) << (first);                                              \
		return (struct pte){(p.word & ~mask) | ((value << (first)) & mask)};                                   \
	}
PTE_FIELDS(X)
#undef X

#define PTE_PRESENT ((uint64_t)1 << 0)
#define PTE_WRITABLE ((uint64_t)1 << 1)
#define PTE_USER ((uint64_t)1 << 2)
#define PTE_ACCESSED ((uint64_t)1 << 5)
#define PTE_DIRTY ((uint64_t)1 << 6)
#define PTE_PAGE_SIZE ((uint64_t)1 << 7)
#define PTE_GLOBAL ((uint64_t)1 << 8)
#define PTE_NO_EXECUTE ((uint64_t)1 << 63)

#endif
