/* The tables and plots that the study itself wants: study.json has them as its study file had. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "study_private.h"

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static enum report_plot_kind kind_of(const char *name)
{
	static const char *const names[] = {[REPORT_LINES] = "lines",
					    [REPORT_BARS] = "bars",
					    [REPORT_STACKED] = "stacked",
					    [REPORT_HEATMAP] = "heatmap"};
	for (unsigned i = 0; name && i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum report_plot_kind)i;
	}
	return REPORT_BARS;
}

static void put_plot(struct report *report, const struct results *results, const struct study_parts *parts,
		     const cJSON *wish, unsigned number)
{
	char key[32], title[200];
	const cJSON *item;
	struct study_plot plot = {.key = key,
				  .title = text_of(wish, "title"),
				  .kind = kind_of(text_of(wish, "kind")),
				  .x = text_of(wish, "x"),
				  .series = text_of(wish, "series"),
				  .wanted = true};
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(wish, "y"))
	{
		const char *name = cJSON_GetStringValue(item);
		if (name && plot.y_count < STUDY_MOST_Y)
			plot.y[plot.y_count++] = name;
	}
	if (!plot.x || plot.y_count == 0)
		return;
	(void)snprintf(key, sizeof(key), "plot-%u", number);
	(void)snprintf(title, sizeof(title), "%s by %s", plot.y[0], plot.x);
	plot.title = plot.title ? plot.title : title;
	study_put_plot(report, results, parts, &plot);
}

static void put_table(struct report *report, const struct results *results, const struct study_parts *parts,
		      const cJSON *wish, unsigned number)
{
	char key[32], title[200];
	struct study_table table = {key, text_of(wish, "title"), text_of(wish, "rows"), text_of(wish, "columns"),
				    text_of(wish, "value")};
	if (!table.rows || !table.value)
		return;
	(void)snprintf(key, sizeof(key), "table-%u", number);
	(void)snprintf(title, sizeof(title), "%s by %s", table.value, table.rows);
	table.title = table.title ? table.title : title;
	study_put_table(report, results, parts, &table);
}

typedef void put_wish_fn(struct report *report, const struct results *results, const struct study_parts *parts,
			 const cJSON *wish, unsigned number);

static bool put_wishes(struct report *report, const struct results *results, const struct study_parts *parts,
		       const char *json, put_wish_fn *put)
{
	cJSON *wishes = cJSON_Parse(json);
	const cJSON *wish;
	unsigned number = 0;
	cJSON_ArrayForEach(wish, wishes)
	{
		put(report, results, parts, wish, ++number);
	}
	cJSON_Delete(wishes);
	return number > 0;
}

bool study_put_wanted_plots(struct report *report, const struct results *results, const struct study_parts *parts)
{
	return put_wishes(report, results, parts, results->plots_json, put_plot);
}

bool study_put_wanted_tables(struct report *report, const struct results *results, const struct study_parts *parts)
{
	return put_wishes(report, results, parts, results->tables_json, put_table);
}
