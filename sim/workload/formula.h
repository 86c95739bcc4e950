/* Values that depend on loop variables: expressions "{i*4096}" and names "node-{i}". Compiled once when the document is
 * loaded, computed each time the operation runs. Numbers are signed 64-bit; overflow is an error, never a wrap. */
#ifndef FAULTLINE_WORKLOAD_FORMULA_H
#define FAULTLINE_WORKLOAD_FORMULA_H

#include "faultline/arena.h"
#include "faultline/document.h"
#include "why.h"

enum { FORMULA_MAX_DEPTH = 32, FORMULA_NAME_BYTES = 256 };

/* The names of the loop variables around an operation, outermost first; NULL for a repeat without `as`. */
struct formula_scope {
	const char *variables[FORMULA_MAX_DEPTH];
	unsigned depth;
};

/* True when the text contains a {…}. */
bool formula_is_template(const char *text);
/* The whole text is one {…}. */
bool formula_is_expression(const char *text);

/* Compile into formula->steps, which live in the arena. */
bool formula_compile_expression(struct arena *arena, const struct formula_scope *scope, const char *text,
				struct op_formula *formula, struct why *why);
bool formula_compile_name(struct arena *arena, const struct formula_scope *scope, const char *text,
			  struct op_formula *formula, struct why *why);

/* values[] by depth. */
bool formula_number(const struct op_formula *formula, const int64_t *values, int64_t *out, struct why *why);
bool formula_name(const struct op_formula *formula, const int64_t *values, char out[FORMULA_NAME_BYTES],
		  struct why *why);

#endif
