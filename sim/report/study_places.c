/* Along what the numbers of a study can be shown. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/histogram.h"
#include "study_private.h"

enum { MOST_TIMES = 128 };

static void make_room(struct study_place *place, unsigned count)
{
	place->labels = calloc(count + 1, sizeof(*place->labels));
	place->at = calloc(count + 1, sizeof(*place->at));
	BUG_ON(!place->labels || !place->at);
}

static void add_place(struct study_place *place, double at, const char *label)
{
	place->labels[place->count] = strdup(label);
	BUG_ON(!place->labels[place->count]);
	place->at[place->count++] = at;
}

/* ---- an axis ---- */

static void along_axis(const struct results *results, int index, struct study_place *place)
{
	const struct results_axis *axis = &results->axes[index];
	place->axis = index;
	place->title = study_axis_name(results, index);
	make_room(place, axis->count);
	for (unsigned i = 0; i < axis->count; i++)
		add_place(place, i, axis->values[i]);
	if (!axis->is_number)
		return;
	place->x = calloc(axis->count, sizeof(*place->x));
	BUG_ON(!place->x);
	for (unsigned row = 0; row < results->row_count; row++)
		place->x[results_axis_value(results, row, (unsigned)index)] =
		    results_at(results, row, axis->value_column)->value;
}

/* ---- along a point ---- */

/* The first of the points that has rows says what the phases are called. */
static void along_phases(const struct results *results, const struct study_selection *among, struct study_place *place)
{
	const struct results_part *phases = &results->phases;
	place->title = "phase";
	for (unsigned row = 0; phases->first && row < results->row_count; row++) {
		unsigned from = phases->first[row], to = phases->first[row + 1];
		if (from == to || !study_is_selected(results, row, among))
			continue;
		make_room(place, to - from);
		for (unsigned i = from; i < to; i++)
			add_place(place, i - from, phases->texts[i][0] ? phases->texts[i] : "start");
		return;
	}
}

static int by_value(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;
	return one < other ? -1 : one > other;
}

/* Every moment at which one of the points has a sample, sorted. */
static unsigned find_times(const struct results *results, const struct study_selection *among, double *out)
{
	const struct results_part *series = &results->series;
	int column = results_part_column(series, "operations");
	unsigned count = 0, kept = 0;
	for (unsigned row = 0; column >= 0 && row < results->row_count; row++) {
		if (!study_is_selected(results, row, among))
			continue;
		for (unsigned i = series->first[row]; i < series->first[row + 1]; i++)
			out[count++] = series->values[(size_t)i * series->column_count + (unsigned)column];
	}
	qsort(out, count, sizeof(*out), by_value);
	for (unsigned i = 0; i < count; i++) {
		if (kept == 0 || out[kept - 1] < out[i])
			out[kept++] = out[i];
	}
	return kept;
}

static void along_time(const struct results *results, const struct study_selection *among, struct study_place *place)
{
	double *times = calloc(results->series.row_count + 1, sizeof(*times));
	BUG_ON(!times);
	place->title = "operations done";
	unsigned count = find_times(results, among, times);
	unsigned step = (count + MOST_TIMES - 1) / MOST_TIMES;
	make_room(place, count);
	for (unsigned i = 0; i < count; i += step) {
		char label[32];
		unsigned at = i + step < count ? i : count - 1; /* the end is always there */
		(void)snprintf(label, sizeof(label), "%.0f", times[at]);
		add_place(place, times[at], label);
	}
	free(times);
	place->x = calloc(place->count + 1, sizeof(*place->x));
	BUG_ON(!place->x);
	memcpy(place->x, place->at, place->count * sizeof(*place->x));
}

static struct study_place_label {
	char text[32];
} bytes_label(uint64_t bytes)
{
	static const char units[] = " KMGTPE";
	struct study_place_label label;
	unsigned unit = 0;
	for (; bytes >= 1024; bytes /= 1024)
		unit++;
	(void)snprintf(label.text, sizeof(label.text), unit ? "%" PRIu64 " %ciB" : "%" PRIu64, bytes, units[unit]);
	return label;
}

static bool has_bucket(const struct results *results, enum study_place_kind kind, unsigned bucket)
{
	const struct results_part *histograms = &results->histograms;
	int first = results_part_column(histograms, "first");
	const char *wanted = histogram_name(kind == STUDY_SIZE ? HISTOGRAM_SIZE : HISTOGRAM_LIFETIME);
	for (unsigned i = 0; first >= 0 && i < histograms->row_count; i++) {
		double from = histograms->values[(size_t)i * histograms->column_count + (unsigned)first];
		if (strcmp(histograms->texts[i], wanted) == 0 && histogram_bucket((uint64_t)from) == bucket)
			return true;
	}
	return false;
}

