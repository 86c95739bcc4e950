/* Whole workloads: from the document in memory to the end of the run, boot included. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "faultline/world.h"

enum { PATH_BYTES = 2048 };

static void need(enum status status, const struct error *error)
{
	if (status == STATUS_OK)
		return;
	(void)fprintf(stderr, "bench: %s\n", error->text);
	exit(4);
}

static uint64_t run_world(const struct document *document)
{
	struct world *world;
	struct error error = {.text = ""};
	need(world_new(document, &world, &error), &error);
	need(world_run(world, &error), &error);
	uint64_t operations = world_progress(world).operations;
	world_free(world);
	return operations;
}

static void round_runs(void *self, uint64_t count)
{
	while (count--)
		(void)run_world(self);
}

struct list {
	const char *path;
	uint64_t operations;
};

static void round_decode(void *self, uint64_t count)
{
	struct list *list = self;
	struct error error = {.text = ""};
	while (count--)
		need(document_check_op_list(list->path, &list->operations, &error), &error);
}

static int has_ending(const char *name, const char *ending)
{
	size_t length = strlen(name);
	size_t tail = strlen(ending);
	return length > tail && strcmp(name + length - tail, ending) == 0;
}

static int is_json(const struct dirent *entry)
{
	return has_ending(entry->d_name, ".json");
}

static int is_trace(const struct dirent *entry)
{
	return strncmp(entry->d_name, "trace-", 6) == 0 && has_ending(entry->d_name, ".ops.gz");
}

typedef void file_fn(struct bench *bench, const char *name, const char *path);

static void each_file(struct bench *bench, const char *folder, int (*filter)(const struct dirent *), file_fn *fn)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, filter, alphasort);
	for (int i = 0; i < count; i++) {
		char path[2 * PATH_BYTES];
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
		fn(bench, entries[i]->d_name, path);
		free(entries[i]);
	}
	free(entries);
}

static void measure_lesson(struct bench *bench, const char *name, const char *path)
{
	char label[PATH_BYTES];
	struct document *document;
	struct error error = {.text = ""};
	need(document_load(path, &document, &error), &error);
	(void)snprintf(label, sizeof(label), "run: %s, whole", name);
	bench_measure(bench, label, 0, round_runs, document);
	document_free(document);
}

static void measure_trace(struct bench *bench, const char *name, const char *path)
{
	char label[PATH_BYTES];
	struct document *document;
	struct error error = {.text = ""};
	struct list list = {.path = path};
	round_decode(&list, 1);
	(void)snprintf(label, sizeof(label), "decode: %s, an operation", name);
	bench_measure_many(bench, label, 5, list.operations, round_decode, &list);
	need(document_load(path, &document, &error), &error);
	(void)snprintf(label, sizeof(label), "run: %s, an operation", name);
	bench_measure_many(bench, label, 0, list.operations, round_runs, document);
	document_free(document);
}

/* 1 GiB touched on a machine of 1 TiB, in a process of its own: what the host's memory was at its highest. */
static void measure_terabyte(struct bench *bench)
{
	static const char text[] = "{\"faultline\": 1, \"name\": \"terabyte\", \"machine\": {\"memory\": \"1TiB\"},"
				   " \"script\": [{\"op\": \"malloc\", \"id\": \"b\", \"size\": \"1GiB\"},"
				   " {\"op\": \"write\", \"at\": \"b\", \"length\": \"1GiB\"}]}";
	const unsigned bound_mib = 256;
	pid_t child = fork();
	if (child == 0) {
		struct document *document;
		struct error error = {.text = ""};
		need(document_parse(text, strlen(text), "terabyte", &document, &error), &error);
		bench_measure_many(bench, "run: 1 GiB touched on 1 TiB, a page", 0, GIB / PAGE_BYTES, round_runs,
				   document);
		document_free(document);
		(void)fflush(stdout);
		_exit(0);
	}
	int status;
	struct rusage usage;
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
		return;
	unsigned peak_mib = (unsigned)((usage.ru_maxrss + 1023) / 1024);
	bench_fact(bench, "run: 1 GiB touched on 1 TiB, host's peak", peak_mib, bound_mib, "MiB");
}

void bench_workload(struct bench *bench)
{
	const char *vectors = getenv("FAULTLINE_VECTORS");
	char traces[PATH_BYTES];
	(void)snprintf(traces, sizeof(traces), "%s/libc", vectors ? vectors : FAULTLINE_VECTORS);
	measure_terabyte(bench);
	each_file(bench, FAULTLINE_SOURCE_DIR "/workloads", is_json, measure_lesson);
	each_file(bench, traces, is_trace, measure_trace);
}
