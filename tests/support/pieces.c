#include "pieces.h"

#include <stdlib.h>
#include <string.h>

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + 4095) & ~(uint64_t)4095;
}

void pieces_release(struct pieces *pieces)
{
	free(pieces->piece);
	*pieces = (struct pieces){0};
}

/* Of the first one that does not start above the address. */
static size_t place_of(const struct pieces *pieces, uint64_t address)
{
	size_t low = 0;
	size_t high = pieces->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (pieces->piece[middle].start > address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct piece *pieces_find(const struct pieces *pieces, uint64_t address)
{
	size_t at = place_of(pieces, address);
	return at < pieces->count && address < pieces->piece[at].end ? &pieces->piece[at] : NULL;
}

static void insert(struct pieces *pieces, struct piece piece)
{
	if (pieces->count == pieces->capacity) {
		pieces->capacity = pieces->capacity ? pieces->capacity * 2 : 64;
		pieces->piece = realloc(pieces->piece, pieces->capacity * sizeof(*pieces->piece));
		if (!pieces->piece)
			abort();
	}
	size_t at = place_of(pieces, piece.start);
	memmove(&pieces->piece[at + 1], &pieces->piece[at], (pieces->count - at) * sizeof(*pieces->piece));
	pieces->piece[at] = piece;
	pieces->count++;
}

uint64_t pieces_add(struct pieces *pieces, uint64_t start, uint64_t bytes)
{
	pieces->numbered++;
	insert(pieces, (struct piece){start, start + whole_pages(bytes), start, pieces->numbered});
	return pieces->numbered;
}

void pieces_remove(struct pieces *pieces, uint64_t start, uint64_t bytes)
{
	uint64_t end = start + whole_pages(bytes);
	struct piece behind = {0};
	/* Only those from the first that starts below the end can be touched. */
	size_t from = place_of(pieces, end - 1);
	size_t kept = from;
	size_t at = from;
	for (; at < pieces->count; at++) {
		struct piece piece = pieces->piece[at];
		if (piece.end <= start)
			break;
		if (piece.end > end)
			behind = (struct piece){end, piece.end, piece.origin, piece.number};
		piece.end = start;
		if (piece.start < piece.end)
			pieces->piece[kept++] = piece;
	}
	memmove(&pieces->piece[kept], &pieces->piece[at], (pieces->count - at) * sizeof(*pieces->piece));
	pieces->count -= at - kept;
	if (behind.end != 0)
		insert(pieces, behind);
}
