#include "scene.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "meaning.h"
#include "quiz.h"

/* Which argument of an event is the address that it is about. */
static const struct {
	enum event_kind kind;
	unsigned index;
} addresses[] = {
    {EVENT_ACCESS, 1},  {EVENT_SIGNAL, 1},    {EVENT_EXCEPTION, 2},  {EVENT_FAULT, 0},
    {EVENT_PTE_SET, 0}, {EVENT_PTE_CLEAR, 0}, {EVENT_TLB_MISS, 0},   {EVENT_TLB_FILL, 0},
    {EVENT_WALK, 0},    {EVENT_VMA_ADD, 0},   {EVENT_VMA_CHANGE, 0}, {EVENT_BREAK, 0},
};

static bool address_of(const struct event *event, uint64_t *va)
{
	if (event->kind == EVENT_EXCEPTION && strcmp(event_arg_text(event, 0), "#PF") != 0)
		return false;
	if (event->kind == EVENT_SIGNAL && strcmp(event_arg_text(event, 0), "SIGSEGV") != 0 &&
	    strcmp(event_arg_text(event, 0), "SIGBUS") != 0)
		return false;
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		if (addresses[i].kind == (enum event_kind)event->kind) {
			*va = event->arg[addresses[i].index];
			return true;
		}
	}
	return false;
}

static enum access_kind access_of(const struct event *access)
{
	const char *kind = event_arg_text(access, 0);
	if (strcmp(kind, "write") == 0)
		return ACCESS_WRITE;
	return strcmp(kind, "execute") == 0 ? ACCESS_FETCH : ACCESS_READ;
}

/* What the processor itself says of an access: the error code of a page fault, the kind of a miss. */
static bool access_of_hardware(const struct event *event, uint64_t page, enum access_kind *out)
{
	uint64_t va;
	if ((event->kind != EVENT_EXCEPTION && event->kind != EVENT_TLB_MISS) || !address_of(event, &va) ||
	    page_floor(va) != page)
		return false;
	if (event->kind == EVENT_EXCEPTION)
		*out = event->arg[1] & FAULT_WRITE   ? ACCESS_WRITE
		       : event->arg[1] & FAULT_FETCH ? ACCESS_FETCH
						     : ACCESS_READ;
	for (unsigned kind = 0; event->kind == EVENT_TLB_MISS && kind < ACCESS_KIND_COUNT; kind++) {
		if (strcmp(event_arg_text(event, 1), access_kind_name((enum access_kind)kind)) == 0)
			*out = (enum access_kind)kind;
	}
	return true;
}

/* What the processor does for an access to the page: who makes it, and whether it is done. False: something else. */
static bool access_in_hardware(const struct scene *scene, const struct event *event, bool *supervisor, bool *under_way)
{
	static const uint64_t kinds = EVENT_BIT(EVENT_ACCESS) | EVENT_BIT(EVENT_TLB_MISS) | EVENT_BIT(EVENT_WALK) |
				      EVENT_BIT(EVENT_TLB_FILL) | EVENT_BIT(EVENT_EXCEPTION);
	uint64_t va;
	if (!(kinds & EVENT_BIT(event->kind)) || !address_of(event, &va) ||
	    page_floor(va) != page_floor(scene->address.v))
		return false;
	*under_way = event->kind != EVENT_ACCESS && event->kind != EVENT_TLB_FILL;
	*supervisor = event->kind == EVENT_EXCEPTION ? !(event->arg[1] & FAULT_USER)
						     : travel_ring(scene->travel, event->number) == 0;
	return true;
}

static bool begins_operation(const struct event *event)
{
	return event->kind == EVENT_OP_START;
}

/* The address of this event, or else of the last one of its operation that had one. */
static void find_address(struct scene *scene)
{
	scene->has_address = false;
	scene->access = ACCESS_READ;
	scene->access_bytes = 0;
	scene->operation_start = 0;
	scene->supervisor = scene->under_way = false;
	bool known = false; /* the processor has said what it was */
	bool placed = false;
	for (uint64_t number = scene->position; number > 0; number--) {
		const struct travel_record *record = travel_record(scene->travel, number);
		uint64_t va;
		if (!record)
			return;
		if (!scene->has_address && event_subject(&record->event) == event_subject(scene->event) &&
		    address_of(&record->event, &va)) {
			scene->has_address = true;
			scene->address = (struct vaddr){va};
		}
		if (scene->has_address && !placed)
			placed = access_in_hardware(scene, &record->event, &scene->supervisor, &scene->under_way);
		if (scene->has_address && !known)
			known = access_of_hardware(&record->event, page_floor(scene->address.v), &scene->access);
		if (record->event.kind == EVENT_ACCESS && scene->access_bytes == 0 && scene->has_address) {
			if (!known)
				scene->access = access_of(&record->event);
			known = true;
			scene->access_bytes = (unsigned)record->event.arg[2];
		}
		if (begins_operation(&record->event)) {
			scene->operation_start = number;
			return;
		}
	}
}

/* The process of the event; before the first, and in the kernel's own time, the first one. */
static void find_process(struct scene *scene)
{
	const struct process *process;
	if (!scene->pinned) {
		scene->process = 0;
		for (unsigned i = 0; (process = world_process(scene->world, i)) != NULL; i++) {
			if (scene->event && process->pid == event_subject(scene->event))
				scene->process = i;
		}
	}
	scene->shown = scene->booted ? world_process(scene->world, scene->process) : NULL;
}

bool scene_is_of_nobody(const struct scene *scene)
{
	const uint32_t subject = scene->event ? event_subject(scene->event) : 0;
	return !scene->pinned && subject != 0 && scene->shown && scene->shown->pid != subject;
}

/* Where nothing happens to memory, the page of the next instruction is what the tables are asked for. */
static void take_translation(struct scene *scene)
{
	memset(&scene->translation, 0, sizeof(scene->translation));
	if (!scene->shown || scene_is_of_nobody(scene))
		scene->has_address = false;
	else if (scene->has_address)
		translation_take(&scene->translation, scene->world, scene->process, scene->address);
}

void scene_refresh(struct scene *scene)
{
	scene->world = travel_world(scene->travel);
	scene->position = travel_position(scene->travel);
	scene->now = travel_record(scene->travel, scene->position);
	scene->previous = scene->position > 1 ? travel_record(scene->travel, scene->position - 1) : NULL;
	scene->event = scene->now ? &scene->now->event : NULL;
	/* A kernel that is about to boot has no tables yet. */
	scene->booted = scene->event && world_kernel(scene->world) != NULL;
	find_process(scene);
	scene->has_address = false;
	scene->operation_start = 0;
	if (scene->event)
		find_address(scene);
	take_translation(scene);
	meaning_fill(scene);
}

bool scene_has_secret(const struct scene *scene)
{
	return scene->quiz && !scene->quiz->revealed;
}

uint64_t scene_horizon(const struct scene *scene)
{
	return scene_has_secret(scene) ? scene->position : UINT64_MAX;
}

struct number scene_number(const struct scene *scene, uint64_t value)
{
	struct number number;
	if (scene->decimal)
		(void)snprintf(number.text, sizeof(number.text), "%" PRIu64, value);
	else
		(void)snprintf(number.text, sizeof(number.text), "0x%" PRIx64, value);
	return number;
}
