/* Numbers of a study, put together for its report. */
#ifndef FAULTLINE_REPORT_STUDY_PRIVATE_H
#define FAULTLINE_REPORT_STUDY_PRIVATE_H

#include "faultline/report_study.h"
#include "faultline/stat.h"

/* One value for each axis, or any: STUDY_ANY. */
enum { STUDY_ANY = -1 };
struct study_selection {
	int value[RESULTS_AXES];
};

/* Of the points that ran; the seeds are what varies when one value of every axis is selected. */
struct study_sample {
	unsigned count;
	double mean, low, high;
	double half; /* of the 95 % confidence interval, by Student's t; NAN with less than two */
};

/* Which axis plays which part; -1: none does. */
struct study_parts {
	int workload, variant, size;
	unsigned baseline; /* value of the variant */
};

struct study_parts study_parts(const struct results *results, const char *baseline);
struct study_selection study_select_all(void);
struct study_sample study_sample(const struct results *results, const struct study_selection *selection,
				 const char *statistic);
/* Geometric mean, over all points that differ in nothing else, of the variant's value by the baseline's; NAN: none. */
double study_ratio(const struct results *results, const struct study_parts *parts, unsigned variant,
		   const char *statistic);
const char *study_axis_name(const struct results *results, int axis);

void study_put_plots(struct report *report, const struct results *results, const struct study_parts *parts);

#endif
