/* The list of operations of a process: a tree in JSON, a flat array in the document. */
#include <string.h>

#include "faultline/mman.h"
#include "script.h"

static bool read_list(struct script_reader *reader, const cJSON *list);

static uint32_t count_ops(const cJSON *list)
{
	uint32_t count = 0;
	for (const cJSON *node = cJSON_IsArray(list) ? list->child : NULL; node; node = node->next)
		count += 1 + count_ops(cJSON_GetObjectItemCaseSensitive(node, "body"));
	return count;
}

static bool read_kind(struct script_reader *reader, const cJSON *node, enum op_kind *kind)
{
	const cJSON *op = cJSON_GetObjectItemCaseSensitive(node, "op");
	if (!op)
		return loader_fail(
		    reader->loader, node, LOADER_VALUE,
		    "an operation is an object with the key \"op\", as in {\"op\": \"malloc\", ...}; found "
		    "%s%s",
		    loader_found(reader->loader, node).text, cJSON_IsObject(node) ? " without it" : "");
	loader_enter_key(reader->loader, "op");
	if (cJSON_IsString(op) && op_find(op->valuestring, kind)) {
		loader_leave(reader->loader);
		return true;
	}
	const char *names[OP_KIND_COUNT];
	struct why all = {""};
	for (unsigned i = 0; i < OP_KIND_COUNT; i++) {
		names[i] = op_info((enum op_kind)i)->name;
		why_add(&all, "%s%s", i ? ", " : "", names[i]);
	}
	const char *word = cJSON_IsString(op) ? op->valuestring : "";
	return loader_fail(reader->loader, op, LOADER_VALUE, "there is no operation %s; did you mean \"%s\"? Known: %s",
			   loader_found(reader->loader, op).text, names[nearest_name(word, names, OP_KIND_COUNT)],
			   all.text);
}

static bool missing_key(struct script_reader *reader, const cJSON *node, const char *op, const struct op_key *key)
{
	return loader_fail(reader->loader, node, LOADER_VALUE, "%s lacks the key \"%s\": %s; it takes %s", op,
			   key->name, key->text, op_type_text(key->type));
}

/* A file is mapped privately unless the flags say more. */
static bool check_mmap(struct script_reader *reader, const cJSON *node, struct op *op)
{
	bool maps_file = cJSON_GetObjectItemCaseSensitive(node, "fd") != NULL;
	if (!maps_file && cJSON_GetObjectItemCaseSensitive(node, "file_offset"))
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "\"file_offset\" belongs to a mapping of a file: add \"fd\", or remove it");
	if (!maps_file)
		return true;
	if (!cJSON_GetObjectItemCaseSensitive(node, "flags"))
		op->flags = LINUX_MAP_PRIVATE;
	if (op->flags & LINUX_MAP_ANONYMOUS)
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "MAP_ANONYMOUS maps no file: remove it, or \"fd\"");
	return true;
}

/* What holds between keys of one operation. */
static bool check_op(struct script_reader *reader, const cJSON *node, struct op *op)
{
	op->has_value = cJSON_GetObjectItemCaseSensitive(node, "value") != NULL;
	op->has_frame = cJSON_GetObjectItemCaseSensitive(node, "frame") != NULL;
	if (op->kind == OP_MMAP && !check_mmap(reader, node, op))
		return false;
	if (op->kind == OP_OPEN && strlen(op->name) > DOCUMENT_LONGEST_PATH)
		return loader_fail(reader->loader, node, LOADER_VALUE, "the path of a file has at most %d bytes",
				   DOCUMENT_LONGEST_PATH);
	if (op->kind == OP_CODE && op->code.count == 0 && op->at.kind == PLACE_NONE)
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "code runs nothing: add \"bytes\", or \"at\" to run what stands there");
	if (op->kind == OP_EXPECT && !op->equals.given && !op->at_least.given && !op->at_most.given)
		return loader_fail(reader->loader, node, LOADER_VALUE,
				   "expect compares with nothing: add \"equals\", \"at_least\" or \"at_most\"");
	return true;
}

static bool read_key_values(struct script_reader *reader, const cJSON *node, const char *what,
			    const struct op_key *keys, unsigned count, const cJSON **members)
{
	for (unsigned i = 0; i < count; i++) {
		if (!members[i] && keys[i].required)
			return missing_key(reader, node, what, &keys[i]);
		if (!members[i])
			continue;
		loader_enter_key(reader->loader, keys[i].name);
		if (!script_read_key(reader, members[i], &keys[i]))
			return false;
		loader_leave(reader->loader);
	}
	return true;
}