/* From the first bucket in use to the last; behind lifetimes, the blocks that were never freed. */
static void along_buckets(const struct results *results, struct study_place *place)
{
	unsigned low = 0, high = HISTOGRAM_BUCKETS;
	place->title = place->kind == STUDY_SIZE ? "a request of at least so many bytes"
						 : "freed after at least so many bytes of requests";
	while (low < high && !has_bucket(results, place->kind, low))
		low++;
	while (high > low && !has_bucket(results, place->kind, high - 1))
		high--;
	make_room(place, HISTOGRAM_BUCKETS + 1);
	for (unsigned bucket = low; bucket < high; bucket++)
		add_place(place, bucket, bytes_label(histogram_first(bucket)).text);
	if (place->kind == STUDY_LIFETIME && results->histograms.row_count)
		add_place(place, HISTOGRAM_BUCKETS, "never");
}

/* ---- by name ---- */

static int find_axis(const struct results *results, const char *name)
{
	for (unsigned i = 0; i < results->axis_count; i++) {
		if (strcmp(study_axis_name(results, (int)i), name) == 0)
			return (int)i;
	}
	return -1;
}

static enum study_place_kind find_kind(const char *name)
{
	static const char *const names[] = {
#define X(id, name) [STUDY_##id] = name,
	    STUDY_PLACE_LIST(X)
#undef X
	};
	for (unsigned i = 1; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum study_place_kind)i;
	}
	return STUDY_WHOLE;
}

bool study_place_find(const struct results *results, const char *name, const struct study_selection *among,
		      struct study_place *out)
{
	*out = (struct study_place){.axis = -1, .title = ""};
	int axis = name ? find_axis(results, name) : -1;
	if (axis >= 0) {
		along_axis(results, axis, out);
		return true;
	}
	out->kind = name ? find_kind(name) : STUDY_WHOLE;
	switch (out->kind) {
	case STUDY_PHASE:
		along_phases(results, among, out);
		break;
	case STUDY_TIME:
		along_time(results, among, out);
		break;
	case STUDY_SIZE:
	case STUDY_LIFETIME:
		along_buckets(results, out);
		break;
	case STUDY_WHOLE:
		make_room(out, 1);
		add_place(out, 0, "");
		return name == NULL;
	}
	return out->count > 0;
}

void study_place_release(struct study_place *place)
{
	for (unsigned i = 0; i < place->count; i++)
		free(place->labels[i]);
	free(place->labels);
	free(place->at);
	free(place->x);
	*place = (struct study_place){.axis = -1};
}

void study_place_enter(const struct study_place *place, unsigned index, struct study_spot *spot)
{
	if (place->axis >= 0) {
		spot->selection.value[place->axis] = (int)index;
	} else if (place->kind != STUDY_WHOLE) {
		spot->kind = place->kind;
		spot->at = place->at[index];
	}
}

/* ---- frames ---- */

static void add_note(struct study_frame *frame, const char *format, const char *text)
{
	size_t used = strlen(frame->note);
	(void)snprintf(frame->note + used, sizeof(frame->note) - used, format, text);
}

static int value_of_baseline(const struct results *results, const struct study_parts *parts, unsigned axis)
{
	if ((int)axis == parts->variant)
		return (int)parts->baseline;
	for (unsigned i = 0; results->baseline[axis] && i < results->axes[axis].count; i++) {
		if (strcmp(results->axes[axis].values[i], results->baseline[axis]) == 0)
			return (int)i;
	}
	return 0;
}

/* Moments of different machines have no mean that says anything. */
static void settle_rest(const struct results *results, const struct study_parts *parts, const struct study_place *one,
			const struct study_place *other, struct study_frame *frame)
{
	bool along = one->kind == STUDY_TIME || one->kind == STUDY_PHASE || other->kind == STUDY_PHASE;
	bool blocks = one->kind == STUDY_SIZE || one->kind == STUDY_LIFETIME;
	for (unsigned i = 0; i < results->axis_count; i++) {
		const struct results_axis *axis = &results->axes[i];
		if ((int)i == one->axis || (int)i == other->axis || frame->selection.value[i] != STUDY_ANY || blocks)
			continue;
		if (!along) {
			add_note(frame, ", mean over %s", study_axis_name(results, (int)i));
			continue;
		}
		frame->selection.value[i] = value_of_baseline(results, parts, i);
		add_note(frame, ", %s", axis->values[frame->selection.value[i]]);
	}
}

unsigned study_frames(const struct results *results, const struct study_parts *parts, const struct study_place *one,
		      const struct study_place *other, struct study_frame **out)
{
	int workload = parts->workload;
	bool each = workload >= 0 && one->axis != workload && other->axis != workload;
	unsigned count = each ? results->axes[workload].count : 1;
	*out = calloc(count, sizeof(**out));
	BUG_ON(!*out);
	for (unsigned i = 0; i < count; i++) {
		struct study_frame *frame = &(*out)[i];
		frame->selection = study_select_all();
		if (each) {
			frame->selection.value[workload] = (int)i;
			add_note(frame, ": %s", results->axes[workload].values[i]);
		}
		settle_rest(results, parts, one, other, frame);
	}
	return count;
}
