/* Numbers of a study, put together for its report. study_numbers.c looks at a spot, study_places.c knows which spots
 * there are, study_plots.c and study_tables.c show them. What is shown is what the study wants (study_wishes.c) or, of
 * plots, what study_choice.c chooses. */
#ifndef FAULTLINE_REPORT_STUDY_PRIVATE_H
#define FAULTLINE_REPORT_STUDY_PRIVATE_H

#include "faultline/report_study.h"
#include "faultline/stat.h"

/* One value for each axis, or any: STUDY_ANY. */
enum { STUDY_ANY = -1 };
struct study_selection {
	int value[RESULTS_AXES];
};

/* X(ID, "name"): what can be shown along, besides the axes. */
#define STUDY_PLACE_LIST(X)                                                                                            \
	X(PHASE, "phase")                                                                                              \
	X(TIME, "operations")                                                                                          \
	X(SIZE, "size")                                                                                                \
	X(LIFETIME, "lifetime")

enum study_place_kind {
	STUDY_WHOLE, /* the point as a whole */
#define X(id, name) STUDY_##id,
	STUDY_PLACE_LIST(X)
#undef X
};

/* Points, and where in each of them: the number of a phase, an operation, a bucket. */
struct study_spot {
	struct study_selection selection;
	enum study_place_kind kind;
	double at;
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
bool study_is_selected(const struct results *results, unsigned row, const struct study_selection *selection);
struct study_sample study_sample(const struct results *results, const struct study_spot *spot, const char *measure);
/* Of the points as a whole. */
double study_mean(const struct results *results, const struct study_selection *selection, const char *measure);
/* Geometric mean, over all points that differ in nothing else, of the variant's value by the baseline's; NAN: none. */
double study_ratio(const struct results *results, const struct study_parts *parts, unsigned variant,
		   const char *statistic);
const char *study_axis_name(const struct results *results, int axis);

/* What is shown along a direction of a plot or a table. */
struct study_place {
	enum study_place_kind kind;
	int axis; /* of STUDY_WHOLE; -1: nothing, one place */
	const char *title;
	char **labels;
	double *x; /* NULL: side by side */
	double *at;
	unsigned count;
};

/* `name` is an axis or one of STUDY_PLACE_LIST, NULL for nothing; `among` the points that will be shown. False: there
 * is no such thing in this study. Release it in any case. */
bool study_place_find(const struct results *results, const char *name, const struct study_selection *among,
		      struct study_place *out);
void study_place_release(struct study_place *place);
void study_place_enter(const struct study_place *place, unsigned index, struct study_spot *spot);

/* What to show. NULL: not given. */
enum { STUDY_MOST_Y = 8 };
struct study_plot {
	const char *key, *title;
	enum report_plot_kind kind;
	const char *x, *y[STUDY_MOST_Y], *series;
	unsigned y_count;
	bool relative; /* in percent of the baseline */
	bool wanted;   /* also where everything is zero */
};
struct study_table {
	const char *key, *title, *rows, *columns, *value;
};

/* Nothing where the study has nothing of it. */
void study_put_plot(struct report *report, const struct results *results, const struct study_parts *parts,
		    const struct study_plot *plot);
void study_put_table(struct report *report, const struct results *results, const struct study_parts *parts,
		     const struct study_table *table);

/* What belongs into the report of any study. */
void study_put_plots(struct report *report, const struct results *results, const struct study_parts *parts);
/* What this one wants. False: nothing. */
bool study_put_wanted_plots(struct report *report, const struct results *results, const struct study_parts *parts);
bool study_put_wanted_tables(struct report *report, const struct results *results, const struct study_parts *parts);

/* One workload, if they are an axis that neither place is along; "" else. Those left are averaged, or, along a point,
 * fixed at the baseline: `note` says which. */
struct study_frame {
	struct study_selection selection;
	char note[200];
};
/* The frames of a plot or table, one a workload. Returns how many; the caller frees *out. */
unsigned study_frames(const struct results *results, const struct study_parts *parts, const struct study_place *one,
		      const struct study_place *other, struct study_frame **out);

#endif
