#include "script_cursor.h"

#include <inttypes.h>
#include <string.h>

void script_cursor_init(struct script_cursor *cursor, struct arena *arena, const struct script *script)
{
	*cursor = (struct script_cursor){.script = script};
	cursor->names = arena_new_object(arena, struct names);
	names_init(cursor->names, arena);
	for (uint32_t i = 0; i < script->slot_count; i++)
		(void)names_number(cursor->names, script->slot_names[i]);
}

static bool compute_slot(struct script_cursor *cursor, const struct op_formula *formula, struct why *why)
{
	char name[FORMULA_NAME_BYTES];
	if (!formula_name(formula, cursor->values, name, why))
		return false;
	uint32_t slot = names_number(cursor->names, name);
	memcpy((char *)&cursor->computed + formula->field, &slot, sizeof(slot));
	return true;
}

static bool compute_number(struct script_cursor *cursor, const struct op_formula *formula, struct why *why)
{
	int64_t value = 0;
	bool may_be_negative = formula->type == OP_TYPE_INTEGER || formula->type == OP_TYPE_BOUND;
	if (!formula_number(formula, cursor->values, &value, why))
		return false;
	if (value < 0 && !may_be_negative)
		return why_set(why, "\"%s\" is %" PRId64 " here; allowed is %s", quoted(formula->text).text, value,
			       op_type_text(formula->type));
	memcpy((char *)&cursor->computed + formula->field, &value, sizeof(value));
	return true;
}

static bool compute(struct script_cursor *cursor, const struct script_op *from, struct why *why)
{
	cursor->computed = from->op;
	for (unsigned i = 0; i < from->formula_count; i++) {
		const struct op_formula *formula = &from->formulas[i];
		bool is_name = formula->type == OP_TYPE_ID || formula->type == OP_TYPE_NEW_ID;
		if (!(is_name ? compute_slot(cursor, formula, why) : compute_number(cursor, formula, why)))
			return false;
	}
	return true;
}

/* Goes back to the start of the body as often as it is repeated, and on behind it after that. */
static void close_loops(struct script_cursor *cursor)
{
	while (cursor->depth > 0) {
		const struct cursor_loop *loop = &cursor->loops[cursor->depth - 1];
		int64_t *iteration = &cursor->values[cursor->depth - 1];
		if (cursor->at < cursor->script->ops[loop->repeat].op.body_end)
			return;
		if ((uint64_t)++ * iteration < loop->times) {
			cursor->at = loop->repeat + 1;
			return;
		}
		if (--cursor->depth < cursor->floor) {
			cursor->at = cursor->script->count;
			cursor->depth = cursor->floor = 0;
		}
	}
}

/* The body counts as a loop of one round, which it is for the formulas in it. */
void script_cursor_fork(struct script_cursor *parent, struct script_cursor *child)
{
	uint32_t fork = parent->at - 1;
	*child = *parent;
	child->loops[child->depth] = (struct cursor_loop){fork, 1};
	child->values[child->depth++] = 0;
	child->floor = child->depth;
	parent->at = parent->script->ops[fork].op.body_end;
}

static void open_loop(struct script_cursor *cursor, uint32_t index, uint64_t times)
{
	uint32_t end = cursor->script->ops[index].op.body_end;
	if (times == 0 || end == index + 1) {
		cursor->at = end;
		return;
	}
	cursor->loops[cursor->depth] = (struct cursor_loop){index, times};
	cursor->values[cursor->depth++] = 0;
}

bool script_cursor_next(struct script_cursor *cursor, const struct op **op, struct why *why)
{
	for (;;) {
		close_loops(cursor);
		*op = NULL;
		if (cursor->at == cursor->script->count)
			return true;
		uint32_t index = cursor->at++;
		const struct script_op *next = &cursor->script->ops[index];
		*op = &next->op;
		if (next->formula_count > 0) {
			if (!compute(cursor, next, why))
				return false;
			*op = &cursor->computed;
		}
		if (next->op.kind != OP_REPEAT)
			return true;
		open_loop(cursor, index, (*op)->times);
	}
}

static uint32_t list_end(const struct script_cursor *cursor)
{
	if (cursor->depth == 0)
		return cursor->script->count;
	return cursor->script->ops[cursor->loops[cursor->depth - 1].repeat].op.body_end;
}

bool script_cursor_at_expect(const struct script_cursor *cursor)
{
	return cursor->at < list_end(cursor) && cursor->script->ops[cursor->at].op.kind == OP_EXPECT;
}

bool script_cursor_leave(struct script_cursor *cursor)
{
	if (cursor->depth == cursor->floor)
		return false;
	cursor->at = list_end(cursor);
	cursor->depth--;
	return true;
}
