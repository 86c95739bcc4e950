#include "formula.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STEPS = 64, MAX_NESTING = 16, MAX_STACK = MAX_STEPS };

/* Recursive descent over one expression; steps collects the postfix form. */
struct compiler {
	const struct formula_scope *scope;
	const char *at;
	const char *end;
	struct formula_step steps[MAX_STEPS];
	unsigned count;
	unsigned nesting;
	struct why *why;
};

static bool compile_sum(struct compiler *compiler);

static bool push(struct compiler *compiler, enum formula_action action, int64_t number, const char *text)
{
	if (compiler->count == MAX_STEPS)
		return why_set(compiler->why, "the expression is too long; allowed are %d numbers, names and operators",
			       MAX_STEPS);
	compiler->steps[compiler->count++] = (struct formula_step){action, number, text};
	return true;
}

static bool at_name(const struct compiler *compiler)
{
	char c = compiler->at < compiler->end ? *compiler->at : '\0';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
}

static bool take(struct compiler *compiler, const char *any, char *taken)
{
	while (compiler->at < compiler->end && *compiler->at == ' ')
		compiler->at++;
	if (compiler->at >= compiler->end || !strchr(any, *compiler->at))
		return false;
	*taken = *compiler->at++;
	return true;
}

static bool unknown_variable(struct compiler *compiler, struct quoted name)
{
	why_set(compiler->why, "%s is no loop variable here; ", name.text);
	bool any = false;
	for (unsigned i = 0; i < compiler->scope->depth; i++) {
		if (!compiler->scope->variables[i])
			continue;
		why_add(compiler->why, "%s%s", any ? ", " : "known are ", compiler->scope->variables[i]);
		any = true;
	}
	if (!any)
		why_add(compiler->why, "there is none: put the operation into a `repeat` with \"as\": \"%s\"",
			name.text);
	return false;
}

static bool compile_variable(struct compiler *compiler, const char *name, size_t length)
{
	/* The innermost of equal names hides the others. */
	for (unsigned i = compiler->scope->depth; i-- > 0;) {
		const char *variable = compiler->scope->variables[i];
		if (variable && strlen(variable) == length && memcmp(variable, name, length) == 0)
			return push(compiler, FORMULA_VARIABLE, i, NULL);
	}
	return unknown_variable(compiler, quoted_length(name, length));
}

static bool compile_number(struct compiler *compiler, const char *digits, size_t length)
{
	int64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		bool digit = digits[i] >= '0' && digits[i] <= '9';
		if (!digit || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digits[i] - '0', &value))
			return why_set(compiler->why, "%s is no number of an expression; write decimal digits",
				       quoted_length(digits, length).text);
	}
	return push(compiler, FORMULA_NUMBER, value, NULL);
}

static bool compile_atom(struct compiler *compiler)
{
	char c;
	if (take(compiler, "(-", &c)) {
		if (compiler->nesting == MAX_NESTING)
			return why_set(compiler->why, "the expression is nested deeper than %d levels", MAX_NESTING);
		compiler->nesting++;
		bool good = c == '-' ? compile_atom(compiler) && push(compiler, FORMULA_NEGATE, 0, NULL)
				     : compile_sum(compiler);
		compiler->nesting--;
		if (good && c == '(' && !take(compiler, ")", &c))
			return why_set(compiler->why, "a ( in the expression has no )");
		return good;
	}
	const char *start = compiler->at;
	while (at_name(compiler))
		compiler->at++;
	size_t length = (size_t)(compiler->at - start);
	if (length == 0)
		return why_set(compiler->why,
			       "the expression lacks a number or a loop variable at \"%s\"; allowed are "
			       "+ - * / %% ( ), numbers and loop variables",
			       quoted_length(start, (size_t)(compiler->end - start)).text);
	if (*start >= '0' && *start <= '9')
		return compile_number(compiler, start, length);
	return compile_variable(compiler, start, length);
}

static bool compile_product(struct compiler *compiler)
{
	char c;
	if (!compile_atom(compiler))
		return false;
	while (take(compiler, "*/%", &c)) {
		enum formula_action action = c == '*'   ? FORMULA_MULTIPLY
					     : c == '/' ? FORMULA_DIVIDE
							: FORMULA_REMAINDER;
		if (!compile_atom(compiler) || !push(compiler, action, 0, NULL))
			return false;
	}
	return true;
}

static bool compile_sum(struct compiler *compiler)
{
	char c;
	if (!compile_product(compiler))
		return false;
	while (take(compiler, "+-", &c)) {
		if (!compile_product(compiler) || !push(compiler, c == '+' ? FORMULA_ADD : FORMULA_SUBTRACT, 0, NULL))
			return false;
	}
	return true;
}

/* The expression between two braces; steps are appended. */
static bool compile_braced(struct compiler *compiler, const char *start, const char *end)
{
	char c;
	compiler->at = start;
	compiler->end = end;
	if (!compile_sum(compiler))
		return false;
	(void)take(compiler, "", &c);
	if (compiler->at < compiler->end)
		return why_set(compiler->why,
			       "the expression ends before \"%s\"; allowed are + - * / %% ( ), numbers and "
			       "loop variables",
			       quoted_length(compiler->at, (size_t)(end - compiler->at)).text);
	return true;
}

