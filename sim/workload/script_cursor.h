/* Where a script is: unrolls repeats and computes what depends on loop variables. */
#ifndef FAULTLINE_WORKLOAD_SCRIPT_CURSOR_H
#define FAULTLINE_WORKLOAD_SCRIPT_CURSOR_H

#include "formula.h"
#include "names.h"

struct cursor_loop {
	uint32_t repeat; /* index of the operation */
	uint64_t times;
};

/* Invariant: values[d] is the iteration of loops[d], below its times. */
struct script_cursor {
	const struct script *script;
	struct names *names; /* of the script, then those made from loop variables */
	uint32_t at;
	unsigned depth;
	unsigned floor; /* a child of fork: it ends with this many loops around it */
	struct cursor_loop loops[FORMULA_MAX_DEPTH];
	int64_t values[FORMULA_MAX_DEPTH];
	struct op computed;
};

void script_cursor_init(struct script_cursor *cursor, struct arena *arena, const struct script *script);

/* The child of the fork that the cursor has just passed, which shares its names; the parent goes on behind the body. */
void script_cursor_fork(struct script_cursor *parent, struct script_cursor *child);

/* The next operation, never a repeat; NULL in *op at the end. It is valid until the next call. False: a value cannot be
 * computed; *op says where. */
bool script_cursor_next(struct script_cursor *cursor, const struct op **op, struct why *why);

/* For a process that has ended: whether the list that the last operation stands in goes on with an expect; and leaving
 * that list for the one around it, false when there is none. */
bool script_cursor_at_expect(const struct script_cursor *cursor);
bool script_cursor_leave(struct script_cursor *cursor);

#endif
