/* Replays an op list on the simulated machine and tells every operation in the words of the recordings
 * (tests/data/libc/README.md): "RESULT USABLE FAULTS [E<errno>] [CALL]...", and at the end the lines that begin with #.
 */
#ifndef FAULTLINE_TESTS_REPLAY_H
#define FAULTLINE_TESTS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/status.h"

struct replay_line {
	const char *text;
	const char *operation; /* "malloc size=24"; "" for the lines at the end */
	uint32_t line;         /* in the op list */
};

typedef void replay_line_fn(void *self, const struct replay_line *line);

/* `settings` are for document_set, up to a NULL. `views`: also the texts of malloc_stats and
 * malloc_info, "# | LINE". OK when the list ran to its end. The texts are valid during the call. */
enum status replay_op_list(const char *path, const char *const settings[], bool views, replay_line_fn *fn, void *self,
			   struct error *error);

#endif
