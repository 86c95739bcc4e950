/* Where a reference string comes from: the command line, a file, or a workload that is run for it. */
#ifndef FAULTLINE_APP_POLICY_STRING_H
#define FAULTLINE_APP_POLICY_STRING_H

#include "faultline/recorder.h"
#include "faultline/references.h"

enum { POLICY_SETTINGS_MOST = 64 };

struct policy_string_source {
	const char *path; /* trace or workload; NULL: refs */
	const char *refs;
	/* Of a workload: KEY=VALUE, and what a page is. */
	const char *settings[POLICY_SETTINGS_MOST];
	unsigned setting_count;
	enum recorder_pages pages;
	const char *save; /* the string is written here, packed; NULL: nowhere */
};

/* Appends the string. BAD_INPUT: there is none, or it is wrong. A workload must run to its end; it may fail its
 * expectations, since those are about the memory that it is run with. */
enum status policy_string_read(const struct policy_string_source *source, struct references *references,
			       struct error *error);

#endif
