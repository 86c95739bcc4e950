/* JSON to op list. A name such as "b17" becomes the ID 17 where that is free, another one the next number above all. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_private.h"
#include "faultline/convert.h"
#include "faultline/heap.h"
#include "script_cursor.h"
#include "value.h"
#include "why.h"

struct conversion {
	const struct document *document;
	struct script_cursor cursor;
	document_write_fn *write;
	void *self;
	bool good;
	struct error *error;
	uint64_t *id; /* by slot; 0: none */
	uint32_t slots;
	uint64_t highest_id;
};

static void put(struct conversion *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct conversion *c, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	int length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length >= (int)sizeof(text))
		length = sizeof(text) - 1;
	c->good = c->good && c->write(c->self, text, (size_t)length);
}

/* Always false. */
static bool refuse(struct conversion *c, const struct op *op, const char *why)
{
	(void)error_set(c->error, STATUS_BAD_INPUT, "%s:%u:%u: %s: %s has no place in an op list: %s",
			c->document->path, op->line, op->column, op->pointer, op_info(op->kind)->name, why);
	return false;
}

/* ---- names and IDs ---- */

static bool reserve_slot(struct conversion *c, uint32_t slot)
{
	if (slot < c->slots)
		return true;
	uint32_t slots = c->slots ? c->slots : 64;
	while (slots <= slot)
		slots *= 2;
	uint64_t *grown = realloc(c->id, slots * sizeof(*grown));
	if (!grown) {
		(void)error_set(c->error, STATUS_HOST, "%s: the host has no memory for its names", c->document->path);
		return false;
	}
	memset(grown + c->slots, 0, (slots - c->slots) * sizeof(*grown));
	c->id = grown;
	c->slots = slots;
	return true;
}

/* A new result under this name: IDs are used once. */
static bool new_id(struct conversion *c, const struct op_name *name, uint32_t slot, uint64_t *out)
{
	uint64_t wanted = 0;
	if (!reserve_slot(c, slot))
		return false;
	bool numbered = name->text[0] == 'b' && value_digits(name->text + 1, strlen(name->text + 1), &wanted);
	*out = numbered && wanted > c->highest_id ? wanted : c->highest_id + 1;
	c->highest_id = *out;
	c->id[slot] = *out;
	return true;
}

static bool old_id(struct conversion *c, const struct op *op, uint32_t slot, uint64_t *out)
{
	*out = 0;
	if (slot == OP_NO_SLOT)
		return true;
	if (slot >= c->slots || c->id[slot] == 0)
		return refuse(c, op, "its name has no value, or has been freed");
	*out = c->id[slot];
	return true;
}

/* ---- operations ---- */

static void put_thread(struct conversion *c, const struct op *op)
{
	if (op->thread != 0)
		put(c, "@%" PRIu64 " ", op->thread);
}