static const cJSON *member_of(const struct op_key *keys, unsigned count, const cJSON *const *members, const char *name)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return members[i];
	}
	return NULL;
}

static void remember_place(struct script_reader *reader, const cJSON *node, struct op *op)
{
	char pointer[LOADER_POINTER_BYTES];
	loader_pointer(reader->loader, pointer);
	op->pointer = loader_copy(reader->loader, pointer);
	json_source_locate(&reader->loader->source, json_source_position(&reader->loader->source, node).value,
			   &op->line, &op->column);
}

static void keep_formulas(struct script_reader *reader, struct script_op *out)
{
	struct op_formula *formulas = arena_new_array(reader->loader->arena, struct op_formula, reader->formula_count);
	memcpy(formulas, reader->formulas, reader->formula_count * sizeof(*formulas));
	out->formulas = formulas;
	out->formula_count = reader->formula_count;
}

static const struct op_key common_keys[] = {
    {"note", OP_TYPE_TEXT, false, "", offsetof(struct op, note), NULL, "a sentence that the visualizer shows"},
    {"label", OP_TYPE_TEXT, false, "", offsetof(struct op, label), NULL, "a name for breakpoints"},
    {"thread", OP_TYPE_COUNT, false, "0", offsetof(struct op, thread), NULL, "the thread that does it"},
};
enum { COMMON_KEYS = sizeof(common_keys) / sizeof(*common_keys) };

/* Reads all but the body of a repeat; *body is that, or NULL. */
static bool read_op(struct script_reader *reader, const cJSON *node, struct script_op *out, const cJSON **body)
{
	enum op_kind kind = OP_KIND_COUNT;
	unsigned count = 0;
	if (!read_kind(reader, node, &kind))
		return false;
	const struct op_key *own = op_keys(kind, &count);
	struct op_key keys[LOADER_MAX_KEYS];
	const char *names[LOADER_MAX_KEYS];
	const cJSON *members[LOADER_MAX_KEYS];
	BUG_ON(count + COMMON_KEYS + 1 > LOADER_MAX_KEYS);
	for (unsigned i = 0; i < count + COMMON_KEYS; i++) {
		keys[i] = i < count ? own[i] : common_keys[i - count];
		names[i] = keys[i].name;
	}
	count += COMMON_KEYS;
	names[count] = "op";
	op_init(&out->op, kind);
	reader->op = &out->op;
	reader->formula_count = 0;
	remember_place(reader, node, &out->op);
	if (!loader_members(reader->loader, node, op_info(kind)->name, names, count + 1, members) ||
	    !read_key_values(reader, node, op_info(kind)->name, keys, count, members) ||
	    !check_op(reader, node, &out->op))
		return false;
	keep_formulas(reader, out);
	*body = member_of(keys, count, members, "body");
	return true;
}

static bool read_body_of(struct script_reader *reader, const cJSON *body, struct script_op *repeat)
{
	struct formula_scope *scope = &reader->scope;
	if (scope->depth == FORMULA_MAX_DEPTH)
		return loader_fail(reader->loader, body, LOADER_VALUE, "repeats nest deeper than %d levels",
				   FORMULA_MAX_DEPTH);
	scope->variables[scope->depth++] = repeat->op.as;
	loader_enter_key(reader->loader, "body");
	if (!read_list(reader, body))
		return false;
	loader_leave(reader->loader);
	scope->depth--;
	repeat->op.body_end = reader->count;
	return true;
}

static bool read_list(struct script_reader *reader, const cJSON *list)
{
	if (!cJSON_IsArray(list))
		return loader_fail(reader->loader, list, LOADER_VALUE,
				   "a script is a list of operations [...], found %s",
				   loader_found(reader->loader, list).text);
	uint32_t index = 0;
	for (const cJSON *node = list->child; node; node = node->next, index++) {
		const cJSON *body = NULL;
		struct script_op *op = &reader->ops[reader->count++];
		loader_enter_index(reader->loader, index);
		if (!read_op(reader, node, op, &body) || (body && !read_body_of(reader, body, op)))
			return false;
		loader_leave(reader->loader);
	}
	return true;
}

/* The slot that a key names without loop variables, if it names one. */
static bool uses_slot(const struct op *op, const struct op_key *key, uint32_t *slot)
{
	const char *field = (const char *)op + key->field;
	const struct place *place = NULL;
	if (key->type == OP_TYPE_ID)
		*slot = ((const struct op_name *)(const void *)field)->slot;
	else if (key->type == OP_TYPE_PLACE)
		place = (const void *)field;
	else if (key->type == OP_TYPE_THAT)
		place = &((const struct that *)(const void *)field)->place;
	else
		return false;
	if (place)
		*slot = place->kind == PLACE_SLOT ? place->slot : OP_NO_SLOT;
	return *slot < OP_SAME_SLOT;
}

