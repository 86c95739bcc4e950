#include "faultline/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_private.h"
#include "faultline/digest.h"
#include "faultline/heap.h"
#include "loader.h"
#include "value.h"

struct document_owner *document_owner_new(size_t reserve_bytes, const char *path)
{
	struct arena *arena = arena_new(reserve_bytes);
	if (!arena)
		return NULL;
	struct document_owner *owner = arena_new_object(arena, struct document_owner);
	size_t bytes = strlen(path) + 1;
	char *copy = arena_alloc(arena, bytes, 1);
	memcpy(copy, path, bytes);
	owner->arena = arena;
	owner->document = (struct document){.path = copy, .name = "", .description = "", .digest = DIGEST_START};
	settings_default(&owner->document);
	return owner;
}

void document_free(struct document *document)
{
	if (document)
		arena_free(((struct document_owner *)document)->arena);
}

enum status document_variant(const struct document *base, struct document **out, struct error *error)
{
	size_t bytes = base->process_count * sizeof(*base->processes);
	*out = NULL;
	struct document_owner *owner = document_owner_new(bytes + strlen(base->path) + (1 << 16), base->path);
	if (!owner)
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a variant of it", base->path);
	const char *path = owner->document.path;
	owner->document = *base;
	owner->document.path = path;
	owner->document.processes = arena_new_array(owner->arena, struct document_process, base->process_count);
	memcpy(owner->document.processes, base->processes, bytes);
	*out = &owner->document;
	return STATUS_OK;
}

const char *document_name_of_path(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strcspn(base, ".");
	char *name = arena_alloc(arena, length + 1, 1);
	memcpy(name, base, length);
	return name;
}

/* ---- the keys of the document ---- */

enum document_key {
	KEY_SCHEMA,
	KEY_FAULTLINE,
	KEY_NAME,
	KEY_DESCRIPTION,
	KEY_MACHINE,
	KEY_KERNEL,
	KEY_FILES,
	KEY_PROCESSES,
	KEY_LIBC,
	KEY_SCRIPT,
	KEY_COUNT
};

static const char *const document_keys[KEY_COUNT] = {"$schema", "faultline", "name",      "description", "machine",
						     "kernel",  "files",     "processes", "libc",        "script"};

static bool read_settings(struct loader *loader, const cJSON *node, enum setting_scope scope, const char *what,
			  void *base)
{
	const char *names[LOADER_MAX_KEYS];
	const cJSON *members[LOADER_MAX_KEYS];
	unsigned count = setting_names(scope, names);
	loader_enter_key(loader, what);
	if (!loader_members(loader, node, what, names, count, members))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!members[i])
			continue;
		loader_enter_key(loader, names[i]);
		if (!loader_setting(loader, members[i], scope, names[i], base))
			return false;
		loader_leave(loader);
	}
	loader_leave(loader);
	return true;
}

static bool read_version(struct loader *loader, const cJSON *root, const cJSON *node)
{
	if (!node)
		return loader_fail(loader, root, LOADER_VALUE,
				   "the document lacks \"faultline\": 1, the version of its language: add it");
	loader_enter_key(loader, "faultline");
	if (!cJSON_IsNumber(node) || node->valuedouble < 1 || node->valuedouble > 1)
		return loader_fail(loader, node, LOADER_VALUE,
				   "this program reads version 1 of the language, found %s: write \"faultline\": 1",
				   loader_found(loader, node).text);
	loader_leave(loader);
	return true;
}

static bool read_text_member(struct loader *loader, const cJSON *node, const char *key, const char **out)
{
	if (!node)
		return true;
	loader_enter_key(loader, key);
	if (!loader_text(loader, node, out))
		return false;
	loader_leave(loader);
	return true;
}

static bool read_script(struct loader *loader, const cJSON *node, struct document_process *process)
{
	loader_enter_key(loader, "script");
	if (!loader_script(loader, node, &process->script))
		return false;
	loader_leave(loader);
	return true;
}

static void init_process(struct document_process *process, const char *name)
{
	*process = (struct document_process){.name = name, .libc = heap_find("glibc"), .spec.name = name};
	if (!process->libc)
		process->libc = heap_registry[0];
}

/* ---- processes ---- */

#define PROCESS_NAME "a letter or _, then letters, digits, _ and -, at most 32 in all"

static bool read_tunable(struct loader *loader, const cJSON *node, struct tunable *out)
{
	struct why why = {"a tunable is a whole number from 0 up"};
	int64_t number = 0;
	size_t length = 0;
	loader_enter_key(loader, node->string);
	const char *literal = json_source_number(&loader->source, node, &length);
	if (!cJSON_IsNumber(node) || !value_whole(literal, length, &number, &why) || number < 0)
		return loader_fail(loader, node, LOADER_VALUE, "%s; found %s", why.text,
				   loader_found(loader, node).text);
	*out = (struct tunable){loader_copy(loader, node->string), (uint64_t)number};
	loader_leave(loader);
	return true;
}