static void keep(struct arena *arena, const struct compiler *compiler, const char *text, struct op_formula *formula)
{
	struct formula_step *steps = arena_new_array(arena, struct formula_step, compiler->count);
	memcpy(steps, compiler->steps, compiler->count * sizeof(*steps));
	formula->text = text;
	formula->steps = steps;
	formula->step_count = compiler->count;
}

bool formula_is_template(const char *text)
{
	return strchr(text, '{') != NULL;
}

bool formula_is_expression(const char *text)
{
	size_t length = strlen(text);
	return length > 2 && text[0] == '{' && strcspn(text + 1, "{}") == length - 2 && text[length - 1] == '}';
}

bool formula_compile_expression(struct arena *arena, const struct formula_scope *scope, const char *text,
				struct op_formula *formula, struct why *why)
{
	struct compiler compiler = {.scope = scope, .why = why};
	if (!compile_braced(&compiler, text + 1, text + strlen(text) - 1))
		return false;
	keep(arena, &compiler, text, formula);
	return true;
}

static bool compile_literal(struct arena *arena, struct compiler *compiler, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1, 1);
	memcpy(copy, text, length);
	return push(compiler, FORMULA_TEXT, 0, copy);
}

bool formula_compile_name(struct arena *arena, const struct formula_scope *scope, const char *text,
			  struct op_formula *formula, struct why *why)
{
	struct compiler compiler = {.scope = scope, .why = why};
	for (const char *at = text; *at;) {
		size_t plain = strcspn(at, "{");
		if (plain > 0 && !compile_literal(arena, &compiler, at, plain))
			return false;
		at += plain;
		if (!*at)
			break;
		const char *end = at + strcspn(at, "}");
		if (!compile_braced(&compiler, at + 1, end) || !push(&compiler, FORMULA_PRINT, 0, NULL))
			return false;
		at = end + 1;
	}
	keep(arena, &compiler, text, formula);
	return true;
}

/* False: the result does not fit, or a division by zero. */
static bool apply(enum formula_action action, int64_t a, int64_t b, int64_t *out)
{
	bool overflow = false;
	if (action == FORMULA_ADD)
		overflow = __builtin_add_overflow(a, b, out);
	else if (action == FORMULA_SUBTRACT)
		overflow = __builtin_sub_overflow(a, b, out);
	else if (action == FORMULA_MULTIPLY)
		overflow = __builtin_mul_overflow(a, b, out);
	else if (b == 0 || (a == INT64_MIN && b == -1))
		overflow = true;
	else
		*out = action == FORMULA_DIVIDE ? a / b : a % b;
	return !overflow;
}

struct machine_stack {
	int64_t values[MAX_STACK];
	unsigned depth;
};

static bool step_number(const struct formula_step *step, const int64_t *values, struct machine_stack *stack)
{
	switch (step->action) {
	case FORMULA_NUMBER:
		stack->values[stack->depth++] = step->number;
		return true;
	case FORMULA_VARIABLE:
		stack->values[stack->depth++] = values[step->number];
		return true;
	case FORMULA_NEGATE:
		return apply(FORMULA_SUBTRACT, 0, stack->values[stack->depth - 1], &stack->values[stack->depth - 1]);
	case FORMULA_ADD:
	case FORMULA_SUBTRACT:
	case FORMULA_MULTIPLY:
	case FORMULA_DIVIDE:
	case FORMULA_REMAINDER:
		stack->depth--;
		return apply(step->action, stack->values[stack->depth - 1], stack->values[stack->depth],
			     &stack->values[stack->depth - 1]);
	case FORMULA_TEXT:
	case FORMULA_PRINT:
		break;
	}
	BUG();
}

static bool cannot_compute(const struct op_formula *formula, struct why *why)
{
	return why_set(why, "\"%s\" cannot be computed: it divides by zero or leaves 64 bits",
		       quoted(formula->text).text);
}

bool formula_number(const struct op_formula *formula, const int64_t *values, int64_t *out, struct why *why)
{
	struct machine_stack stack = {.depth = 0};
	for (unsigned i = 0; i < formula->step_count; i++) {
		BUG_ON(stack.depth >= MAX_STACK);
		if (!step_number(&formula->steps[i], values, &stack))
			return cannot_compute(formula, why);
	}
	*out = stack.values[0];
	return true;
}

bool formula_name(const struct op_formula *formula, const int64_t *values, char out[FORMULA_NAME_BYTES],
		  struct why *why)
{
	struct machine_stack stack = {.depth = 0};
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < formula->step_count; i++) {
		const struct formula_step *step = &formula->steps[i];
		int written = 0;
		if (step->action == FORMULA_TEXT)
			written = snprintf(out + used, FORMULA_NAME_BYTES - used, "%s", step->text);
		else if (step->action == FORMULA_PRINT)
			written = snprintf(out + used, FORMULA_NAME_BYTES - used, "%" PRId64,
					   stack.values[--stack.depth]);
		else if (!step_number(step, values, &stack))
			return cannot_compute(formula, why);
		used += (size_t)written;
		if (used >= FORMULA_NAME_BYTES)
			return why_set(why, "the name \"%s\" gets longer than %d bytes", quoted(out).text,
				       FORMULA_NAME_BYTES - 1);
	}
	return true;
}
