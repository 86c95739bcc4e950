#include "faultline/eventlog.h"

#include <stdlib.h>

#include "faultline/event_fields.h"
#include "faultline/phrase.h"
#include "faultline/provenance.h"
#include "faultline/status.h"
#include "faultline/version.h"
#include "json_line.h"

struct eventlog {
	struct event_fields fields;
	struct json_line line;
};

static void write_seeds(struct json_line *line, const struct document *document)
{
	struct provenance provenance = provenance_of(document);
	json_line_text(line, "[");
	for (unsigned i = 0; i < provenance.seed_count; i++) {
		json_line_text(line, i ? "," : "");
		json_line_number(line, provenance.seeds[i]);
	}
	json_line_text(line, "]");
}

static void write_head(struct json_line *line, const struct document *document)
{
	json_line_text(line, "{\"format\":\"" EVENTLOG_FORMAT "\",\"version\":\"" FAULTLINE_VERSION "\",\"workload\":");
	json_line_string(line, document->name);
	json_line_text(line, ",\"digest\":");
	json_line_hex(line, document->digest);
	json_line_text(line, ",\"seeds\":");
	write_seeds(line, document);
	json_line_text(line, "}\n");
	json_line_flush(line);
}

struct eventlog *eventlog_new(FILE *out, const struct document *document)
{
	struct eventlog *log = calloc(1, sizeof(*log));
	BUG_ON(!log);
	event_fields_parse(&log->fields);
	log->line.out = out;
	write_head(&log->line, document);
	return log;
}

void eventlog_free(struct eventlog *eventlog)
{
	free(eventlog);
}

/* A value or -errno, as strace writes it. */
static void write_result(struct json_line *line, uint64_t result)
{
	if ((int64_t)result < 0 && (int64_t)result >= -4095)
		json_line_string(line, phrase_result(result).text);
	else
		json_line_hex(line, result);
}

static void write_value(struct json_line *line, enum field_type type, const struct event *event, unsigned index)
{
	switch (type) {
	case FIELD_HEX:
	case FIELD_PFN:
		json_line_hex(line, event->arg[index]);
		break;
	case FIELD_DEC:
	case FIELD_BYTES:
		json_line_number(line, event->arg[index]);
		break;
	case FIELD_RESULT:
		write_result(line, event->arg[index]);
		break;
	case FIELD_TEXT:
		json_line_string(line, event_arg_text(event, index));
		break;
	case FIELD_TYPE_COUNT:
		BUG();
	}
}

static void write_stamp(struct json_line *line, const struct event *event)
{
	const struct event_info *info = event_info((enum event_kind)event->kind);
	json_line_text(line, "{\"n\":");
	json_line_number(line, event->number);
	json_line_text(line, ",\"cycle\":");
	json_line_number(line, event->cycle);
	json_line_text(line, ",\"pid\":");
	json_line_number(line, event->pid);
	json_line_text(line, ",\"ring\":");
	json_line_number(line, event->ring);
	if (event->cpu) {
		json_line_text(line, ",\"cpu\":");
		json_line_number(line, event->cpu);
	}
	json_line_text(line, ",\"layer\":\"");
	json_line_text(line, layer_name(info->layer));
	json_line_text(line, "\",\"event\":\"");
	json_line_text(line, info->name);
	json_line_text(line, "\"");
}

void eventlog_event(void *self, const struct event *event)
{
	struct eventlog *log = self;
	struct json_line *line = &log->line;
	write_stamp(line, event);
	for (unsigned i = 0; i < log->fields.count[event->kind]; i++) {
		const struct event_field *field = &log->fields.field[event->kind][i];
		json_line_text(line, ",\"");
		json_line_text(line, field->name);
		json_line_text(line, "\":");
		write_value(line, field->type, event, i);
	}
	json_line_text(line, "}\n");
	json_line_flush(line);
}
