/* Pages in a row, each with a number, its use: a counted B+-tree (Knuth, The Art of Computer Programming 3, 6.2.3 and
 * 6.2.4) that finds the place of a page, moves pages, and skips what is of no interest by what it knows of each
 * subtree. Every call is O(log pages). */
#ifndef FAULTLINE_POLICY_ROW_H
#define FAULTLINE_POLICY_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/arena.h"

#define ROW_NONE UINT32_MAX

struct row;

size_t row_bytes(uint32_t pages);
/* Lives as long as the arena. */
struct row *row_new(struct arena *arena, uint32_t pages);

bool row_has(const struct row *row, uint32_t page);
uint32_t row_first(const struct row *row); /* ROW_NONE: empty */
/* How many pages stand before it. */
uint32_t row_place(const struct row *row, uint32_t page);
/* The last page of the stretch, beginning with this one, in which no use is less than the one before. */
uint32_t row_run_end(const struct row *row, uint32_t page);
/* The first page behind it with a greater use; ROW_NONE: none. */
uint32_t row_next_greater(const struct row *row, uint32_t page);

/* A page that is not in the row comes to its start or its end. */
void row_prepend(struct row *row, uint32_t page, uint32_t use);
void row_append(struct row *row, uint32_t page, uint32_t use);
void row_remove(struct row *row, uint32_t page);
void row_set_use(struct row *row, uint32_t page, uint32_t use);
void row_move_before(struct row *row, uint32_t page, uint32_t other);

/* NULL, or the invariant that is broken. Slow. */
const char *row_check(const struct row *row);

#endif
