/* What a comparison must not exceed: "faults.major>+5%". For continuous integration.
 *
 *	[SCOPE:]STATISTIC OP VALUE
 *
 * OP is > >= < <= == or !=. VALUE with a sign is a change from A to B, absolute or with % in percent of A; without one
 *it is what B has. Without a scope the machine is meant, of a study every point. */
#ifndef FAULTLINE_THRESHOLD_H
#define FAULTLINE_THRESHOLD_H

#include <stdbool.h>

#include "faultline/status.h"

enum threshold_op { THRESHOLD_GE, THRESHOLD_LE, THRESHOLD_EQ, THRESHOLD_NE, THRESHOLD_GT, THRESHOLD_LT, THRESHOLD_OPS };
enum threshold_kind { THRESHOLD_VALUE, THRESHOLD_CHANGE, THRESHOLD_PERCENT };

struct threshold {
	const char *text; /* as given */
	char scope[128];  /* "" when none is named */
	char name[64];
	enum threshold_op op;
	enum threshold_kind kind;
	double value;
};

/* The text must live as long as the threshold. BAD_INPUT: error says what is wrong with it. */
enum status threshold_parse(const char *text, struct threshold *out, struct error *error);
/* True: the condition holds, the comparison has failed. */
bool threshold_exceeded(const struct threshold *threshold, double a, double b);

#endif
