/* The six steps in short, with the numbers of their first occurrence. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "faultline/phrase.h"
#include "faultline/pte.h"
#include "page_private.h"

/* A line: event number, ring, and what happened. */
static void put_line(struct report *report, const struct event *event, const char *ring, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void put_line(struct report *report, const struct event *event, const char *ring, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (event)
		report_cell_textf(report, "%8" PRIu64, event->number);
	else
		report_cell_text(report, "");
	report_cell_text(report, ring);
	report_cell_text(report, text);
}

/* The bytes that the program asks for. */
static uint64_t wanted(const struct event *call)
{
	const char *function = event_arg_text(call, 0);
	if (strcmp(function, "malloc") == 0)
		return call->arg[1];
	return strcmp(function, "calloc") == 0 ? call->arg[1] * call->arg[2] : call->arg[2];
}

static void put_call(struct report *report, const struct timeline *timeline)
{
	const struct event *call = &timeline->step[TIMELINE_CALL];
	const struct event *grow = &timeline->step[TIMELINE_GROW];
	put_line(report, call, "3", "%s of %s: the libc looks in %s, no free block fits", event_arg_text(call, 0),
		 phrase_size(wanted(call)).text, phrase_count(timeline->searches, "place").text);
	if (timeline->seen[TIMELINE_GROW])
		put_line(report, grow, "3 -> 0", "it asks the kernel for %s by %s: SYSCALL",
			 phrase_size(grow->arg[1]).text, event_arg_text(grow, 0));
}

static void put_area(struct report *report, const struct timeline *timeline)
{
	const struct event *serve = &timeline->step[TIMELINE_SERVE];
	const struct event *area = &timeline->step[TIMELINE_AREA];
	const char *name = event_arg_text(area, 3);
	put_line(report, serve, "0", "%s: the VMA %s %s 0x%" PRIx64 "-0x%" PRIx64 " %s; no frame is given",
		 event_arg_text(serve, 0), name[0] ? name : "anonymous",
		 area->kind == EVENT_VMA_ADD ? "appears," : "grows,", area->arg[0], area->arg[1],
		 event_arg_text(area, 2));
	put_line(report, timeline->seen[TIMELINE_LEAVE] ? &timeline->step[TIMELINE_LEAVE] : NULL, "0 -> 3",
		 "SYSRET, result %s", phrase_result(timeline->step[TIMELINE_ANSWER].arg[1]).text);
}

static void put_return(struct report *report, const struct timeline *timeline)
{
	const struct event *back = &timeline->step[TIMELINE_RETURN];
	if (timeline->seen[TIMELINE_RETURN])
		put_line(report, back, "3", "%s returns 0x%" PRIx64 ": an address, not yet RAM; the program goes on",
			 event_arg_text(back, 0), back->arg[1]);
}

static void put_touch(struct report *report, const struct timeline *timeline)
{
	const struct event *exception = &timeline->step[TIMELINE_EXCEPTION];
	const struct event *walk = &timeline->step[TIMELINE_WALK];
	const struct event *frame = &timeline->step[TIMELINE_FRAME];
	const struct event *entry = &timeline->step[TIMELINE_ENTRY];
	const char *who = timeline->touched_by_libc ? "the libc itself touches" : "first touch of";
	put_line(report, walk, "3", "%s 0x%" PRIx64 ": TLB miss, the walk ends at entry 0x%" PRIx64 ": %s", who,
		 exception->arg[2], walk->arg[2], event_arg_text(walk, 3));
	put_line(report, exception, "3 -> 0", "#PF, error code 0x%" PRIx64 ": %s", exception->arg[1],
		 phrase_fault_words((uint32_t)exception->arg[1]).text);
	put_line(report, frame->number ? frame : &timeline->step[TIMELINE_FAULT], "0", "%s: %s",
		 event_arg_text(&timeline->step[TIMELINE_FAULT], 1),
		 phrase_entry((struct pte){entry->arg[1]}, (unsigned)entry->arg[2]).text);
	put_line(report, &timeline->step[TIMELINE_RESUME], "0 -> 3", "IRETQ; the instruction runs again and succeeds");
}

void page_timeline(struct report *report, const struct timeline *timeline)
{
	static const struct report_column columns[] = {{"event", "   event"}, {"ring", "ring"}, {"what", ""}};
	if (!timeline->seen[TIMELINE_AREA] || !timeline->seen[TIMELINE_ANSWER])
		return;
	report_table_begin(report, "timeline", "From a promise to a frame, the first time", columns, 3);
	if (timeline->seen[TIMELINE_CALL])
		put_call(report, timeline);
	put_area(report, timeline);
	if (timeline->touched_by_libc)
		put_touch(report, timeline);
	put_return(report, timeline);
	if (timeline->seen[TIMELINE_FAULT] && !timeline->touched_by_libc)
		put_touch(report, timeline);
	report_table_end(report);
}