static bool read_tunables(struct loader *loader, const cJSON *node, struct document_process *process)
{
	loader_enter_key(loader, "tunables");
	if (!cJSON_IsObject(node))
		return loader_fail(loader, node, LOADER_VALUE,
				   "tunables are an object such as {\"glibc.malloc.perturb\": 90}, found %s",
				   loader_found(loader, node).text);
	unsigned count = 0;
	for (const cJSON *member = node->child; member; member = member->next)
		count++;
	struct tunable *tunables = arena_new_array(loader->arena, struct tunable, count);
	process->tunables = tunables;
	for (const cJSON *member = node->child; member; member = member->next) {
		for (unsigned i = 0; i < process->tunable_count; i++) {
			if (strcmp(tunables[i].name, member->string) == 0)
				return loader_fail(loader, member, LOADER_KEY, "\"%s\" is there twice: remove one",
						   quoted(member->string).text);
		}
		if (!read_tunable(loader, member, &tunables[process->tunable_count]))
			return false;
		process->tunable_count++;
	}
	loader_leave(loader);
	return true;
}

static bool read_process_name(struct loader *loader, const cJSON *list, const cJSON *node, const cJSON *name,
			      struct document_process *process, unsigned index)
{
	if (!name)
		return loader_fail(loader, node, LOADER_VALUE,
				   "a process lacks the key \"name\": add one, " PROCESS_NAME);
	loader_enter_key(loader, "name");
	if (!cJSON_IsString(name) || !value_is_process(name->valuestring))
		return loader_fail(loader, name, LOADER_VALUE, "the name of a process is " PROCESS_NAME "; found %s",
				   loader_found(loader, name).text);
	for (unsigned i = 0; i < index; i++) {
		const cJSON *other = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(list, (int)i), "name");
		if (strcmp(other->valuestring, name->valuestring) == 0)
			return loader_fail(loader, name, LOADER_VALUE,
					   "two processes are called \"%s\": give this one another name",
					   quoted(name->valuestring).text);
	}
	init_process(process, loader_copy(loader, name->valuestring));
	loader_leave(loader);
	return true;
}

static bool read_process(struct loader *loader, const cJSON *list, const cJSON *node, unsigned index)
{
	enum { NAME, SCRIPT, TUNABLES, OWN };
	const char *names[LOADER_MAX_KEYS] = {"name", "script", "tunables"};
	const cJSON *members[LOADER_MAX_KEYS];
	struct document_process *process = &loader->document->processes[index];
	unsigned count = OWN + setting_names(SETTING_PROCESS, names + OWN);
	if (!loader_members(loader, node, "a process", names, count, members) ||
	    !read_process_name(loader, list, node, members[NAME], process, index))
		return false;
	for (unsigned i = OWN; i < count; i++) {
		if (!members[i])
			continue;
		loader_enter_key(loader, names[i]);
		if (!loader_setting(loader, members[i], SETTING_PROCESS, names[i], process))
			return false;
		loader_leave(loader);
	}
	if (members[TUNABLES] && !read_tunables(loader, members[TUNABLES], process))
		return false;
	if (!members[SCRIPT])
		return loader_fail(loader, node, LOADER_VALUE,
				   "a process lacks the key \"script\": add the list of its operations");
	return read_script(loader, members[SCRIPT], process);
}

static bool read_processes(struct loader *loader, const cJSON *list)
{
	loader_enter_key(loader, "processes");
	int count = cJSON_GetArraySize(list);
	if (!cJSON_IsArray(list) || count < 1 || count > DOCUMENT_MAX_PROCESSES)
		return loader_fail(loader, list, LOADER_VALUE,
				   "processes are a list of 1 to %d objects with name and script, found %s%s",
				   DOCUMENT_MAX_PROCESSES, loader_found(loader, list).text,
				   !cJSON_IsArray(list) ? ""
				   : count < 1          ? " without any"
							: " with more");
	loader->document->processes = arena_new_array(loader->arena, struct document_process, (size_t)count);
	loader->document->process_count = (unsigned)count;
	unsigned index = 0;
	for (const cJSON *node = list->child; node; node = node->next, index++) {
		loader_enter_index(loader, index);
		if (!read_process(loader, list, node, index))
			return false;
		loader_leave(loader);
	}
	loader_leave(loader);
	return true;
}

/* "libc" and "script" at the top level stand for a list of one process called app. */
static bool read_only_process(struct loader *loader, const cJSON *libc, const cJSON *script)
{
	struct document_process *process = arena_new_object(loader->arena, struct document_process);
	loader->document->processes = process;
	loader->document->process_count = 1;
	init_process(process, "app");
	if (libc) {
		loader_enter_key(loader, "libc");
		if (!loader_setting(loader, libc, SETTING_PROCESS, "libc", process))
			return false;
		loader_leave(loader);
	}
	return read_script(loader, script, process);
}

