/* Our own SVG, and not gnuplot's: it is the same bytes on every host, takes its colours from the page (light, dark, in
 * print), carries a tooltip at every mark, and a report needs no program that may not be there. */
#include <math.h>
#include <string.h>

#include "plot_private.h"

/* User units. */
enum {
	WIDTH = 720,
	HEIGHT = 340,
	LEFT = 64,
	RIGHT = 16,
	TOP = 12,
	BOTTOM = 58,
	COLOURS = 10,
	TICKS = 5,
	MOST_MARKS = 32,
	STRIPS = 64
};

struct frame {
	FILE *out;
	const struct report_plot *plot;
	double highest; /* at the top */
	double x_low, x_high;
	bool log_x;
};

static double y_at(const struct frame *frame, double value)
{
	return HEIGHT - BOTTOM - value / frame->highest * (HEIGHT - BOTTOM - TOP);
}

/* Middle of the place of a category. */
static double x_of_category(const struct frame *frame, unsigned x)
{
	return LEFT + (x + 0.5) * (WIDTH - LEFT - RIGHT) / frame->plot->count;
}

static double x_of_value(const struct frame *frame, double value)
{
	return LEFT + 12 + (value - frame->x_low) / (frame->x_high - frame->x_low) * (WIDTH - LEFT - RIGHT - 24);
}

static double x_of_point(const struct frame *frame, unsigned x)
{
	if (!frame->plot->x || frame->x_high <= frame->x_low)
		return x_of_category(frame, x);
	return x_of_value(frame, frame->log_x ? log2(frame->plot->x[x]) : frame->plot->x[x]);
}

/* 1, 2 or 5 times a power of ten, so that few ticks reach the highest value. */
static double tick_step(double highest)
{
	double power = pow(10, floor(log10(highest / TICKS)));
	double times = highest / TICKS / power;
	return power * (times <= 1 ? 1 : times <= 2 ? 2 : times <= 5 ? 5 : 10);
}

static void fit_x(struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	double low = INFINITY, high = -INFINITY;
	for (unsigned i = 0; plot->x && i < plot->count; i++) {
		low = fmin(low, plot->x[i]);
		high = fmax(high, plot->x[i]);
	}
	frame->log_x = plot->x && low > 0 && high / low >= 8;
	frame->x_low = frame->log_x ? log2(low) : low;
	frame->x_high = frame->log_x ? log2(high) : high;
}

/* ---- axes ---- */

