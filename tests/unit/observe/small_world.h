/* A world from a script in one line: {"op": ...}, ... with single quotes for double ones. */
#ifndef FAULTLINE_TESTS_SMALL_WORLD_H
#define FAULTLINE_TESTS_SMALL_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/document.h"
#include "faultline/world.h"

struct small_world {
	struct document *document;
	struct world *world;
};

/* `document` is a whole document. */
static inline struct small_world small_world_of(const char *document)
{
	struct small_world small = {0};
	struct error error = {0};
	char *text = strdup(document);
	assert_non_null(text);
	for (char *at = text; (at = strchr(at, '\''));)
		*at = '"';
	if (document_parse(text, strlen(text), "test.json", &small.document, &error) != STATUS_OK ||
	    world_new(small.document, &small.world, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	free(text);
	return small;
}

static inline struct small_world small_world_new(const char *script)
{
	char text[4096];
	(void)snprintf(text, sizeof(text), "{'faultline': 1, 'name': 'small', 'script': [%s]}", script);
	return small_world_of(text);
}

static inline void small_world_run(struct small_world *small)
{
	struct error error = {0};
	if (world_run(small->world, &error) != STATUS_OK)
		fail_msg("%s", error.text);
}

static inline void small_world_free(struct small_world *small)
{
	world_free(small->world);
	document_free(small->document);
}

#endif
