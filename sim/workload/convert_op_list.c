/* Op list to JSON. IDs become names: 17 is "b17". */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "document_private.h"
#include "faultline/convert.h"
#include "faultline/heap.h"
#include "json_writer.h"
#include "op_list.h"
#include "value.h"

/* A JSON number is exact up to here: RFC 8259, section 6. */
#define MOST_EXACT (((uint64_t)1 << 53) - 1)

struct conversion {
	struct json_writer writer;
	char line[512];
	size_t used;
};

static void add(struct conversion *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct conversion *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	c->used += (size_t)vsnprintf(c->line + c->used, sizeof(c->line) - c->used, format, args);
	va_end(args);
	BUG_ON(c->used >= sizeof(c->line));
}

static void add_number(struct conversion *c, const char *key, uint64_t value)
{
	if (value <= MOST_EXACT)
		add(c, ", \"%s\": %" PRIu64, key, value);
	else
		add(c, ", \"%s\": \"0x%" PRIx64 "\"", key, value);
}

static void add_signed(struct conversion *c, const char *key, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	if (magnitude <= MOST_EXACT)
		add(c, ", \"%s\": %" PRId64, key, value);
	else
		add(c, ", \"%s\": \"%s0x%" PRIx64 "\"", key, value < 0 ? "-" : "", magnitude);
}

static void add_id(struct conversion *c, const char *key, uint64_t id)
{
	if (id == 0)
		add(c, ", \"%s\": \"NULL\"", key);
	else
		add(c, ", \"%s\": \"b%" PRIu64 "\"", key, id);
}

static void add_range(struct conversion *c, const uint64_t arg[4])
{
	add_id(c, "at", arg[0]);
	if (arg[1] != 0)
		add_signed(c, "offset", (int64_t)arg[1]);
	add_number(c, "length", arg[2]);
}

/* The word of a choice that has exactly this value; a number if there is none. */
static void add_choice(struct conversion *c, enum op_kind kind, const char *name, uint64_t value)
{
	unsigned count = 0;
	const struct op_key *keys = op_keys(kind, &count);
	for (unsigned i = 0; i < count; i++) {
		for (const struct op_choice *choice = keys[i].choices; choice && choice->name; choice++) {
			if (strcmp(keys[i].name, name) == 0 && choice->value == value) {
				add(c, ", \"%s\": \"%s\"", name, choice->name);
				return;
			}
		}
	}
	add_signed(c, name, (int64_t)value);
}

static void add_prot(struct conversion *c, uint64_t prot)
{
	static const char *const words[8] = {
	    "PROT_NONE", "PROT_READ",           "PROT_WRITE",           "PROT_READ|PROT_WRITE",
	    "PROT_EXEC", "PROT_READ|PROT_EXEC", "PROT_WRITE|PROT_EXEC", "PROT_READ|PROT_WRITE|PROT_EXEC"};
	add(c, ", \"prot\": \"%s\"", words[prot & 7]);
}

static void add_keys(struct conversion *c, const struct op *op, const struct op_list_line *line)
{
	const uint64_t *arg = line->arg;
	switch (line->letter) {
	case 'm':
		add_id(c, "id", arg[0]);
		add_number(c, "size", arg[1]);
		break;
	case 'c':
		add_id(c, "id", arg[0]);
		add_number(c, "count", arg[1]);
		add_number(c, "size", arg[2]);
		break;
	case 'r':
		add_id(c, "id", arg[0]);
		add_id(c, "new_id", arg[1]);
		add_number(c, "size", arg[2]);
		break;
	case 'a':
		add_id(c, "id", arg[0]);
		add_number(c, "alignment", arg[1]);
		add_number(c, "size", arg[2]);
		break;
	case 'f':
		add_id(c, "id", arg[0]);
		break;
	case 't':
	case 'l':
		add_range(c, arg);
		add(c, ", \"stride\": \"page\"");
		break;
	case 'w':
		add_range(c, (const uint64_t[4]){arg[0], arg[1], sizeof(uint64_t)});
		add(c, ", \"value\": \"0x%" PRIx64 "\"", arg[2]);
		break;
	case 'B':
		add_signed(c, "increment", (int64_t)arg[0]);
		break;
	case 'M':
		add_id(c, "id", arg[0]);
		add_number(c, "length", arg[1]);
		break;
	case 'U':
		add_range(c, arg);
		break;
	case 'D':
		add_range(c, arg);
		add(c, ", \"whole_pages\": true");
		break;
	case 'P':
		add_range(c, arg);
		add_prot(c, arg[3]);
		add(c, ", \"whole_pages\": true");
		break;
	case 'T':
		add_number(c, "pad", arg[0]);
		break;
	case 'O':
		add_choice(c, op->kind, "param", arg[0]);
		add_signed(c, "value", (int64_t)arg[1]);
		break;
	default:
		add_number(c, "child", arg[0]);
		break;
	}
}

