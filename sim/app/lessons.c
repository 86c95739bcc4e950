#include "lessons.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/document.h"

static int is_workload(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static void take(struct lessons *lessons, const char *folder, const char *file)
{
	char path[1024];
	struct document *document;
	struct error error = {0};
	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	if (document_load(path, &document, &error) != STATUS_OK) {
		(void)complain(&error);
		return;
	}
	struct tui_lesson lesson = {strdup(path), strdup(document->name), strdup(document->description)};
	lessons->list[lessons->count++] = lesson;
	document_free(document);
}

void lessons_find(struct lessons *lessons)
{
	static const char *const folders[] = {"workloads", FAULTLINE_WORKLOAD_DIR};
	struct dirent **found = NULL;
	unsigned folder = 0;
	int count = scandir(folders[folder], &found, is_workload, alphasort);
	if (count <= 0) {
		free(found);
		found = NULL;
		count = scandir(folders[++folder], &found, is_workload, alphasort);
	}
	*lessons = (struct lessons){0};
	if (count > 0)
		lessons->list = calloc((size_t)count, sizeof(*lessons->list));
	for (int i = 0; i < count; i++) {
		if (lessons->list)
			take(lessons, folders[folder], found[i]->d_name);
		free(found[i]);
	}
	free(found);
}

void lessons_release(struct lessons *lessons)
{
	for (unsigned i = 0; i < lessons->count; i++) {
		free(lessons->list[i].path);
		free(lessons->list[i].name);
		free(lessons->list[i].description);
	}
	free(lessons->list);
	*lessons = (struct lessons){0};
}

const char *lessons_places(void)
{
	return "neither in workloads nor in " FAULTLINE_WORKLOAD_DIR;
}
