/* From words of the command line to engines; one decoding of the string feeds all engines of a thread. */
#include "policy_request.h"

#include <stdlib.h>
#include <string.h>

#include "faultline/parallel.h"
#include "format.h"
#include "words.h"

enum { WORD_BYTES = 64 };

enum status parse_natural(const char *option, const char *text, uint64_t *out, struct error *error)
{
	char *end;
	*out = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0')
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "%s %s: that is no natural number", option, text);
}

static enum status take_setting(struct policy_string_source *source, const char *setting, struct error *error)
{
	if (source->setting_count == POLICY_SETTINGS_MOST)
		return error_set(error, STATUS_BAD_INPUT, "--set: more than %d settings", POLICY_SETTINGS_MOST);
	source->settings[source->setting_count++] = setting;
	return STATUS_OK;
}

static enum status take_jobs(const char *text, unsigned *jobs, struct error *error)
{
	uint64_t number;
	if (parse_natural("--jobs", text, &number, error) != STATUS_OK)
		return error->status;
	if (number == 0 || number > JOBS_MOST)
		return error_set(error, STATUS_BAD_INPUT, "--jobs %s: write a number from 1 to %d", text, JOBS_MOST);
	*jobs = (unsigned)number;
	return STATUS_OK;
}

enum status policy_request_option(struct policy_request *request, const struct option_given *given, struct error *error)
{
	switch ((enum policy_option)given->id) {
	case POLICY_OPTION_REFS:
		request->source.refs = given->value;
		break;
	case POLICY_OPTION_FRAMES:
		request->frames = given->value;
		break;
	case POLICY_OPTION_POLICY:
		request->policies = given->value;
		break;
	case POLICY_OPTION_STATS:
		return take_format("--stats", given->value, &request->format, error);
	case POLICY_OPTION_SEED:
		return parse_natural("--seed", given->value, &request->engine.seed, error);
	case POLICY_OPTION_WINDOW:
		return parse_natural("--window", given->value, &request->engine.window, error);
	case POLICY_OPTION_TICK:
		return parse_natural("--tick", given->value, &request->engine.tick, error);
	case POLICY_OPTION_HARDWARE:
		request->engine.hardware = true;
		break;
	case POLICY_OPTION_SET:
		return take_setting(&request->source, given->value, error);
	case POLICY_OPTION_SAVE:
		request->source.save = given->value;
		break;
	case POLICY_OPTION_JOBS:
		return take_jobs(given->value, &request->jobs, error);
	case POLICY_OPTION_COUNT:
		break;
	}
	return STATUS_OK;
}

/* The next word of a list with commas; false at its end. */
static bool next_word(const char **list, char word[WORD_BYTES])
{
	size_t length = strcspn(*list, ",");
	if (**list == '\0')
		return false;
	size_t kept = length < WORD_BYTES - 1 ? length : WORD_BYTES - 1;
	memcpy(word, *list, kept);
	word[kept] = '\0';
	*list += length + ((*list)[length] == ',');
	return true;
}

/* ---- policies ---- */