static bool read_what_runs(struct loader *loader, const cJSON *root, const cJSON *const *members)
{
	if (members[KEY_PROCESSES]) {
		const cJSON *other = members[KEY_SCRIPT] ? members[KEY_SCRIPT] : members[KEY_LIBC];
		if (other)
			return loader_fail(loader, other, LOADER_KEY,
					   "\"%s\" at the top level is for a document with one process and no "
					   "\"processes\": move it into a process",
					   other->string);
		return read_processes(loader, members[KEY_PROCESSES]);
	}
	if (!members[KEY_SCRIPT])
		return loader_fail(loader, root, LOADER_VALUE,
				   "the document says nothing to run: add \"script\": [...], or \"processes\": [...]");
	return read_only_process(loader, members[KEY_LIBC], members[KEY_SCRIPT]);
}

static bool read_document(struct loader *loader)
{
	const cJSON *members[KEY_COUNT];
	const cJSON *root = loader->source.root;
	struct document *document = loader->document;
	const char *schema = NULL;
	if (!loader_members(loader, root, "the document", document_keys, KEY_COUNT, members) ||
	    !read_version(loader, root, members[KEY_FAULTLINE]) ||
	    !read_text_member(loader, members[KEY_SCHEMA], "$schema", &schema) ||
	    !read_text_member(loader, members[KEY_NAME], "name", &document->name) ||
	    !read_text_member(loader, members[KEY_DESCRIPTION], "description", &document->description))
		return false;
	if (members[KEY_MACHINE] &&
	    !read_settings(loader, members[KEY_MACHINE], SETTING_MACHINE, "machine", &document->machine))
		return false;
	if (members[KEY_KERNEL] &&
	    !read_settings(loader, members[KEY_KERNEL], SETTING_KERNEL, "kernel", &document->kernel))
		return false;
	if (members[KEY_FILES] && !loader_files(loader, members[KEY_FILES]))
		return false;
	return read_what_runs(loader, root, members);
}

enum status document_parse(const char *text, size_t length, const char *name, struct document **out,
			   struct error *error)
{
	/* The densest document, a list of {"op":"yield"}, needs about 60 bytes for each of its own. */
	enum { BYTES_PER_BYTE = 128 };
	size_t read = length < JSON_MAX_BYTES ? length : JSON_MAX_BYTES;
	*out = NULL;
	*error = (struct error){0};
	struct document_owner *owner = document_owner_new(MIB + strlen(name) + length + read * BYTES_PER_BYTE, name);
	if (!owner)
		return error_set(error, STATUS_HOST, "%s: the host has no memory for a document of %zu bytes", name,
				 length);
	struct loader loader = {.arena = owner->arena, .document = &owner->document, .error = error};
	owner->document.digest = digest_bytes(DIGEST_START, text, length);
	enum status status = json_source_parse(&loader.source, loader.arena, owner->document.path, text, length, error);
	if (status == STATUS_OK && !read_document(&loader))
		status = STATUS_BAD_INPUT;
	json_source_release(&loader.source);
	if (status != STATUS_OK) {
		document_free(&owner->document);
		return status;
	}
	if (!*owner->document.name)
		owner->document.name = document_name_of_path(owner->arena, name);
	*out = &owner->document;
	return STATUS_OK;
}

/* ---- files ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	size_t tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* Reads one byte more than is allowed, so that a longer file is noticed. */
enum status document_read_file(const char *path, char **text, size_t *length, struct error *error)
{
	FILE *file = fopen(path, "rb");
	if (!file)
		return error_set(error, STATUS_HOST, "%s: cannot be opened: %s", path, strerror(errno));
	size_t capacity = 1 << 16;
	*text = NULL;
	*length = 0;
	for (bool more = true; more;) {
		char *grown = realloc(*text, capacity);
		if (!grown) {
			(void)fclose(file);
			return error_set(error, STATUS_HOST, "%s: the host has no memory for this file", path);
		}
		*text = grown;
		*length += fread(*text + *length, 1, capacity - *length, file);
		more = *length == capacity && *length <= JSON_MAX_BYTES;
		capacity *= 2;
	}
	bool failed = ferror(file) != 0;
	(void)fclose(file);
	return failed ? error_set(error, STATUS_HOST, "%s: cannot be read: %s", path, strerror(errno)) : STATUS_OK;
}

bool document_is_op_list(const char *path)
{
	return ends_with(path, ".ops") || ends_with(path, ".ops.gz");
}

enum status document_load(const char *path, struct document **out, struct error *error)
{
	*out = NULL;
	*error = (struct error){0};
	if (document_is_op_list(path))
		return document_load_op_list(path, out, error);
	char *text = NULL;
	size_t length = 0;
	enum status status = document_read_file(path, &text, &length, error);
	if (status == STATUS_OK)
		status = document_parse(text, length, path, out, error);
	free(text);
	return status;
}