static bool put_allocation(struct conversion *c, const struct op *op)
{
	uint64_t id;
	if (!new_id(c, &op->id, op->id.slot, &id))
		return false;
	put_thread(c, op);
	if (op->kind == OP_MALLOC)
		put(c, "m %" PRIu64 " %" PRIu64 "\n", id, op->size);
	else if (op->kind == OP_CALLOC)
		put(c, "c %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, op->count, op->size);
	else
		put(c, "a %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, op->alignment, op->size);
	return true;
}

static bool put_realloc(struct conversion *c, const struct op *op)
{
	uint64_t id, made;
	bool same = op->new_id.slot == OP_SAME_SLOT;
	if (!old_id(c, op, op->id.slot, &id))
		return false;
	if (same && op->id.slot == OP_NO_SLOT)
		return refuse(c, op, "the result needs a name, new_id");
	/* One that fails leaves the old block alive under its name. */
	if (op->id.slot != OP_NO_SLOT && op->size == 0)
		c->id[op->id.slot] = 0;
	if (!new_id(c, same ? &op->id : &op->new_id, same ? op->id.slot : op->new_id.slot, &made))
		return false;
	put_thread(c, op);
	put(c, "r %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", id, made, op->size);
	return true;
}

static bool put_free(struct conversion *c, const struct op *op)
{
	uint64_t id;
	if (!old_id(c, op, op->id.slot, &id))
		return false;
	if (op->id.slot != OP_NO_SLOT)
		c->id[op->id.slot] = 0;
	put_thread(c, op);
	put(c, "f %" PRIu64 "\n", id);
	return true;
}

/* The ID and the offset of a place in a block or mapping. */
static bool take_place(struct conversion *c, const struct op *op, bool negative, uint64_t *id, int64_t *offset)
{
	*offset = op->at.offset + op->offset;
	if (op->at.kind != PLACE_SLOT || op->at.slot == OP_NO_SLOT)
		return refuse(c, op, "its place is no block and no mapping");
	if (*offset < 0 && !negative)
		return refuse(c, op, "its offset is negative");
	return old_id(c, op, op->at.slot, id);
}

static bool put_access(struct conversion *c, const struct op *op)
{
	uint64_t id;
	int64_t offset;
	bool word = op->kind == OP_WRITE && op->has_value && op->length == 8 && op->stride == 0;
	if (!word && (op->stride != OP_STRIDE_PAGE || op->has_value))
		return refuse(c, op,
			      "there, a read or write is one byte of every page (\"stride\": \"page\", no "
			      "value), or a value of 8 bytes");
	if (!take_place(c, op, word, &id, &offset))
		return false;
	put_thread(c, op);
	if (word)
		put(c, "w %" PRIu64 " %" PRId64 " %" PRIu64 "\n", id, offset, op->value);
	else
		put(c, "%c %" PRIu64 " %" PRId64 " %" PRIu64 "\n", op->kind == OP_WRITE ? 't' : 'l', id, offset,
		    op->length);
	return true;
}

static bool put_mmap(struct conversion *c, const struct op *op)
{
	uint64_t id;
	struct op plain;
	op_init(&plain, OP_MMAP);
	if (op->at.kind != PLACE_NONE || op->prot != plain.prot || op->flags != plain.flags)
		return refuse(c, op, "there, mmap is private, anonymous, readable and writable, and has no address");
	if (!new_id(c, &op->id, op->id.slot, &id))
		return false;
	put_thread(c, op);
	put(c, "M %" PRIu64 " %" PRIu64 "\n", id, op->length);
	return true;
}

static bool put_range_call(struct conversion *c, const struct op *op)
{
	uint64_t id;
	int64_t offset;
	if (op->kind != OP_MUNMAP && !op->whole_pages)
		return refuse(c, op, "there, it rounds to whole pages: say \"whole_pages\": true");
	if (op->kind == OP_MADVISE && op->advice != LINUX_MADV_DONTNEED)
		return refuse(c, op, "there, the only advice is MADV_DONTNEED");
	if (!take_place(c, op, false, &id, &offset))
		return false;
	put_thread(c, op);
	if (op->kind == OP_MPROTECT)
		put(c, "P %" PRIu64 " %" PRId64 " %" PRIu64 " %" PRIu64 "\n", id, offset, op->length, op->prot);
	else
		put(c, "%c %" PRIu64 " %" PRId64 " %" PRIu64 "\n", op->kind == OP_MUNMAP ? 'U' : 'D', id, offset,
		    op->length);
	return true;
}

static bool put_number(struct conversion *c, const struct op *op)
{
	put_thread(c, op);
	if (op->kind == OP_SBRK)
		put(c, "B %" PRId64 "\n", op->increment);
	else if (op->kind == OP_MALLOC_TRIM)
		put(c, "T %" PRIu64 "\n", op->pad);
	else if (op->kind == OP_MALLOPT)
		put(c, "O %" PRId64 " %" PRId64 "\n", op->param, op->increment);
	else
		put(c, "%c %" PRIu64 "\n", op->kind == OP_PTHREAD_CREATE ? 'C' : 'J', op->child);
	return true;
}

static bool put_comment(struct conversion *c, const struct op *op)
{
	if (op->kind == OP_EXPECT)
		put(c, "# expect %s\n", op->that.text);
	else if (op->kind == OP_PHASE)
		put(c, "# phase %s\n", op->name);
	return true;
}

typedef bool put_fn(struct conversion *c, const struct op *op);

static put_fn *const putters[OP_KIND_COUNT] = {
    [OP_MALLOC] = put_allocation,   [OP_CALLOC] = put_allocation,   [OP_ALIGNED_ALLOC] = put_allocation,
    [OP_REALLOC] = put_realloc,     [OP_FREE] = put_free,           [OP_READ] = put_access,
    [OP_WRITE] = put_access,        [OP_MMAP] = put_mmap,           [OP_MUNMAP] = put_range_call,
    [OP_MADVISE] = put_range_call,  [OP_MPROTECT] = put_range_call, [OP_SBRK] = put_number,
    [OP_MALLOC_TRIM] = put_number,  [OP_MALLOPT] = put_number,      [OP_PTHREAD_CREATE] = put_number,
    [OP_PTHREAD_JOIN] = put_number, [OP_EXPECT] = put_comment,      [OP_PHASE] = put_comment,
};

/* ---- the document ---- */

static bool put_op(struct conversion *c, const struct op *op)
{
	if (op->note)
		put(c, "# %s\n", op->note);
	if (!putters[op->kind])
		return refuse(
		    c, op,
		    "allowed are malloc, calloc, realloc, aligned_alloc, free, read, write, sbrk, mmap, munmap, "
		    "madvise, mprotect, malloc_trim, mallopt, pthread_create, pthread_join");
	return putters[op->kind](c, op);
}

static bool put_ops(struct conversion *c)
{
	const struct op *op = NULL;
	struct why why;
	while (c->good) {
		if (!script_cursor_next(&c->cursor, &op, &why)) {
			(void)error_set(c->error, STATUS_BAD_INPUT, "%s:%u:%u: %s: %s", c->document->path, op->line,
					op->column, op->pointer, why.text);
			return false;
		}
		if (!op)
			return true;
		if (!put_op(c, op))
			return false;
	}
	(void)error_set(c->error, STATUS_HOST, "%s: the converted list cannot be written", c->document->path);
	return false;
}

enum status convert_document(const struct document *document, document_write_fn *write, void *self, struct error *error)
{
	const struct document_process *process = &document->processes[0];
	if (document->process_count != 1 || process->op_list)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: an op list is one process: this is %s; convert a JSON workload with one process",
				 document->path, process->op_list ? "one already" : "a workload with several");
	/* Names that depend on loop variables are made as the script goes on. */
	struct arena *arena = arena_new(GIB);
	if (!arena)
		return error_set(error, STATUS_HOST, "%s: the host has no memory", document->path);
	struct conversion c = {.document = document, .write = write, .self = self, .good = true, .error = error};
	script_cursor_init(&c.cursor, arena, &process->script);
	put(&c, "# %s\n", document->name);
	for (unsigned i = 0; i < process->tunable_count; i++)
		put(&c, "G %s=%" PRIu64 "\n", process->tunables[i].name, process->tunables[i].value);
	enum status status = put_ops(&c) ? STATUS_OK : error->status;
	free(c.id);
	arena_free(arena);
	return status;
}
