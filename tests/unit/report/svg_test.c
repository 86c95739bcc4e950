/* Plots as SVG: every value has its mark, nothing is drawn where there is none, and the text is safe XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "plot_private.h"

enum { PLACES = 4 };

static const char *const labels[PLACES] = {"1 <K>", "2K", "4K", "8K"};
static const double sizes[PLACES] = {1, 2, 4, 8};
static const double full[PLACES] = {10, 20, 15, 5}, gap[PLACES] = {10, 20, NAN, 5}, zero[PLACES] = {0, 0, 0, 0};

/* To be freed. */
static char *drawn(const struct report_plot *plot)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	svg_plot(out, "k", plot);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *draw(enum report_plot_kind kind, const double *one, const double *other)
{
	const struct report_series series[] = {{"a & b", one, NULL}, {"c", other, NULL}};
	const struct report_plot plot = {.kind = kind,
					 .title = "t",
					 .x_title = "x",
					 .y_title = "y",
					 .label = labels,
					 .x = kind == REPORT_LINES ? sizes : NULL,
					 .count = PLACES,
					 .series = series,
					 .series_count = 2};
	return drawn(&plot);
}

static unsigned count(const char *text, const char *word)
{
	unsigned found = 0;
	for (; (text = strstr(text, word)); text += strlen(word))
		found++;
	return found;
}

/* Every tag that is opened is closed, the last opened first. */
static void assert_nests(const char *text)
{
	char open[32][16];
	unsigned depth = 0;
	for (const char *at = text; (at = strchr(at, '<')); at++) {
		const char *end = strchr(at, '>');
		char name[16];
		assert_non_null(end);
		(void)sscanf(at[1] == '/' ? at + 2 : at + 1, "%15[a-z]", name);
		if (at[1] == '/')
			assert_true(depth > 0 && strcmp(open[--depth], name) == 0);
		else if (end[-1] != '/')
			(void)snprintf(open[depth++], sizeof(open[0]), "%s", name);
		assert_true(depth < 32);
	}
	assert_int_equal(depth, 0);
}

static void every_value_has_its_mark(void **state)
{
	static const struct {
		enum report_plot_kind kind;
		const char *mark;
	} kinds[] = {{REPORT_LINES, "class=\"mark"},
		     {REPORT_BARS, "class=\"box"},
		     {REPORT_STACKED, "class=\"box"},
		     {REPORT_HEATMAP, "class=\"field\""}};
	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char *text = draw(kinds[i].kind, full, gap);
		assert_int_equal(count(text, kinds[i].mark), 7);
		assert_int_equal(count(text, "<title>"), 7);
		assert_non_null(strstr(text, "<title>a &amp; b, 1 &lt;K&gt;: 10</title>"));
		assert_null(strstr(text, "nan"));
		assert_nests(text);
		free(text);
	}
}

static void a_line_breaks_where_there_is_no_value(void **state)
{
	(void)state;
	char *text = draw(REPORT_LINES, full, gap);
	const char *second = strstr(text, "class=\"line c1\"");
	assert_non_null(second);
	assert_int_equal(count(strstr(text, "class=\"line c0\""), "\"M"), 2); /* one for each path */
	const char *end = strchr(strchr(second, '>') - 1, '>');
	unsigned pens = 0;
	for (; second < end; second++)
		pens += *second == 'M';
	assert_int_equal(pens, 2);
	free(text);
}

static void zeros_and_nothing_are_drawn_without_harm(void **state)
{
	static const double none[PLACES] = {NAN, NAN, NAN, NAN};
	(void)state;
	for (unsigned kind = REPORT_LINES; kind <= REPORT_HEATMAP; kind++) {
		char *text = draw((enum report_plot_kind)kind, zero, none);
		assert_null(strstr(text, "nan"));
		assert_null(strstr(text, "inf"));
		assert_nests(text);
		free(text);
	}
}

static void sizes_that_double_are_equally_far_apart(void **state)
{
	double x[PLACES];
	(void)state;
	char *text = draw(REPORT_LINES, full, full);
	const char *at = text;
	for (unsigned i = 0; i < PLACES; i++) {
		at = strstr(at, "cx=\"") + 4;
		x[i] = strtod(at, NULL);
	}
	for (unsigned i = 2; i < PLACES; i++)
		assert_true(fabs((x[i] - x[i - 1]) - (x[1] - x[0])) < 0.25);
	free(text);
}

/* Around the values that have one, in bars and lines. */
static void intervals_have_whiskers(void **state)
{
	static const double half[PLACES] = {1, NAN, 30, 0};
	const struct report_series series[] = {{"a", full, half}};
	(void)state;
	for (unsigned kind = REPORT_LINES; kind <= REPORT_BARS; kind++) {
		const struct report_plot plot = {.kind = (enum report_plot_kind)kind,
						 .title = "t",
						 .x_title = "x",
						 .y_title = "y",
						 .label = labels,
						 .count = PLACES,
						 .series = series,
						 .series_count = 1};
		char *text = drawn(&plot);
		assert_int_equal(count(text, "class=\"whisker\""), 2);
		assert_non_null(strstr(text, "a, 4K: 15 \xc2\xb1 30</title>"));
		assert_int_equal(plot_highest(&plot) > 44.9, 1);
		assert_nests(text);
		free(text);
	}
}

enum { MANY = 500 };

/* Marks would lie on each other; strips tell all lines at once. */
static void lines_with_many_places_have_strips_and_round_ticks(void **state)
{
	double x[MANY], value[MANY];
	char names[MANY][8];
	const char *label[MANY];
	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		x[i] = i;
		value[i] = i * 3.0;
		(void)snprintf(names[i], sizeof(names[i]), "%u", i);
		label[i] = names[i];
	}
	const struct report_series series[] = {{"a", value, NULL}, {"b", x, NULL}};
	const struct report_plot plot = {.kind = REPORT_LINES,
					 .title = "t",
					 .x_title = "x",
					 .y_title = "y",
					 .label = label,
					 .x = x,
					 .count = MANY,
					 .series = series,
					 .series_count = 2};
	char *text = drawn(&plot);
	assert_int_equal(count(text, "class=\"mark"), 0);
	assert_true(count(text, "class=\"strip\"") > 32 && count(text, "class=\"strip\"") <= 64);
	assert_non_null(strstr(text, "<title>0: a 0, b 0</title>"));
	assert_non_null(strstr(text, ">200</text>"));
	assert_nests(text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_value_has_its_mark),
	    cmocka_unit_test(a_line_breaks_where_there_is_no_value),
	    cmocka_unit_test(zeros_and_nothing_are_drawn_without_harm),
	    cmocka_unit_test(sizes_that_double_are_equally_far_apart),
	    cmocka_unit_test(intervals_have_whiskers),
	    cmocka_unit_test(lines_with_many_places_have_strips_and_round_ticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