static void put_label(const struct frame *frame, double x, double y, const char *anchor, const char *text)
{
	(void)fprintf(frame->out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	html_text(frame->out, text);
	(void)fputs("</text>\n", frame->out);
}

static void put_y_axis(const struct frame *frame)
{
	double step = tick_step(frame->highest);
	for (unsigned i = 0; i * step <= frame->highest * 1.0001; i++) {
		double y = y_at(frame, i * step);
		(void)fprintf(frame->out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT,
			      WIDTH - RIGHT, y, y);
		put_label(frame, LEFT - 6, y + 4, "end", plot_number(i * step).text);
	}
}

static void put_x_title(const struct frame *frame)
{
	put_label(frame, (WIDTH + LEFT) / 2.0, HEIGHT - 12, "middle", frame->plot->x_title);
}

/* Where lines have many places: round numbers. */
static void put_x_ticks(const struct frame *frame)
{
	double step = tick_step((frame->x_high - frame->x_low) * 0.6);
	for (double at = ceil(frame->x_low / step) * step; at <= frame->x_high * 1.0001; at += step)
		put_label(frame, x_of_value(frame, at), HEIGHT - BOTTOM + 18, "middle", plot_number(at).text);
	put_x_title(frame);
}

/* Labels that would run into each other are left out: the table has them all. */
static void put_x_labels(const struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	double free_from = 0;
	for (unsigned x = 0; x < plot->count; x++) {
		double at = plot->kind == REPORT_LINES ? x_of_point(frame, x) : x_of_category(frame, x);
		double half = 3.6 * report_width(plot->label[x]);
		if (at - half < free_from)
			continue;
		put_label(frame, at, HEIGHT - BOTTOM + 18, "middle", plot->label[x]);
		free_from = at + half + 6;
	}
	put_x_title(frame);
}

static void put_x_axis(const struct frame *frame)
{
	bool many = frame->plot->count > MOST_MARKS && frame->x_high > frame->x_low && !frame->log_x;
	if (frame->plot->kind == REPORT_LINES && many)
		put_x_ticks(frame);
	else
		put_x_labels(frame);
}

/* ---- marks ---- */

static void put_tip(const struct frame *frame, unsigned series, unsigned x)
{
	(void)fputs("<title>", frame->out);
	html_text(frame->out, frame->plot->series[series].name);
	(void)fputs(", ", frame->out);
	html_text(frame->out, frame->plot->label[x]);
	const struct report_series *line = &frame->plot->series[series];
	(void)fprintf(frame->out, ": %.*f", (int)frame->plot->digits, line->value[x]);
	if (plot_half(line, x) > 0)
		(void)fprintf(frame->out, " \xc2\xb1 %.*f", (int)frame->plot->digits, plot_half(line, x));
	(void)fputs("</title>", frame->out);
}

/* The confidence interval around a value. */
static void put_whisker(const struct frame *frame, unsigned series, unsigned x, double at)
{
	const struct report_series *line = &frame->plot->series[series];
	double half = plot_half(line, x);
	if (half <= 0)
		return;
	double low = y_at(frame, fmax(line->value[x] - half, 0)), high = y_at(frame, line->value[x] + half);
	(void)fprintf(frame->out, "<path class=\"whisker\" d=\"M%.1f %.1fV%.1fM%.1f %.1fh6M%.1f %.1fh6\"/>\n", at, low,
		      high, at - 3, low, at - 3, high);
}

static void put_line(const struct frame *frame, unsigned series)
{
	const struct report_series *values = &frame->plot->series[series];
	bool pen = false;
	(void)fprintf(frame->out, "<path class=\"line c%u\" d=\"", series % COLOURS);
	for (unsigned x = 0; x < frame->plot->count; x++) {
		if (!isnan(values->value[x]))
			(void)fprintf(frame->out, "%c%.1f %.1f", pen ? 'L' : 'M', x_of_point(frame, x),
				      y_at(frame, values->value[x]));
		pen = !isnan(values->value[x]);
	}
	(void)fputs("\"/>\n", frame->out);
	for (unsigned x = 0; frame->plot->count <= MOST_MARKS && x < frame->plot->count; x++) {
		if (isnan(values->value[x]))
			continue;
		(void)fprintf(frame->out, "<circle class=\"mark c%u\" r=\"4\" cx=\"%.1f\" cy=\"%.1f\">",
			      series % COLOURS, x_of_point(frame, x), y_at(frame, values->value[x]));
		put_tip(frame, series, x);
		(void)fputs("</circle>\n", frame->out);
		put_whisker(frame, series, x, x_of_point(frame, x));
	}
}

static void put_box(const struct frame *frame, unsigned series, unsigned x, double left, double width, double from,
		    double to)
{
	double top = y_at(frame, to);
	(void)fprintf(frame->out, "<rect class=\"box c%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
		      series % COLOURS, left, top, width, y_at(frame, from) - top);
	put_tip(frame, series, x);
	(void)fputs("</rect>\n", frame->out);
}

/* Too many places for marks: strips that say what all lines are there. */
static void put_strips(const struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	unsigned step = (plot->count + STRIPS - 1) / STRIPS;
	for (unsigned x = 0; x < plot->count; x += step) {
		double left = x_of_point(frame, x);
		double right = x + step < plot->count ? x_of_point(frame, x + step) : WIDTH - RIGHT;
		(void)fprintf(frame->out,
			      "<rect class=\"strip\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>", left,
			      TOP, right - left, HEIGHT - BOTTOM - TOP);
		html_text(frame->out, plot->label[x]);
		for (unsigned i = 0; i < plot->series_count; i++) {
			if (isnan(plot->series[i].value[x]))
				continue;
			(void)fputs(i ? ", " : ": ", frame->out);
			html_text(frame->out, plot->series[i].name);
			(void)fprintf(frame->out, " %.*f", (int)plot->digits, plot->series[i].value[x]);
		}
		(void)fputs("</title></rect>\n", frame->out);
	}
}

static void put_lines(const struct frame *frame)
{
	for (unsigned i = 0; i < frame->plot->series_count; i++)
		put_line(frame, i);
	if (frame->plot->count > MOST_MARKS)
		put_strips(frame);
}

static void put_bars(const struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	double place = (double)(WIDTH - LEFT - RIGHT) / plot->count;
	double width = place * 0.84 / plot->series_count;
	for (unsigned x = 0; x < plot->count; x++) {
		for (unsigned i = 0; i < plot->series_count; i++) {
			double value = plot->series[i].value[x], left = LEFT + place * (x + 0.08) + i * width;
			if (isnan(value))
				continue;
			put_box(frame, i, x, left, width * 0.92, 0, value);
			put_whisker(frame, i, x, left + width * 0.46);
		}
	}
}

static void put_stacks(const struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	double place = (double)(WIDTH - LEFT - RIGHT) / plot->count;
	for (unsigned x = 0; x < plot->count; x++) {
		double sum = 0;
		for (unsigned i = 0; i < plot->series_count; i++) {
			double value = plot->series[i].value[x];
			if (isnan(value))
				continue;
			put_box(frame, i, x, LEFT + place * (x + 0.15), place * 0.7, sum, sum + value);
			sum += value;
		}
	}
}

/* Rows are series. The darker the more; the number stands in the field, so colour alone says nothing. */
static void put_fields(const struct frame *frame)
{
	const struct report_plot *plot = frame->plot;
	double width = (double)(WIDTH - LEFT - RIGHT - 60) / plot->count;
	double height = (double)(HEIGHT - BOTTOM - TOP) / plot->series_count;
	for (unsigned i = 0; i < plot->series_count; i++) {
		double top = TOP + i * height;
		put_label(frame, LEFT + 54, top + height / 2 + 4, "end", plot->series[i].name);
		for (unsigned x = 0; x < plot->count; x++) {
			double value = plot->series[i].value[x], left = LEFT + 60 + x * width;
			if (isnan(value))
				continue;
			(void)fprintf(frame->out,
				      "<rect class=\"field\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
				      "style=\"fill-opacity:%.3f\">",
				      left, top, width - 1, height - 1, 0.06 + 0.6 * value / frame->highest);
			put_tip(frame, i, x);
			(void)fputs("</rect>\n", frame->out);
			put_label(frame, left + width / 2, top + height / 2 + 4, "middle", plot_number(value).text);
		}
	}
	for (unsigned x = 0; x < plot->count; x++)
		put_label(frame, LEFT + 60 + (x + 0.5) * width, HEIGHT - BOTTOM + 18, "middle", plot->label[x]);
	put_x_title(frame);
}

void svg_plot(FILE *out, const char *key, const struct report_plot *plot)
{
	static void (*const marks[])(const struct frame *) = {[REPORT_LINES] = put_lines,
							      [REPORT_BARS] = put_bars,
							      [REPORT_STACKED] = put_stacks,
							      [REPORT_HEATMAP] = put_fields};
	struct frame frame = {.out = out, .plot = plot, .highest = plot_highest(plot)};
	frame.highest = frame.highest > 0 ? frame.highest : 1;
	fit_x(&frame);
	(void)fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-title\">\n", WIDTH, HEIGHT,
		      key);
	if (plot->kind != REPORT_HEATMAP) {
		put_y_axis(&frame);
		put_x_axis(&frame);
	}
	marks[plot->kind](&frame);
	(void)fputs("</svg>\n", out);
}
