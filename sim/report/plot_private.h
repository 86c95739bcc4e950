/* What the renderings of a plot share. */
#ifndef FAULTLINE_REPORT_PLOT_PRIVATE_H
#define FAULTLINE_REPORT_PLOT_PRIVATE_H

#include "report_private.h"

/* The table behind a plot: one row for each x, one column for each series. */
void plot_table(struct report *report, const char *key, const char *title, const struct report_plot *plot);

/* Half of the confidence interval, 0 where nothing is known. */
double plot_half(const struct report_series *series, unsigned x);

/* Highest value with its interval, of stacks the highest sum; at least 0. */
double plot_highest(const struct report_plot *plot);

/* "1.5M": three digits that count. */
struct plot_number {
	char text[32];
};
struct plot_number plot_number(double value);

/* Writes the plot as an SVG element whose colours are those of the page's style sheet. */
void svg_plot(FILE *out, const char *key, const struct report_plot *plot);

/* Text with & < > " escaped. */
void html_text(FILE *out, const char *text);

#endif
