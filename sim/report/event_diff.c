#include "faultline/event_diff.h"

#include <stdlib.h>
#include <string.h>

#include "faultline/eventlog.h"

/* A stream and its present line. */
struct reader {
	FILE *in;
	char *line;
	size_t room;
	bool ended;
	uint64_t events;
};

static bool read_line(struct reader *reader)
{
	if (reader->ended)
		return false;
	ssize_t length = getline(&reader->line, &reader->room, reader->in);
	reader->ended = length <= 0;
	if (reader->ended)
		return false;
	if (reader->line[length - 1] == '\n')
		reader->line[length - 1] = '\0';
	return true;
}

static bool next_event(struct reader *reader)
{
	bool read = read_line(reader);
	reader->events += read;
	return read;
}

static enum status read_head(struct reader *reader, const char *name, struct error *error)
{
	if (read_line(reader) && strstr(reader->line, "\"format\":\"" EVENTLOG_FORMAT "\""))
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "%s: no events of the format " EVENTLOG_FORMAT, name);
}

static char *copy(const char *line)
{
	char *out = strdup(line);
	BUG_ON(!out);
	return out;
}

/* What happens begins with the process: before are the number and the cycle. */
static const char *what_happens(const char *line)
{
	const char *at = strstr(line, ",\"pid\":");
	return at ? at : line;
}

static void note_time(struct event_diff *diff, const struct reader *a, const struct reader *b)
{
	if (diff->time_parted || strcmp(a->line, b->line) == 0)
		return;
	diff->time_parted = true;
	diff->time_a = copy(a->line);
	diff->time_b = copy(b->line);
}

static void remember(struct event_diff *diff, const char *line)
{
	free(diff->before[0]);
	memmove(diff->before, diff->before + 1, sizeof(diff->before) - sizeof(*diff->before));
	diff->before[EVENT_DIFF_CONTEXT - 1] = copy(line);
	diff->common++;
}

/* The present event and what follows, to the end of the stream. */
static void read_rest(struct reader *reader, bool has_event, struct event_diff_side *side)
{
	for (unsigned i = 0; has_event; i++) {
		if (i < EVENT_DIFF_CONTEXT)
			side->line[i] = copy(reader->line);
		has_event = next_event(reader);
	}
	side->events = reader->events;
}

static void compare(struct reader *a, struct reader *b, struct event_diff *out)
{
	bool more_a = next_event(a), more_b = next_event(b);
	while (more_a && more_b && strcmp(what_happens(a->line), what_happens(b->line)) == 0) {
		note_time(out, a, b);
		remember(out, a->line);
		more_a = next_event(a);
		more_b = next_event(b);
	}
	out->parted = more_a || more_b;
	read_rest(a, more_a, &out->a);
	read_rest(b, more_b, &out->b);
}

enum status event_diff_read(FILE *a, FILE *b, const char *name_a, const char *name_b, struct event_diff *out,
			    struct error *error)
{
	struct reader one = {.in = a}, other = {.in = b};
	*out = (struct event_diff){0};
	enum status status = read_head(&one, name_a, error);
	if (status == STATUS_OK)
		status = read_head(&other, name_b, error);
	if (status == STATUS_OK)
		compare(&one, &other, out);
	free(one.line);
	free(other.line);
	return status;
}

void event_diff_release(struct event_diff *diff)
{
	for (unsigned i = 0; i < EVENT_DIFF_CONTEXT; i++) {
		free(diff->before[i]);
		free(diff->a.line[i]);
		free(diff->b.line[i]);
	}
	free(diff->time_a);
	free(diff->time_b);
	*diff = (struct event_diff){0};
}
