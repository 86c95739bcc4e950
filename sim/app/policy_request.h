/* What `policy` and `curve` are asked for: a reference string, policies, numbers of frames. */
#ifndef FAULTLINE_APP_POLICY_REQUEST_H
#define FAULTLINE_APP_POLICY_REQUEST_H

#include "faultline/policy_engine.h"
#include "faultline/references.h"
#include "faultline/report.h"
#include "options.h"
#include "policy_string.h"

enum { POLICY_MOST = 64, FRAMES_MOST = 256, JOBS_MOST = 1024 };

enum policy_option {
	POLICY_OPTION_REFS,
	POLICY_OPTION_FRAMES,
	POLICY_OPTION_POLICY,
	POLICY_OPTION_STATS,
	POLICY_OPTION_SEED,
	POLICY_OPTION_WINDOW,
	POLICY_OPTION_TICK,
	POLICY_OPTION_HARDWARE,
	POLICY_OPTION_SET,
	POLICY_OPTION_SAVE,
	POLICY_OPTION_JOBS,
	POLICY_OPTION_COUNT /* those of a command begin here */
};

#define POLICY_OPTIONS                                                                                                 \
	{"--refs", OPTION_WITH_VALUE, "STRING", "The reference string itself, in place of a file.",                    \
	 POLICY_OPTION_REFS},                                                                                          \
	    {"--frames", OPTION_WITH_VALUE, "N,...",                                                                   \
	     "How many frames there are: numbers, ranges (1..8) or shares of the pages (25%).", POLICY_OPTION_FRAMES}, \
	    {"--policy", OPTION_WITH_VALUE, "NAME,...", "Which policies; `list policies` names them.",                 \
	     POLICY_OPTION_POLICY},                                                                                    \
	    {"--stats", OPTION_WITH_VALUE, "FORMAT", "Print as text, json, csv or markdown.", POLICY_OPTION_STATS},    \
	    {"--seed", OPTION_WITH_VALUE, "N", "Of all that is random. Default: 0.", POLICY_OPTION_SEED},              \
	    {"--window", OPTION_WITH_VALUE, "N",                                                                       \
	     "References that a page stays in the working set. Default: as many as frames.", POLICY_OPTION_WINDOW},    \
	    {"--tick", OPTION_WITH_VALUE, "N", "References between two clock ticks. Default: as many as frames.",      \
	     POLICY_OPTION_TICK},                                                                                      \
	    {"--hardware", OPTION_FLAG, NULL,                                                                          \
	     "The reference that brings a page in sets A for every policy, as a processor does.",                      \
	     POLICY_OPTION_HARDWARE},                                                                                  \
	    {"--set", OPTION_WITH_VALUE, "KEY=VALUE",                                                                  \
	     "Override a setting of the workload whose references are recorded. May be given more than once.",         \
	     POLICY_OPTION_SET},                                                                                       \
	    {"--save", OPTION_WITH_VALUE, "FILE", "Write the reference string to FILE, packed.", POLICY_OPTION_SAVE},  \
	{                                                                                                              \
		"--jobs", OPTION_WITH_VALUE, "N", "Threads; without it, one on each processor of the host.",           \
		    POLICY_OPTION_JOBS                                                                                 \
	}

struct policy_request {
	const char *frames;   /* as given */
	const char *policies; /* as given; NULL: all */
	enum report_format format;
	struct policy_engine_config engine; /* seed, window, tick, hardware */
	struct policy_string_source source;
	unsigned jobs; /* 0: one on each processor */
	/* Filled by policy_request_open. */
	struct references references;
	uint32_t *next_use;
	const struct policy_ops *policy[POLICY_MOST];
	unsigned policy_count;
	uint32_t frame[FRAMES_MOST];
	unsigned frame_count;
};

/* One option that both commands have. */
enum status policy_request_option(struct policy_request *request, const struct option_given *given,
				  struct error *error);
/* Reads the string and resolves names and numbers. Close in any case. */
enum status policy_request_open(struct policy_request *request, struct error *error);
void policy_request_close(struct policy_request *request);

/* A natural number, with the option's name in the message. */
enum status parse_natural(const char *option, const char *text, uint64_t *out, struct error *error);

/* Feeds the string to all policies with all sizes; results[policy * frame_count + frame]. */
enum status policy_request_run(const struct policy_request *request, struct policy_engine_result *results,
			       struct error *error);

#endif
