/* The document that an op list stands for: one process on the system that the recordings were made on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "document_private.h"
#include "faultline/digest.h"
#include "faultline/heap.h"
#include "op_list.h"

/* What the recordings say of their process: a break at a multiple of 64 MiB above the image, a ceiling of the mapped
 * area at a multiple of 1 GiB, and memory that never runs short. It ran on two processors. */
#define RECORDED_START_BRK 0x555558000000u
#define RECORDED_MMAP_CEILING 0x7fffc0000000u
#define RECORDED_MEMORY (24 * GIB)
#define RECORDED_CORES 2

static enum status digest_file(const char *path, uint64_t *digest, struct error *error)
{
	char buffer[4096];
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(error, STATUS_HOST, "%s: cannot be opened: %s", path, strerror(errno));
	size_t got;
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0)
		*digest = digest_bytes(*digest, buffer, got);
	bool failed = ferror(file) != 0;
	(void)fclose(file);
	return failed ? error_set(error, STATUS_HOST, "%s: cannot be read: %s", path, strerror(errno)) : STATUS_OK;
}

static const char *copy_text(struct arena *arena, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = arena_alloc(arena, bytes, 1);
	memcpy(copy, text, bytes);
	return copy;
}

static void fill_document(struct document_owner *owner, const struct op_list *list)
{
	struct document *document = &owner->document;
	struct document_process *process = arena_new_object(owner->arena, struct document_process);
	const struct tunable *tunables = op_list_tunables(list, &process->tunable_count);
	struct tunable *copies = arena_new_array(owner->arena, struct tunable, process->tunable_count);
	for (unsigned i = 0; i < process->tunable_count; i++)
		copies[i] = (struct tunable){copy_text(owner->arena, tunables[i].name), tunables[i].value};
	document->name = document_name_of_path(owner->arena, document->path);
	document->machine.memory_bytes = RECORDED_MEMORY;
	document->processes = process;
	document->process_count = 1;
	process->name = document->name;
	process->libc = heap_find("glibc");
	if (!process->libc)
		process->libc = heap_registry[0];
	process->spec = (struct process_spec){.name = document->name,
					      .start_brk = vaddr(RECORDED_START_BRK),
					      .mmap_ceiling = vaddr(RECORDED_MMAP_CEILING)};
	process->cores = RECORDED_CORES;
	process->tunables = copies;
	process->op_list = document->path;
}

enum status document_load_op_list(const char *path, struct document **out, struct error *error)
{
	struct op_list *list = NULL;
	enum status status = op_list_open(path, &list, error);
	if (status != STATUS_OK)
		return status;
	struct document_owner *owner = document_owner_new(MIB + 2 * strlen(path), path);
	if (owner) {
		fill_document(owner, list);
		status = digest_file(path, &owner->document.digest, error);
	} else {
		status = error_set(error, STATUS_HOST, "%s: the host has no memory to read it", path);
	}
	op_list_close(list);
	if (status == STATUS_OK)
		*out = &owner->document;
	else if (owner)
		document_free(&owner->document);
	return status;
}

static enum status read_to_end(struct op_list *list, uint64_t *operations, struct error *error)
{
	const struct op *op = NULL;
	*operations = 0;
	for (;;) {
		enum status status = op_list_next(list, &op, error);
		if (status != STATUS_OK || !op)
			return status;
		(*operations)++;
		/* A realloc may fail and leave its block alive. */
		op_list_returned(list, op->kind != OP_REALLOC);
	}
}

static enum status check_opened(struct op_list *list, enum status opened, uint64_t *operations, struct error *error)
{
	enum status status = opened == STATUS_OK ? read_to_end(list, operations, error) : opened;
	op_list_close(list);
	return status;
}

enum status document_check_op_list(const char *path, uint64_t *operations, struct error *error)
{
	struct op_list *list = NULL;
	*error = (struct error){0};
	enum status opened = op_list_open(path, &list, error);
	return check_opened(list, opened, operations, error);
}

enum status document_check_op_list_text(const char *text, size_t length, const char *name, uint64_t *operations,
					struct error *error)
{
	struct op_list *list = NULL;
	*error = (struct error){0};
	enum status opened = op_list_open_text(text, length, name, &list, error);
	return check_opened(list, opened, operations, error);
}
