/* Reading a JSON tree into a document: where the reader is, and how a mistake is reported. The functions that read
 * return false after an error; the message is in loader->error. */
#ifndef FAULTLINE_WORKLOAD_LOADER_H
#define FAULTLINE_WORKLOAD_LOADER_H

#include <stdbool.h>

#include "faultline/arena.h"
#include "faultline/document.h"
#include "json_source.h"
#include "why.h"

enum { LOADER_MAX_KEYS = 32, LOADER_POINTER_BYTES = 1024 };

/* One step of the JSON pointer (RFC 6901): a key, or an index where key is NULL. */
struct loader_step {
	const char *key;
	uint32_t index;
};

struct loader {
	struct arena *arena;
	struct document *document;
	struct json_source source;
	struct error *error;
	struct loader_step path[JSON_MAX_DEPTH + 2];
	unsigned depth;
};

enum loader_spot { LOADER_KEY, LOADER_VALUE };

void loader_enter_key(struct loader *loader, const char *key);
void loader_enter_index(struct loader *loader, uint32_t index);
void loader_leave(struct loader *loader);
/* The pointer to where the reader is. */
void loader_pointer(const struct loader *loader, char out[LOADER_POINTER_BYTES]);

/* Always false. "FILE:LINE:COL: POINTER: message" */
bool loader_fail(struct loader *loader, const cJSON *node, enum loader_spot spot, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* "a number", "the text \"x\"" ... for messages. */
struct quoted loader_found(const struct loader *loader, const cJSON *node);

/* The members of an object by the order of names[]; NULL where one is absent. Unknown and repeated keys are errors. */
bool loader_members(struct loader *loader, const cJSON *object, const char *what, const char *const *names,
		    unsigned count, const cJSON **members);

char *loader_copy(struct loader *loader, const char *text);
/* A text that is not empty. */
bool loader_text(struct loader *loader, const cJSON *node, const char **out);

/* The script of a process: a list of operations. */
bool loader_script(struct loader *loader, const cJSON *list, struct script *script);

/* "files" of the document. */
bool loader_files(struct loader *loader, const cJSON *list);

/* Settings from a JSON object: the members of machine, kernel or a process. */
enum setting_scope { SETTING_MACHINE, SETTING_KERNEL, SETTING_PROCESS, SETTING_SCOPE_COUNT };
unsigned setting_names(enum setting_scope scope, const char **names);
bool loader_setting(struct loader *loader, const cJSON *node, enum setting_scope scope, const char *name, void *base);
void settings_default(struct document *document);

#endif
