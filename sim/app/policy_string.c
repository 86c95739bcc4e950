#include "policy_string.h"

#include <string.h>

#include "faultline/document.h"
#include "faultline/output.h"
#include "faultline/world.h"

static bool is_workload(const char *path)
{
	const char *ending = strrchr(path, '.');
	return document_is_op_list(path) || (ending && strcmp(ending, ".json") == 0);
}

static enum status record(const struct policy_string_source *source, struct document *document,
			  struct references *references, struct error *error)
{
	struct world *world;
	struct recorder recorder;
	if (world_new(document, &world, error) != STATUS_OK)
		return error->status;
	recorder_attach(&recorder, world, references, source->pages);
	enum status status = world_run(world, error);
	world_free(world);
	if (status == STATUS_EXPECT_FAILED)
		status = STATUS_OK;
	if (status == STATUS_OK && recorder.overflown)
		status = error_set(error, STATUS_BAD_INPUT, "%s: it makes more than 2^32 - 2 references", source->path);
	return status;
}

static enum status run_workload(const struct policy_string_source *source, struct references *references,
				struct error *error)
{
	struct document *document = NULL;
	enum status status = document_load(source->path, &document, error);
	for (unsigned i = 0; i < source->setting_count && status == STATUS_OK; i++)
		status = document_set(document, source->settings[i], error);
	if (status == STATUS_OK)
		status = record(source, document, references, error);
	document_free(document);
	return status;
}

static enum status read_any(const struct policy_string_source *source, struct references *references,
			    struct error *error)
{
	if (!source->refs == !source->path)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: give a trace or a workload, or --refs with the string itself",
				 source->refs ? "two reference strings" : "no reference string");
	if (source->path && is_workload(source->path))
		return run_workload(source, references, error);
	if (source->setting_count)
		return error_set(error, STATUS_BAD_INPUT,
				 "--set %s: %s is a trace; only a workload (.json, .ops, .ops.gz) has settings",
				 source->settings[0], source->path ? source->path : "--refs");
	if (source->path)
		return references_read_file(references, source->path, error);
	return references_read_text(references, source->refs, strlen(source->refs), "--refs", error);
}

static enum status save(const char *path, const struct references *references, struct error *error)
{
	struct output output;
	enum status status = output_open(&output, path, error);
	if (status != STATUS_OK)
		return status;
	status = references_write_packed(references, output.file, error);
	if (status == STATUS_OK)
		return output_commit(&output, error);
	output_discard(&output);
	return status;
}

enum status policy_string_read(const struct policy_string_source *source, struct references *references,
			       struct error *error)
{
	enum status status = read_any(source, references, error);
	if (status == STATUS_OK && references->count == 0)
		status = error_set(error, STATUS_BAD_INPUT, "%s: there is no reference in it",
				   source->path ? source->path : "--refs");
	if (status == STATUS_OK && source->save)
		status = save(source->save, references, error);
	return status;
}
