/* The script around the present operation, and the small steps of that operation. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/bus.h"

enum { DETAIL_BYTES = 200 };

static const struct document_process *process_of(const struct scene *scene)
{
	return scene->process < scene->document->process_count ? &scene->document->processes[scene->process] : NULL;
}

/* The last operation of this process that has begun: its event, NULL if that is too long ago. */
static const struct travel_record *last_operation(const struct scene *scene)
{
	for (uint64_t number = scene->position; number > 0; number--) {
		const struct travel_record *record = travel_record(scene->travel, number);
		if (!record)
			return NULL;
		if (record->event.kind == EVENT_OP_START && (!scene->shown || record->event.pid == scene->shown->pid))
			return record;
	}
	return NULL;
}

/* Where the world stands in this process's script. */
static uint32_t current_line(const struct scene *scene)
{
	return scene->booted && scene->shown ? world_process_state(scene->world, scene->process).line : 0;
}

/* ---- the script ---- */

static unsigned depth_of(const struct script *script, uint32_t index)
{
	unsigned depth = 0;
	for (uint32_t i = 0; i < index; i++)
		depth += script->ops[i].op.kind == OP_REPEAT && script->ops[i].op.body_end > index;
	return depth;
}

/* Notes tell what an operation will do. */
static void draw_operation(struct area area, unsigned row, const struct script *script, uint32_t index, bool current,
			   bool noted)
{
	const struct op *op = &script->ops[index].op;
	char detail[DETAIL_BYTES];
	script_op_detail(&script->ops[index], detail, sizeof(detail));
	if (current)
		(void)area_glyph(area, row, 0, STYLE_CURRENT, GLYPH_CURRENT);
	unsigned column = area_text(area, row, 1, STYLE_DIM, "%4" PRIu32 " ", op->line);
	column += 2 * depth_of(script, index);
	column = area_text(area, row, column, current ? STYLE_STRONG : STYLE_APP, "%s ", op_info(op->kind)->name);
	column = area_text(area, row, column, current ? STYLE_STRONG : STYLE_TEXT, "%s",
			   op->kind == OP_EXPECT ? op->that.text : detail);
	if (op->note && noted)
		(void)area_text(area, row, column + 1, STYLE_DIM, "# %s", op->note);
}

static uint32_t current_operation(const struct scene *scene, const struct script *script)
{
	uint32_t line = current_line(scene);
	uint32_t at = 0;
	while (at + 1 < script->count && script->ops[at].op.line < line)
		at++;
	return at;
}

/* The operations around the present one, or around the selected one. */
static void draw_operations(const struct scene *scene, struct area area, const struct script *script)
{
	const struct selection *selection = &scene->selected[PANEL_SCRIPT];
	bool selected = selection->active && selection->at < script->count;
	bool begun = current_line(scene) != 0;
	uint32_t at = current_operation(scene, script);
	uint32_t centre = selected ? (uint32_t)selection->at : at;
	uint32_t first = centre > area.rows / 2 ? centre - area.rows / 2 : 0;
	for (unsigned row = 0; row < area.rows && first + row < script->count; row++) {
		draw_operation(area, row, script, first + row, begun && first + row == at,
			       first + row < at || !scene_has_secret(scene));
		if (selected && first + row == centre)
			area_restyle(area, row, 0, area.columns, STYLE_SELECTED);
	}
}

/* A list is read while it runs: what is known of it are the operations near by. */
static void draw_list(const struct scene *scene, struct area area)
{
	unsigned row = 0;
	uint64_t first = scene->position > TRAVEL_PAST ? scene->position - TRAVEL_PAST : 1;
	const struct travel_record *now = last_operation(scene);
	for (uint64_t number = first; number <= scene->position + TRAVEL_FUTURE && row < area.rows; number++) {
		const struct travel_record *record = travel_record(scene->travel, number);
		if (!record || record->event.kind != EVENT_OP_START)
			continue;
		bool current = record == now;
		if (current)
			(void)area_glyph(area, row, 0, STYLE_CURRENT, GLYPH_CURRENT);
		(void)area_text(area, row++, 1, current ? STYLE_STRONG : STYLE_TEXT, "%6" PRIu64 "  %s",
				record->event.arg[2], record->sentence);
	}
}

/* ---- small steps ---- */

static void draw_steps(const struct scene *scene, struct area area)
{
	unsigned above = area.rows / 2;
	uint64_t first = scene->position > above ? scene->position - above : 1;
	if (scene->operation_start && first <= scene->operation_start)
		first = scene->operation_start + 1;
	for (unsigned row = 0; row < area.rows; row++) {
		const struct travel_record *record = travel_record(scene->travel, first + row);
		if (!record || (record->event.number > scene->position && record->event.kind == EVENT_OP_START))
			return;
		bool now = record->event.number == scene->position;
		bool future = record->event.number > scene->position;
		if (record->event.number > scene_horizon(scene)) {
			(void)area_text(area, row, 3, STYLE_DIM, "%s", SCENE_SECRET);
			return;
		}
		if (now)
			(void)area_glyph(area, row, 1, STYLE_CURRENT, GLYPH_CURRENT);
		(void)area_text(area, row, 3,
				now      ? STYLE_STRONG
				: future ? STYLE_DIM
					 : STYLE_TEXT,
				"%-14s %s", event_info((enum event_kind)record->event.kind)->name, record->sentence);
	}
}

static void draw(const struct scene *scene, struct area area)
{
	const struct document_process *process = process_of(scene);
	if (!process)
		return;
	bool steps = area.rows >= 8 && scene->operation_start != 0;
	unsigned rows = steps ? area.rows / 2 : area.rows;
	struct area upper = area_part(area, 0, 0, rows, area.columns);
	if (process->op_list)
		draw_list(scene, upper);
	else
		draw_operations(scene, upper, &process->script);
	if (!steps)
		return;
	area_fill(area, rows, 0, area.columns, STYLE_BORDER, GLYPH_HORIZONTAL);
	(void)area_text(area, rows, 2, STYLE_DIM, " small steps of line %" PRIu32 " ", current_line(scene));
	draw_steps(scene, area_part(area, rows + 1, 0, area.rows - rows - 1, area.columns));
}

static void title(const struct scene *scene, char *out, size_t room)
{
	const struct document_process *process = process_of(scene);
	out[0] = '\0';
	if (process && scene->document->process_count > 1)
		(void)snprintf(out, room, "of %s", process->name);
}

static bool move(struct scene *scene, enum move move)
{
	static const int steps[] = {
	    [MOVE_UP] = -1,       [MOVE_DOWN] = 1,       [MOVE_LEFT] = -1,        [MOVE_RIGHT] = 1,
	    [MOVE_PAGE_UP] = -10, [MOVE_PAGE_DOWN] = 10, [MOVE_HOME] = INT32_MIN, [MOVE_END] = INT32_MAX};
	const struct document_process *process = process_of(scene);
	struct selection *selection = &scene->selected[PANEL_SCRIPT];
	if (!process || process->script.count == 0)
		return false;
	int64_t last = (int64_t)process->script.count - 1;
	int64_t at = selection->active ? (int64_t)selection->at : current_operation(scene, &process->script);
	at += steps[move];
	at = at < 0 ? 0 : at > last ? last : at;
	bool moved = !selection->active || (uint64_t)at != selection->at;
	*selection = (struct selection){true, (uint64_t)at};
	return moved;
}

const struct view view_script = {.panel = PANEL_SCRIPT, .title = title, .draw = draw, .move = move};
