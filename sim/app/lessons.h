/* The shipped lessons: those in the folder workloads, or else the installed ones. */
#ifndef FAULTLINE_APP_LESSONS_H
#define FAULTLINE_APP_LESSONS_H

#include "faultline/tui.h"

struct lessons {
	struct tui_lesson *list; /* by name of file */
	unsigned count;
};

/* What cannot be read is said on standard error and left out. Call lessons_release in any case. */
void lessons_find(struct lessons *lessons);
void lessons_release(struct lessons *lessons);
/* Where they were looked for, in words. */
const char *lessons_places(void);

#endif
