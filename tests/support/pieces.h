/* Live pieces of mappings, numbered in the order in which mmap or a moving mremap made them: "R3+0x1000". */
#ifndef FAULTLINE_TESTS_PIECES_H
#define FAULTLINE_TESTS_PIECES_H

#include <stddef.h>
#include <stdint.h>

/* Sorted by address, highest first: new ones mostly go to the end of the list. */
struct piece {
	uint64_t start, end;
	uint64_t origin; /* where the mapping was created */
	uint64_t number;
};

struct pieces {
	struct piece *piece;
	size_t count, capacity;
	uint64_t numbered; /* mappings so far */
};

void pieces_release(struct pieces *pieces);
struct piece *pieces_find(const struct pieces *pieces, uint64_t address); /* NULL: in none */
/* A new mapping; returns its number. */
uint64_t pieces_add(struct pieces *pieces, uint64_t start, uint64_t bytes);
void pieces_remove(struct pieces *pieces, uint64_t start, uint64_t bytes);

#endif
