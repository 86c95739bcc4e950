/* Sixteen bytes side by side, worked on at once: one host vector instruction where the host has them. GNU C vectors, so
 * gcc and clang only; a comparison gives -1 in each lane where it holds. */
#ifndef FAULTLINE_LANES_H
#define FAULTLINE_LANES_H

#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { LANES = 16 };

typedef int8_t lanes __attribute__((vector_size(LANES)));

static inline lanes lanes_all(int8_t value)
{
	lanes all;
	memset(&all, value, sizeof(all));
	return all;
}

/* Bit i: the comparison holds in lane i. */
static inline unsigned lanes_where(lanes comparison)
{
#ifdef __SSE2__
	__m128i bytes;
	memcpy(&bytes, &comparison, sizeof(bytes));
	return (unsigned)_mm_movemask_epi8(bytes);
#else
	unsigned bits = 0;
	for (unsigned lane = 0; lane < LANES; lane++)
		bits |= (unsigned)(comparison[lane] & 1) << lane;
	return bits;
#endif
}

#endif
