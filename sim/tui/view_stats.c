/* What has been counted, by the names of `faultline list stats`, and how often things happened over the whole history.
 */
#include <inttypes.h>
#include <string.h>

#include "faultline/bus.h"
#include "view.h"

/* One row of the panel: words, each with a statistic. */
struct fact {
	const char *label;
	enum stat stat;
};

static const struct fact rows[][5] = {
    {{"faults: minor", STAT_FAULTS_MINOR},
     {"major", STAT_FAULTS_MAJOR},
     {"cow", STAT_FAULTS_COW},
     {"segv", STAT_FAULTS_SEGV}},
    {{"syscalls: all", STAT_SYSCALLS_TOTAL},
     {"brk", STAT_SYSCALLS_BRK},
     {"mmap", STAT_SYSCALLS_MMAP},
     {"rings crossed", STAT_RINGS_CHANGES}},
    {{"tlb: L1 hits", STAT_TLB_L1_HITS},
     {"L2 hits", STAT_TLB_L2_HITS},
     {"misses", STAT_TLB_MISSES},
     {"flushes", STAT_TLB_FLUSHES}},
    {{"heap: mallocs", STAT_HEAP_MALLOCS},
     {"frees", STAT_HEAP_FREES},
     {"live bytes", STAT_HEAP_LIVE_BYTES},
     {"peak", STAT_HEAP_PEAK_LIVE_BYTES}},
    {{"cycles: all", STAT_CYCLES},
     {"app", STAT_CYCLES_APP},
     {"libc", STAT_CYCLES_LIBC},
     {"kernel", STAT_CYCLES_KERNEL}},
    {{"memory: rss", STAT_MEMORY_RSS}, {"frames free", STAT_FRAMES_FREE}, {"peak", STAT_MEMORY_PEAK_RSS}},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

static void draw_facts(struct area area, unsigned row, const struct fact *facts, const struct stats *stats)
{
	unsigned column = 0;
	for (unsigned i = 0; i < 5 && facts[i].label; i++) {
		char text[64];
		(void)snprintf(text, sizeof(text), "%s %" PRIu64, facts[i].label, stats->value[facts[i].stat]);
		if (column + strlen(text) > area.columns)
			return;
		column = area_text(area, row, column, STYLE_TEXT, "%s", text) + 2;
	}
}

/* ---- sparklines: events of some kinds in equal parts of the history ---- */

enum { MOST_PARTS = 120 };

static void draw_spark(const struct scene *scene, struct area area, unsigned row, const char *label, uint64_t kinds)
{
	uint64_t counts[MOST_PARTS];
	uint64_t highest = 1;
	uint64_t horizon = scene_horizon(scene);
	uint64_t last = travel_known(scene->travel);
	unsigned column = area_text(area, row, 0, STYLE_DIM, "%-9s", label);
	unsigned parts = area.columns > column + 8 ? area.columns - column - 8 : 0;
	parts = parts > MOST_PARTS ? MOST_PARTS : parts;
	if (parts == 0 || last == 0)
		return;
	for (unsigned i = 0; i < parts; i++) {
		uint64_t from = last * i / parts;
		uint64_t to = last * (i + 1) / parts;
		to = to < horizon ? to : horizon;
		counts[i] = from < to ? travel_known_count(scene->travel, from, to, kinds) : 0;
		highest = counts[i] > highest ? counts[i] : highest;
	}
	for (unsigned i = 0; i < parts; i++) {
		uint64_t eighths = (counts[i] * 8 + highest - 1) / highest;
		bool past = last * i / parts < scene->position;
		enum glyph glyph = eighths ? (enum glyph)(GLYPH_BAR1 + eighths - 1) : GLYPH_EMPTY;
		column = area_glyph(area, row, column, past ? STYLE_GOOD : STYLE_DIM, glyph);
	}
	(void)area_text(area, row, column + 1, STYLE_DIM, "max %" PRIu64, highest);
}

static void draw(const struct scene *scene, struct area area)
{
	struct stats stats;
	if (!scene->booted) {
		(void)area_text(area, 0, 0, STYLE_DIM, "the machine has not booted yet");
		return;
	}
	world_machine_stats(scene->world, &stats);
	unsigned sparks = travel_complete(scene->travel) && area.rows > 3 ? (area.rows >= 8 ? 3 : 1) : 0;
	unsigned row = 0;
	for (unsigned i = 0; i < ROWS && row + sparks < area.rows; i++)
		draw_facts(area, row++, rows[i], &stats);
	static const struct {
		const char *label;
		uint64_t kinds;
	} courses[] = {{"faults", EVENT_BIT(EVENT_FAULT)},
		       {"syscalls", EVENT_BIT(EVENT_SYSCALL)},
		       {"frames", EVENT_BIT(EVENT_FRAME_ALLOC)}};
	for (unsigned i = 0; i < sparks; i++)
		draw_spark(scene, area, row++, courses[i].label, courses[i].kinds);
}

static void title(const struct scene *scene, char *out, size_t room)
{
	(void)scene;
	(void)snprintf(out, room, "of all processes and CPUs");
}

const struct view view_stats = {.panel = PANEL_STATS, .title = title, .draw = draw};
