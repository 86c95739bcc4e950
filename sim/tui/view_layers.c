/* The burger: which layer executes, and through which door control came; then who else lives on the machine. */
#include <inttypes.h>

#include "faultline/bus.h"
#include "faultline/phrase.h"
#include "view.h"

static const struct {
	enum layer layer;
	const char *name;
	enum style style;
} layers[] = {{LAYER_APP, "application", STYLE_APP},
	      {LAYER_LIBC, "libc", STYLE_LIBC},
	      {LAYER_KERNEL, "kernel", STYLE_KERNEL},
	      {LAYER_HARDWARE, "hardware", STYLE_HARDWARE}};

enum { LAYERS = sizeof(layers) / sizeof(*layers) };

/* The last event through which control came to where it is on this processor. What another one did in between is not of
 * interest, and if the program went to another one, neither is what it did here before. */
static const struct travel_record *door_of(const struct scene *scene)
{
	static const uint64_t rings = EVENT_BIT(EVENT_RING) | EVENT_BIT(EVENT_SWITCH);
	uint64_t doors = rings | EVENT_BIT(EVENT_CPU) | EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_RETURN) |
			 EVENT_BIT(EVENT_OP_START);
	for (uint64_t number = scene->position; number > 0; number--) {
		const struct travel_record *record = travel_record(scene->travel, number);
		if (!record)
			return NULL;
		if (record->event.cpu == scene->event->cpu && (doors & EVENT_BIT(record->event.kind)))
			return record;
		if (record->event.kind == EVENT_CPU && record->event.arg[0] == scene->event->cpu)
			doors = rings;
	}
	return NULL;
}

static void draw_burger(const struct scene *scene, struct area area)
{
	enum layer now = event_info((enum event_kind)scene->event->kind)->layer;
	unsigned column = 0;
	for (unsigned i = 0; i < LAYERS; i++) {
		bool here = layers[i].layer == now;
		if (i > 0)
			column = area_text(area, 0, column, STYLE_DIM,
					   here || layers[i - 1].layer == now ? " > " : " - ");
		column = area_text(area, 0, column, here ? STYLE_CURRENT : layers[i].style, here ? "[%s]" : "%s",
				   layers[i].name);
	}
	const struct travel_record *door = door_of(scene);
	if (door)
		(void)area_text(area, 1, 0, STYLE_TEXT, "came by event %" PRIu64 ": %s", door->event.number,
				door->sentence);
}

static const char *state_word(const struct scene *scene, const struct process *process, enum world_state state)
{
	static const char *const words[] = {[WORLD_RUNNING] = "running",
					    [WORLD_FINISHED] = "finished",
					    [WORLD_EXITED] = "exited",
					    [WORLD_KILLED] = "killed"};
	if (process->death.dead)
		return process->death.signal ? process->death.signal_name : "exited";
	return kernel_waits_in_vfork(world_kernel(scene->world), process) ? "in vfork" : words[state];
}

static void draw_process(const struct scene *scene, struct area area, unsigned row, unsigned index)
{
	const struct process *process = world_process(scene->world, index);
	struct stats stats;
	world_process_stats(scene->world, index, &stats);
	bool shown = index == scene->process;
	(void)area_glyph(area, row, 0, shown ? STYLE_CURRENT : STYLE_TEXT, shown ? GLYPH_CURRENT : GLYPH_BLANK);
	unsigned column = area_text(area, row, 2, shown ? STYLE_STRONG : STYLE_TEXT, "%" PRIu32 " %s ", process->pid,
				    process->name);
	const char *state = state_word(scene, process, world_process_state(scene->world, index).state);
	column = area_text(area, row, column, process->death.signal ? STYLE_FAULT : STYLE_TEXT, "%s ", state);
	(void)area_text(area, row, column, STYLE_DIM, " minor %" PRIu64 " major %" PRIu64 " virtual %s",
			process->stats.minor_faults, process->stats.major_faults,
			phrase_size(process_virtual_bytes(process)).text);
}

static void draw(const struct scene *scene, struct area area)
{
	if (!scene->event) {
		(void)area_text(area, 0, 0, STYLE_DIM, "nobody executes yet");
		return;
	}
	draw_burger(scene, area);
	unsigned count = 0;
	while (scene->booted && world_process(scene->world, count))
		count++;
	unsigned room = area.rows > 2 ? area.rows - 2 : 0;
	unsigned first = scene->process >= room && room ? scene->process - room + 1 : 0;
	for (unsigned i = 0; i < room && first + i < count; i++)
		draw_process(scene, area, 2 + i, first + i);
}

const struct view view_layers = {.panel = PANEL_LAYERS, .draw = draw};
