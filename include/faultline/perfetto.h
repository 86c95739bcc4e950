/* Writes a trace in the JSON format of Chrome's trace viewer, which the Perfetto UI opens ("Trace Event Format",
 * Google). One process of the trace for each simulated one, with a track for each layer: operations, calls of the C
 * library, system calls and page faults, and the time in ring 0 as slices, walks as slices of the hardware, resident
 * memory as a counter. One nanosecond of the trace is one simulated cycle. An observer: subscribe perfetto_event for
 * perfetto_mask. */
#ifndef FAULTLINE_PERFETTO_H
#define FAULTLINE_PERFETTO_H

#include <stdint.h>
#include <stdio.h>

#include "faultline/world.h"

struct perfetto;

/* Writes to `out`, which stays the caller's, as do its errors: ask ferror. The world is looked at, for resident memory.
 */
struct perfetto *perfetto_new(FILE *out, const struct world *world);
uint64_t perfetto_mask(void);
void perfetto_event(void *perfetto, const struct event *event); /* an event_fn */
/* Ends what is still open, and the document. Before the world goes. */
void perfetto_free(struct perfetto *perfetto); /* NULL is allowed */

#endif
