/* RAM as the rest of the machine sees it: an address becomes a host pointer by one addition. */
#ifndef FAULTLINE_PHYSMEM_PRIVATE_H
#define FAULTLINE_PHYSMEM_PRIVATE_H

#include <string.h>

#include "faultline/physmem.h"

/* Invariant: a frame with content[pfn] == 0 reads as zero on the host, too. */
struct physmem {
	uint8_t *ram;
	uint8_t *content; /* a byte per frame */
	uint64_t bytes;
};

static inline bool physmem_holds(const struct physmem *mem, struct paddr pa, uint64_t bytes)
{
	return pa.v < mem->bytes && bytes <= mem->bytes - pa.v;
}

/* Frames without content are not read: the host would have to back them with something. */
static inline bool physmem_is_blank(const struct physmem *mem, struct paddr pa)
{
	return mem->content[pa.v >> PAGE_SHIFT] == 0;
}

/* physmem_getN, physmem_putN: nobody answers beyond RAM, so reads are all ones and writes are lost. */
#define X(bits)                                                                                                        \
	static inline uint##bits##_t physmem_get##bits(const struct physmem *mem, struct paddr pa)                     \
	{                                                                                                              \
		uint##bits##_t value = 0;                                                                              \
		if (!physmem_holds(mem, pa, sizeof(value)))                                                            \
			return UINT##bits##_MAX;                                                                       \
		if (!physmem_is_blank(mem, pa))                                                                        \
			memcpy(&value, mem->ram + pa.v, sizeof(value));                                                \
		return value;                                                                                          \
	}                                                                                                              \
	static inline void physmem_put##bits(struct physmem *mem, struct paddr pa, uint##bits##_t value)               \
	{                                                                                                              \
		if (!physmem_holds(mem, pa, sizeof(value)))                                                            \
			return;                                                                                        \
		mem->content[pa.v >> PAGE_SHIFT] = 1;                                                                  \
		memcpy(mem->ram + pa.v, &value, sizeof(value));                                                        \
	}
X(32)
X(64)
#undef X

#endif
