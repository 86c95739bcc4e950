#include "faultline/timeline.h"

#include <string.h>

#include "faultline/status.h"

static void note(struct timeline *timeline, enum timeline_step step, const struct event *event)
{
	timeline->step[step] = *event;
	timeline->seen[step] = true;
}

static bool seen(const struct timeline *timeline, enum timeline_step step)
{
	return timeline->seen[step];
}

/* ---- the promise ---- */

/* A call that is served from free blocks is not the one. */
static void forget_call(struct timeline *timeline)
{
	memset(timeline->seen, 0, sizeof(timeline->seen));
	timeline->searches = 0;
	timeline->pid = 0;
}

static void see_call(struct timeline *timeline, const struct event *event)
{
	timeline->in_libc = true;
	if (seen(timeline, TIMELINE_AREA))
		return;
	forget_call(timeline);
	timeline->pid = event->pid;
	note(timeline, TIMELINE_CALL, event);
}

static void see_return(struct timeline *timeline, const struct event *event)
{
	timeline->in_libc = false;
	if (!seen(timeline, TIMELINE_AREA))
		forget_call(timeline);
	else if (seen(timeline, TIMELINE_CALL) && !seen(timeline, TIMELINE_RETURN))
		note(timeline, TIMELINE_RETURN, event);
}

static void see_search(struct timeline *timeline, const struct event *event)
{
	if (seen(timeline, TIMELINE_GROW))
		return;
	timeline->searches++;
	note(timeline, TIMELINE_SEARCH, event);
}

static void see_grow(struct timeline *timeline, const struct event *event)
{
	if (!seen(timeline, TIMELINE_GROW))
		note(timeline, TIMELINE_GROW, event);
}

/* Other calls make no promise of memory. */
static void see_syscall(struct timeline *timeline, const struct event *event)
{
	const char *name = event_arg_text(event, 0);
	if (seen(timeline, TIMELINE_AREA))
		return;
	timeline->seen[TIMELINE_SERVE] = false;
	if (strcmp(name, "brk") != 0 && strcmp(name, "mmap") != 0)
		return;
	timeline->pid = event->pid;
	note(timeline, TIMELINE_SERVE, event);
}

/* Only areas that a system call of the program makes count. */
static void see_area(struct timeline *timeline, const struct event *event)
{
	if (seen(timeline, TIMELINE_SERVE) && !seen(timeline, TIMELINE_AREA))
		note(timeline, TIMELINE_AREA, event);
}

static void see_answer(struct timeline *timeline, const struct event *event)
{
	if (seen(timeline, TIMELINE_AREA) && !seen(timeline, TIMELINE_ANSWER))
		note(timeline, TIMELINE_ANSWER, event);
}

/* ---- the first touch ---- */

static void see_walk(struct timeline *timeline, const struct event *event)
{
	if (!timeline->faulting)
		timeline->pending[TIMELINE_WALK] = *event;
}

static void see_exception(struct timeline *timeline, const struct event *event)
{
	const struct event *area = &timeline->step[TIMELINE_AREA];
	bool in_area = seen(timeline, TIMELINE_AREA) && event->arg[2] >= area->arg[0] && event->arg[2] < area->arg[1];
	timeline->faulting = in_area && strcmp(event_arg_text(event, 0), "#PF") == 0;
	timeline->pending[TIMELINE_EXCEPTION] = *event;
}

/* The last frame taken is the page's; those before it may be page tables'. */
static void see_in_fault(struct timeline *timeline, const struct event *event)
{
	static const enum timeline_step steps[EVENT_COUNT] = {
	    [EVENT_FRAME_ALLOC] = TIMELINE_FRAME, [EVENT_PTE_SET] = TIMELINE_ENTRY, [EVENT_FAULT] = TIMELINE_FAULT};
	if (timeline->faulting)
		timeline->pending[steps[event->kind]] = *event;
}

static void finish_fault(struct timeline *timeline, const struct event *event)
{
	timeline->faulting = false;
	if (timeline->in_libc && seen(timeline, TIMELINE_FAULT))
		return;
	timeline->touched_by_libc = timeline->in_libc;
	timeline->pending[TIMELINE_RESUME] = *event;
	for (unsigned step = TIMELINE_WALK; step <= TIMELINE_RESUME; step++)
		note(timeline, (enum timeline_step)step, &timeline->pending[step]);
	if (!timeline->in_libc)
		bus_set_mask(timeline->bus, timeline, 0);
}

static void see_ring(struct timeline *timeline, const struct event *event)
{
	bool enters = event->arg[1] == 0;
	if (enters && !seen(timeline, TIMELINE_AREA))
		note(timeline, TIMELINE_ENTER, event);
	else if (!enters && timeline->faulting)
		finish_fault(timeline, event);
	else if (!enters && seen(timeline, TIMELINE_ANSWER) && !seen(timeline, TIMELINE_LEAVE))
		note(timeline, TIMELINE_LEAVE, event);
}

/* ---- the observer ---- */

typedef void see_fn(struct timeline *timeline, const struct event *event);

static see_fn *const sees[EVENT_COUNT] = {
    [EVENT_LIBC_CALL] = see_call,   [EVENT_LIBC_RETURN] = see_return,  [EVENT_LIBC_SEARCH] = see_search,
    [EVENT_LIBC_GROW] = see_grow,   [EVENT_SYSCALL] = see_syscall,     [EVENT_SYSCALL_RETURN] = see_answer,
    [EVENT_VMA_ADD] = see_area,     [EVENT_VMA_CHANGE] = see_area,     [EVENT_RING] = see_ring,
    [EVENT_WALK] = see_walk,        [EVENT_EXCEPTION] = see_exception, [EVENT_FRAME_ALLOC] = see_in_fault,
    [EVENT_PTE_SET] = see_in_fault, [EVENT_FAULT] = see_in_fault,
};

void timeline_event(void *self, const struct event *event)
{
	struct timeline *timeline = self;
	bool foreign = timeline->pid != 0 && event->pid != timeline->pid;
	if (sees[event->kind] && !foreign)
		sees[event->kind](timeline, event);
}

void timeline_attach(struct timeline *timeline, struct bus *bus)
{
	uint64_t mask = 0;
	*timeline = (struct timeline){.bus = bus};
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++)
		mask |= sees[kind] ? EVENT_BIT(kind) : 0;
	bus_subscribe(bus, mask, timeline_event, timeline);
}
