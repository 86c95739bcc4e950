/* Where the events of two runs part, for people and programs. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diff_private.h"
#include "faultline/phrase.h"

void diff_put_verdict(struct report *report, const struct event_diff *events)
{
	if (events->parted)
		report_textf(report, "events", "events", "part after %s that %s the same on both sides",
			     phrase_count(events->common, "event").text, events->common == 1 ? "is" : "are");
	else
		report_textf(report, "events", "events", "%s, the same on both sides%s",
			     phrase_count(events->common, "event").text,
			     events->time_parted ? ", but not at the same time" : "");
	if (report_is_for_people(report))
		return;
	report_number(report, "common_events", "events in common", events->common, "");
	report_flag(report, "events_differ", "events differ", events->parted || events->time_parted);
}

/* The fields behind the stamp: "va=0x1000 kind=minor". */
static void put_fields(struct report *report, const cJSON *event)
{
	char text[512];
	size_t used = 0;
	const cJSON *item;
	bool behind = false;
	text[0] = '\0';
	cJSON_ArrayForEach(item, event)
	{
		char number[32];
		(void)snprintf(number, sizeof(number), "%.0f", item->valuedouble);
		if (behind && used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s", used ? " " : "",
						 item->string, cJSON_IsString(item) ? item->valuestring : number);
		behind |= strcmp(item->string, "event") == 0;
	}
	report_cell_text(report, text);
}

static void put_number(struct report *report, const cJSON *event, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(event, key);
	report_cell_number(report, cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0);
}

static void put_event(struct report *report, const char *side, const char *line)
{
	if (!line)
		return;
	cJSON *event = cJSON_Parse(line);
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(event, "event");
	report_cell_text(report, side);
	put_number(report, event, "n");
	put_number(report, event, "cycle");
	put_number(report, event, "pid");
	report_cell_text(report, cJSON_IsString(name) ? name->valuestring : "");
	put_fields(report, event);
	cJSON_Delete(event);
}

static const struct report_column columns[] = {{"side", "side"}, {"n", "event"},   {"cycle", "cycle"},
					       {"pid", "pid"},   {"name", "what"}, {"fields", ""}};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

void diff_put_events(struct report *report, const struct event_diff *events)
{
	if (events->time_parted) {
		report_table_begin(report, "first_in_time", "The first event at another time", columns, COLUMNS);
		put_event(report, "A", events->time_a);
		put_event(report, "B", events->time_b);
		report_table_end(report);
	}
	if (!events->parted)
		return;
	report_table_begin(report, "first_difference", "Where the events part", columns, COLUMNS);
	for (unsigned i = 0; i < EVENT_DIFF_CONTEXT; i++)
		put_event(report, "both", events->before[i]);
	for (unsigned i = 0; i < EVENT_DIFF_CONTEXT; i++)
		put_event(report, "A", events->a.line[i]);
	for (unsigned i = 0; i < EVENT_DIFF_CONTEXT; i++)
		put_event(report, "B", events->b.line[i]);
	report_table_end(report);
	if (!events->a.line[0] || !events->b.line[0])
		report_textf(report, "ended", NULL, "%s has come to its end there.", events->a.line[0] ? "B" : "A");
}
