/* Writes events as JSON Lines: one object a line, the same bytes on every host (docs/events-1.md). An observer:
 * subscribe eventlog_event to a bus for the events that are wanted.
 *
 * The first line says what the file belongs to: format, version, workload, digest, seeds. Every other line is an event:
 * n (its number), cycle, pid, ring, layer, event, and the fields of EVENT_LIST under their names. Types: hex and pfn
 * are strings "0x...", dec and bytes are numbers, result is a string ("-ENOMEM" or "0x..."), text is a string. */
#ifndef FAULTLINE_EVENTLOG_H
#define FAULTLINE_EVENTLOG_H

#include <stdio.h>

#include "faultline/document.h"
#include "faultline/event.h"

#define EVENTLOG_FORMAT "faultline-events-1"

struct eventlog;

/* Writes the first line to `out`, which stays the caller's, as do its errors: ask ferror. */
struct eventlog *eventlog_new(FILE *out, const struct document *document);
/* An event_fn: writes one line. */
void eventlog_event(void *eventlog, const struct event *event);
void eventlog_free(struct eventlog *eventlog); /* NULL is allowed */

#endif
