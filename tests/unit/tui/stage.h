/* A scene of a workload, moved by hand: what the tests of the screens look at. */
#ifndef FAULTLINE_TEST_TUI_STAGE_H
#define FAULTLINE_TEST_TUI_STAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/bus.h"
#include "faultline/travel.h"
#include "screen.h"
#include "view.h"

struct stage {
	struct document *document;
	struct travel *travel;
	struct scene scene;
};

/* The history of the script, explored, at position 0. */
static inline struct stage stage_begin(const char *script, const char *name)
{
	struct stage stage = {0};
	struct error error;
	if (document_parse(script, strlen(script), name, &stage.document, &error) != STATUS_OK ||
	    travel_new(stage.document, NULL, &stage.travel, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	(void)travel_explore(stage.travel);
	stage.scene = (struct scene){
	    .travel = stage.travel, .document = stage.document, .focus = PANEL_TIMELINE, .breaks = "", .message = ""};
	scene_refresh(&stage.scene);
	return stage;
}

static inline void stage_end(struct stage *stage)
{
	travel_free(stage->travel);
	document_free(stage->document);
}

static inline void stage_seek(struct stage *stage, uint64_t position)
{
	(void)travel_seek(stage->travel, position);
	scene_refresh(&stage->scene);
}

static inline bool stage_forward(struct stage *stage, uint64_t kinds)
{
	const struct travel_query query = {.kinds = kinds};
	bool arrived = travel_forward(stage->travel, &query) == TRAVEL_ARRIVED;
	scene_refresh(&stage->scene);
	return arrived;
}

/* Inlined, GCC 12 would take the text of a memory stream for the variable that points to it. */
#define OPENS_MEMSTREAM __attribute__((noinline, unused)) static

/* One view alone, as text that the caller frees. Everything that must be whole is. */
OPENS_MEMSTREAM char *stage_view(const struct scene *scene, enum panel panel, unsigned rows, unsigned columns)
{
	struct canvas canvas;
	char *text = NULL;
	size_t bytes = 0;
	assert_true(canvas_init(&canvas, rows, columns, GLYPHS_ASCII));
	views[panel]->draw(scene, canvas_area(&canvas));
	if (canvas.refused)
		fail_msg("event %u, %s at %ux%u: %u refused", (unsigned)scene->position, panel_name(panel), columns,
			 rows, canvas.refused);
	FILE *out = open_memstream(&text, &bytes);
	canvas_write(&canvas, out, NULL);
	(void)fclose(out);
	canvas_release(&canvas);
	return text;
}

static inline void assert_says(const struct scene *scene, enum panel panel, const char *what)
{
	char *text = stage_view(scene, panel, 40, 120);
	if (!strstr(text, what))
		fail_msg("event %u, %s does not say '%s':\n%s", (unsigned)scene->position, panel_name(panel), what,
			 text);
	free(text);
}

#endif