static void mark_defined(const struct script_reader *reader, bool *defined)
{
	for (uint32_t i = 0; i < reader->count; i++) {
		const struct op *op = &reader->ops[i].op;
		unsigned count = 0;
		const struct op_key *keys = op_keys(op->kind, &count);
		for (unsigned k = 0; k < count; k++) {
			if (keys[k].type != OP_TYPE_NEW_ID)
				continue;
			uint32_t slot =
			    ((const struct op_name *)(const void *)((const char *)op + keys[k].field))->slot;
			if (slot < OP_SAME_SLOT)
				defined[slot] = true;
		}
	}
}

static bool undefined_name(struct script_reader *reader, const struct op *op, uint32_t slot, const bool *defined)
{
	const char **known = arena_new_array(reader->loader->arena, const char *, reader->names.count);
	unsigned count = 0;
	for (uint32_t i = 0; i < reader->names.count; i++) {
		if (defined[i])
			known[count++] = reader->names.texts[i];
	}
	const char *name = reader->names.texts[slot];
	struct why mend = {"no operation of this script makes a block or mapping."};
	if (count > 0)
		why_set(&mend, "did you mean \"%s\"?", quoted(known[nearest_name(name, known, count)]).text);
	error_set(
	    reader->loader->error, STATUS_BAD_INPUT,
	    "%s:%u:%u: %s: nothing is called \"%s\"; %s A name is made by the \"id\" or \"new_id\" of malloc, calloc, "
	    "realloc, aligned_alloc, mmap, mremap or open",
	    reader->loader->source.name, op->line, op->column, op->pointer, quoted(name).text, mend.text);
	return false;
}

/* A name that nothing ever makes is a slip of the pen. Names with loop variables are known only at run time. */
static bool check_names(struct script_reader *reader)
{
	if (reader->template_ids)
		return true;
	bool *defined = arena_new_array(reader->loader->arena, bool, reader->names.count + 1);
	mark_defined(reader, defined);
	for (uint32_t i = 0; i < reader->count; i++) {
		const struct op *op = &reader->ops[i].op;
		unsigned count = 0;
		const struct op_key *keys = op_keys(op->kind, &count);
		for (unsigned k = 0; k < count; k++) {
			uint32_t slot = OP_NO_SLOT;
			if (uses_slot(op, &keys[k], &slot) && !defined[slot])
				return undefined_name(reader, op, slot, defined);
		}
	}
	return true;
}

/* Marks the operations that an expect on op.STATISTIC may look back at: the one before it in the list, and the last one
 * of a body that begins with it. Marking one too many costs only time. */
static void mark_watched(struct script_reader *reader)
{
	bool wanted = false;
	for (uint32_t i = reader->count; i-- > 0;) {
		struct op *op = &reader->ops[i].op;
		if (op->kind == OP_EXPECT) {
			wanted |= op->that.kind == THAT_OP;
		} else if (op->kind == OP_REPEAT) {
			if (wanted && op->body_end > i + 1)
				reader->ops[op->body_end - 1].op.watched = true;
		} else if (op->kind == OP_FORK || op->kind == OP_VFORK) {
			op->watched = true; /* from behind its body, and from the start of it */
			wanted = false;
		} else {
			op->watched = wanted;
			wanted = false;
		}
	}
}

/* Code that no place is given for lies in the program's text, one piece after the other. Returns where it ends. */
static uint32_t place_code(struct script_reader *reader)
{
	enum { ALIGNMENT = 16 };
	uint32_t used = DOCUMENT_CODE_OFFSET;
	for (uint32_t i = 0; i < reader->count; i++) {
		struct op *op = &reader->ops[i].op;
		if (op->kind != OP_CODE || op->at.kind != PLACE_NONE)
			continue;
		op->code.offset = used;
		used = (uint32_t)align_up(used + op->code.count, ALIGNMENT);
	}
	return used;
}

bool loader_script(struct loader *loader, const cJSON *list, struct script *script)
{
	struct script_reader reader = {.loader = loader};
	names_init(&reader.names, loader->arena);
	reader.ops = arena_new_array(loader->arena, struct script_op, count_ops(list));
	if (!read_list(&reader, list) || !check_names(&reader))
		return false;
	mark_watched(&reader);
	*script = (struct script){reader.ops, reader.count, reader.names.texts, reader.names.count,
				  place_code(&reader)};
	return true;
}
