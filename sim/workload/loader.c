#include "loader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void loader_enter_key(struct loader *loader, const char *key)
{
	BUG_ON(loader->depth >= JSON_MAX_DEPTH + 2);
	loader->path[loader->depth++] = (struct loader_step){key, 0};
}

void loader_enter_index(struct loader *loader, uint32_t index)
{
	BUG_ON(loader->depth >= JSON_MAX_DEPTH + 2);
	loader->path[loader->depth++] = (struct loader_step){NULL, index};
}

void loader_leave(struct loader *loader)
{
	loader->depth--;
}

/* RFC 6901 section 3: ~ is written ~0 and / is written ~1. */
static size_t add_key(char *out, size_t room, const char *key)
{
	size_t used = 0;
	struct quoted shown = quoted(key);
	for (const char *at = shown.text; *at && used + 3 < room; at++) {
		if (*at == '~' || *at == '/') {
			out[used++] = '~';
			out[used++] = *at == '~' ? '0' : '1';
		} else {
			out[used++] = *at;
		}
	}
	out[used] = '\0';
	return used;
}

void loader_pointer(const struct loader *loader, char out[LOADER_POINTER_BYTES])
{
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < loader->depth && used + 64 < LOADER_POINTER_BYTES; i++) {
		const struct loader_step *step = &loader->path[i];
		out[used++] = '/';
		if (step->key)
			used += add_key(out + used, LOADER_POINTER_BYTES - used, step->key);
		else
			used += (size_t)snprintf(out + used, LOADER_POINTER_BYTES - used, "%u", step->index);
	}
	if (used == 0)
		memcpy(out, "/", 2);
}

bool loader_fail(struct loader *loader, const cJSON *node, enum loader_spot spot, const char *format, ...)
{
	struct json_position position = json_source_position(&loader->source, node);
	uint32_t line = 0;
	uint32_t column = 0;
	json_source_locate(&loader->source, spot == LOADER_KEY ? position.key : position.value, &line, &column);
	char pointer[LOADER_POINTER_BYTES];
	loader_pointer(loader, pointer);
	char message[ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	error_set(loader->error, STATUS_BAD_INPUT, "%s:%u:%u: %s: %s", loader->source.name, line, column, pointer,
		  message);
	return false;
}

struct quoted loader_found(const struct loader *loader, const cJSON *node)
{
	if (cJSON_IsObject(node))
		return quoted("an object");
	if (cJSON_IsArray(node))
		return quoted("a list");
	if (cJSON_IsBool(node))
		return quoted(cJSON_IsTrue(node) ? "true" : "false");
	if (cJSON_IsNull(node))
		return quoted("null");
	size_t length = 0;
	if (cJSON_IsNumber(node)) {
		const char *literal = json_source_number(&loader->source, node, &length);
		return quoted_length(literal, length);
	}
	struct quoted inner = quoted(node->valuestring);
	char text[sizeof(inner.text) + 2];
	(void)snprintf(text, sizeof(text), "\"%s\"", inner.text);
	return quoted_length(text, strlen(text));
}

static bool unknown_key(struct loader *loader, const cJSON *member, const char *what, const char *const *names,
			unsigned count)
{
	struct why all = {""};
	for (unsigned i = 0; i < count; i++)
		why_add(&all, "%s%s", i ? ", " : "", names[i]);
	loader_enter_key(loader, member->string);
	return loader_fail(loader, member, LOADER_KEY, "%s has no key \"%s\"; did you mean \"%s\"? Known keys: %s",
			   what, quoted(member->string).text, names[nearest_name(member->string, names, count)],
			   all.text);
}

static bool take_member(struct loader *loader, const cJSON *member, const char *what, const char *const *names,
			unsigned count, const cJSON **members)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(member->string, names[i]) != 0)
			continue;
		if (members[i]) {
			loader_enter_key(loader, names[i]);
			return loader_fail(loader, member, LOADER_KEY, "%s has the key \"%s\" twice: remove one", what,
					   names[i]);
		}
		members[i] = member;
		return true;
	}
	return unknown_key(loader, member, what, names, count);
}

bool loader_members(struct loader *loader, const cJSON *object, const char *what, const char *const *names,
		    unsigned count, const cJSON **members)
{
	if (!cJSON_IsObject(object))
		return loader_fail(loader, object, LOADER_VALUE, "%s must be an object {...}, found %s", what,
				   loader_found(loader, object).text);
	memset(members, 0, count * sizeof(*members));
	for (const cJSON *member = object->child; member; member = member->next) {
		if (!take_member(loader, member, what, names, count, members))
			return false;
	}
	return true;
}

char *loader_copy(struct loader *loader, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy = arena_alloc(loader->arena, bytes, 1);
	memcpy(copy, text, bytes);
	return copy;
}

bool loader_text(struct loader *loader, const cJSON *node, const char **out)
{
	if (!cJSON_IsString(node) || !*node->valuestring)
		return loader_fail(loader, node, LOADER_VALUE, "expected a text that is not empty, found %s",
				   loader_found(loader, node).text);
	*out = loader_copy(loader, node->valuestring);
	return true;
}