static void put_op(struct conversion *c, const struct op *op, const struct op_list_line *line)
{
	c->used = 0;
	add(c, "{\"op\": \"%s\"", op_info(op->kind)->name);
	if (line->thread != 0)
		add_number(c, "thread", line->thread);
	add_keys(c, op, line);
	add(c, "}");
	json_item(&c->writer);
	json_put(&c->writer, c->line);
}

/* The process that the list stands for, all but its script. */
static void put_process(struct json_writer *writer, const struct document *document)
{
	const struct document_process *process = &document->processes[0];
	char number[32];
	json_text(writer, "name", process->name);
	json_text(writer, "libc", process->libc->name);
	(void)snprintf(number, sizeof(number), "%" PRIu64, process->cores);
	json_raw(writer, "cores", number);
	(void)snprintf(number, sizeof(number), "0x%" PRIx64, process->spec.start_brk.v);
	json_text(writer, "start_brk", number);
	(void)snprintf(number, sizeof(number), "0x%" PRIx64, process->spec.mmap_ceiling.v);
	json_text(writer, "mmap_ceiling", number);
	if (process->tunable_count == 0)
		return;
	json_key(writer, "tunables");
	json_open(writer, "{");
	for (unsigned i = 0; i < process->tunable_count; i++) {
		(void)snprintf(number, sizeof(number), "%" PRIu64, process->tunables[i].value);
		json_raw(writer, process->tunables[i].name, number);
	}
	json_close(writer, "}");
}

static void put_head(struct json_writer *writer, const struct document *document)
{
	char machine[64];
	(void)snprintf(machine, sizeof(machine), "{\"memory\": \"%s\"}",
		       value_size_text(document->machine.memory_bytes).text);
	json_raw(writer, "faultline", "1");
	json_text(writer, "name", document->name);
	json_raw(writer, "machine", machine);
	json_key(writer, "processes");
	json_open(writer, "[");
	json_item(writer);
	json_open(writer, "{");
	put_process(writer, document);
	json_key(writer, "script");
	json_open(writer, "[");
}

static enum status put_ops(struct conversion *c, struct op_list *list, struct error *error)
{
	const struct op *op = NULL;
	for (;;) {
		enum status status = op_list_next(list, &op, error);
		if (status != STATUS_OK || !op || !c->writer.good)
			return status;
		put_op(c, op, op_list_line(list));
		/* A realloc may fail and leave its block alive: both names are usable. */
		op_list_returned(list, op->kind != OP_REALLOC);
	}
}

static enum status put_document(struct conversion *c, const struct document *document, struct op_list *list,
				struct error *error)
{
	struct json_writer *writer = &c->writer;
	json_open(writer, "{");
	put_head(writer, document);
	enum status status = put_ops(c, list, error);
	json_close(writer, "]");
	json_close(writer, "}");
	json_close(writer, "]");
	json_close(writer, "}");
	json_put(writer, "\n");
	if (status == STATUS_OK && !writer->good)
		return error_set(error, STATUS_HOST, "%s: the converted workload cannot be written", document->path);
	return status;
}

enum status convert_op_list(const char *path, document_write_fn *write, void *self, struct error *error)
{
	struct document *document = NULL;
	struct op_list *list = NULL;
	struct conversion c = {.writer = {.write = write, .self = self, .good = true, .first = true}};
	enum status status = document_load(path, &document, error);
	if (status == STATUS_OK)
		status = op_list_open(path, &list, error);
	if (status == STATUS_OK)
		status = put_document(&c, document, list, error);
	op_list_close(list);
	document_free(document);
	return status;
}
