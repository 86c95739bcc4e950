/* Simulated RAM: bytes on the memory bus, sparse on the host. A frame that never held content (a page that was only
 * counted, or only ever zero) costs the host nothing. Reads beyond the end give all ones and writes are dropped, as an
 * unpopulated bus does. */
#ifndef FAULTLINE_PHYSMEM_H
#define FAULTLINE_PHYSMEM_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/units.h"

struct physmem;

struct physmem *physmem_new(struct arena *arena, uint64_t bytes); /* a multiple of 4 KiB */
uint64_t physmem_bytes(const struct physmem *mem);

/* Naturally aligned little-endian words. */
uint64_t physmem_load64(const struct physmem *mem, struct paddr pa);
uint32_t physmem_load32(const struct physmem *mem, struct paddr pa);
void physmem_store64(struct physmem *mem, struct paddr pa, uint64_t value);
void physmem_store32(struct physmem *mem, struct paddr pa, uint32_t value);

/* Any bytes within one frame. */
void physmem_read(const struct physmem *mem, struct paddr pa, void *out, uint64_t bytes);
void physmem_write(struct physmem *mem, struct paddr pa, const void *data, uint64_t bytes);

/* Makes the frame read as zero; free of charge for the host when it already does. */
void physmem_zero(struct physmem *mem, struct pfn frame);
void physmem_fill(struct physmem *mem, struct pfn frame, uint8_t byte);
void physmem_copy(struct physmem *mem, struct pfn to, struct pfn from);
/* The same between two memories. */
void physmem_transfer(struct physmem *to_mem, struct pfn to, const struct physmem *from_mem, struct pfn from);
uint64_t physmem_reserve_bytes(uint64_t bytes); /* of host address space, for a memory of that size */
/* True when the frame may hold something other than zero. */
/* All bytes of the frame are zero. */
bool physmem_is_zero(const struct physmem *mem, struct pfn frame);
bool physmem_has_content(const struct physmem *mem, struct pfn frame);

#endif
