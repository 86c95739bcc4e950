/* Files of the folder: written beside their place, made durable, then given their name. */
#ifndef FAULTLINE_STUDY_RESULT_FILE_H
#define FAULTLINE_STUDY_RESULT_FILE_H

#include <limits.h>
#include <stdint.h>
#include <stdio.h>

#include "faultline/status.h"

struct result_file {
	FILE *file; /* NULL: not open */
	char path[PATH_MAX];
	char part[PATH_MAX + 8]; /* its name until it is whole */
};

/* HOST: cannot be created. */
enum status result_file_open(struct result_file *out, const char *folder, const char *name, struct error *error);
/* Everything is on the disk afterwards, under its name; or the file is gone, and error says why. */
enum status result_file_commit(struct result_file *file, struct error *error);
void result_file_discard(struct result_file *file); /* of one that is not open: nothing */

/* Opens a file to read and to write, made if it is not there, for this process alone. `bytes`: what it holds.
 * BAD_INPUT: another process has it. The caller closes the descriptor, which is -1 after a failure. */
enum status result_open_alone(const char *path, int *fd, uint64_t *bytes, struct error *error);

/* Makes it unless it is there. */
enum status result_folder_make(const char *folder, struct error *error);
/* New names in a folder are durable only when the folder is. */
void result_folder_sync(const char *folder);

/* "PATH: cannot be written: No space left on device: ..." with what to do then. */
enum status result_cannot_write(const char *path, struct error *error);

bool result_has_file(const char *folder, const char *name);

/* A JSON text with its quotation marks. */
void put_json_text(FILE *out, const char *text);

#endif