static enum status no_such_policy(const char *name, struct error *error)
{
	const char *names[POLICY_MOST];
	unsigned count = 0;
	for (; policy_registry[count] && count < POLICY_MOST; count++)
		names[count] = policy_registry[count]->name;
	const char *nearest = nearest_word(name, names, count);
	return error_set(error, STATUS_BAD_INPUT,
			 "--policy %s: there is no such policy%s%s%s; faultline list policies names them", name,
			 nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static enum status read_policies(struct policy_request *request, struct error *error)
{
	const char *list = request->policies;
	char word[WORD_BYTES];
	if (!list) {
		for (; policy_registry[request->policy_count]; request->policy_count++)
			request->policy[request->policy_count] = policy_registry[request->policy_count];
		return STATUS_OK;
	}
	while (next_word(&list, word)) {
		const struct policy_ops *ops = policy_find(word);
		if (!ops)
			return no_such_policy(word, error);
		if (request->policy_count == POLICY_MOST)
			return error_set(error, STATUS_BAD_INPUT, "--policy: more than %d policies", POLICY_MOST);
		request->policy[request->policy_count++] = ops;
	}
	return request->policy_count
		   ? STATUS_OK
		   : error_set(error, STATUS_BAD_INPUT, "--policy wants names, as in --policy lru,clock");
}

/* ---- frames ---- */

static enum status add_frames(struct policy_request *request, uint64_t frames, const char *word, struct error *error)
{
	if (frames == 0 || frames > UINT32_MAX / 4)
		return error_set(error, STATUS_BAD_INPUT, "--frames %s: there must be 1 to %u frames", word,
				 UINT32_MAX / 4);
	if (request->frame_count == FRAMES_MOST)
		return error_set(error, STATUS_BAD_INPUT, "--frames: more than %d sizes", FRAMES_MOST);
	request->frame[request->frame_count++] = (uint32_t)frames;
	return STATUS_OK;
}

/* "4", "1..8", "25%" */
static enum status read_frames_word(struct policy_request *request, const char *word, struct error *error)
{
	char *end;
	uint64_t first = strtoull(word, &end, 10);
	uint64_t last = first;
	if (end == word || word[0] == '-')
		return error_set(error, STATUS_BAD_INPUT, "--frames %s: write a number, a range 1..8 or a share 25%%",
				 word);
	if (strcmp(end, "%") == 0) {
		first = last = (first * request->references.pages + 99) / 100;
	} else if (strncmp(end, "..", 2) == 0) {
		const char *from = end + 2;
		last = strtoull(from, &end, 10);
		if (*end != '\0' || end == from || last < first)
			return error_set(error, STATUS_BAD_INPUT, "--frames %s: a range is written 1..8", word);
	} else if (*end != '\0') {
		return error_set(error, STATUS_BAD_INPUT, "--frames %s: write a number, a range 1..8 or a share 25%%",
				 word);
	}
	enum status status = STATUS_OK;
	for (uint64_t frames = first; frames <= last && status == STATUS_OK; frames++)
		status = add_frames(request, frames, word, error);
	return status;
}

static enum status read_frames(struct policy_request *request, struct error *error)
{
	const char *list = request->frames;
	char word[WORD_BYTES];
	enum status status = STATUS_OK;
	while (list && status == STATUS_OK && next_word(&list, word))
		status = read_frames_word(request, word, error);
	return status;
}

/* ---- opening ---- */

static bool anyone_knows_future(const struct policy_request *request)
{
	for (unsigned i = 0; i < request->policy_count; i++) {
		if (policy_knows_future(request->policy[i]))
			return true;
	}
	return false;
}

enum status policy_request_open(struct policy_request *request, struct error *error)
{
	references_init(&request->references);
	if (request->jobs == 0)
		request->jobs = parallel_jobs();
	enum status status = policy_string_read(&request->source, &request->references, error);
	if (status == STATUS_OK)
		status = read_policies(request, error);
	if (status == STATUS_OK)
		status = read_frames(request, error);
	if (status == STATUS_OK && anyone_knows_future(request))
		request->next_use = references_next_uses(&request->references);
	return status;
}

void policy_request_close(struct policy_request *request)
{
	free(request->next_use);
	references_release(&request->references);
}

/* ---- engines ---- */

struct engines {
	const struct policy_request *request;
	struct policy_engine **engine;
	unsigned count, groups;
};

/* The engines of a group take a block before the next one comes, while it is in the host's cache. */
static void feed_group(void *self, unsigned group)
{
	const struct engines *engines = self;
	struct references_reader *reader = references_reader_new(&engines->request->references);
	const uint32_t *block;
	size_t count;
	while ((count = references_next(reader, &block)) > 0) {
		for (unsigned i = group; i < engines->count; i += engines->groups)
			policy_engine_feed(engines->engine[i], block, count);
	}
	references_reader_free(reader);
}

static enum status make_engines(const struct policy_request *request, struct policy_engine **engines,
				struct error *error)
{
	unsigned made = 0;
	for (unsigned i = 0; i < request->policy_count; i++) {
		for (unsigned j = 0; j < request->frame_count; j++) {
			struct policy_engine_config config = request->engine;
			config.frames = request->frame[j];
			config.pages = request->references.pages;
			config.next_use = request->next_use;
			engines[made] = policy_engine_new(request->policy[i], &config);
			if (!engines[made++])
				return error_set(error, STATUS_HOST, "the host has no memory for %s with %u frames",
						 request->policy[i]->name, config.frames);
		}
	}
	return STATUS_OK;
}

enum status policy_request_run(const struct policy_request *request, struct policy_engine_result *results,
			       struct error *error)
{
	struct engines engines = {.request = request, .count = request->policy_count * request->frame_count};
	engines.engine = calloc(engines.count + 1u, sizeof(*engines.engine));
	BUG_ON(!engines.engine);
	engines.groups = engines.count < request->jobs ? engines.count : request->jobs;
	enum status status = make_engines(request, engines.engine, error);
	if (status == STATUS_OK)
		parallel_do(engines.groups, request->jobs, feed_group, &engines);
	for (unsigned i = 0; i < engines.count; i++) {
		if (status == STATUS_OK)
			results[i] = policy_engine_result(engines.engine[i]);
		policy_engine_free(engines.engine[i]);
	}
	free(engines.engine);
	return status;
}
