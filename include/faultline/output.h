/* A file that the program writes: complete or not at all. What is written goes to a nameless file in the folder of the
 * target, which takes the target's name when everything has succeeded; whatever ends the program before, an interrupt
 * included, leaves nothing behind. "-" is standard output; what is no regular file (a pipe, a device) is written at
 * once. */
#ifndef FAULTLINE_OUTPUT_H
#define FAULTLINE_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "faultline/status.h"

struct output {
	const char *path; /* NULL: not open */
	FILE *file;
	bool nameless; /* waits for its name */
};

/* HOST when it cannot be made. The path must live as long as the output. */
enum status output_open(struct output *output, const char *path, struct error *error);
/* Gives the file its name; HOST when anything since output_open could not be written. Closes in any case. */
enum status output_commit(struct output *output, struct error *error);
/* Closes and forgets. Does nothing when it is not open. */
void output_discard(struct output *output);

#endif
