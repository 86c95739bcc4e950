#include "faultline/witness.h"

#include <stdio.h>
#include <string.h>

/* Index of the process; DOCUMENT_MAX_PROCESSES if there is none. */
static unsigned index_of(const struct world *world, uint32_t pid)
{
	const struct process *process;
	for (unsigned i = 0; (process = world_process(world, i)); i++) {
		if (process->pid == pid)
			return i;
	}
	return DOCUMENT_MAX_PROCESSES;
}

/* The signal is published before the address space goes. */
static void see_signal(struct witness *witness, const struct event *event)
{
	unsigned index = index_of(witness->world, event->pid);
	if (index == DOCUMENT_MAX_PROCESSES)
		return;
	witness->killed[index] = true;
	translation_take(&witness->death[index], witness->world, index, vaddr(event->arg[1]));
}

static void see_expect(struct witness *witness, const struct event *event)
{
	unsigned index = index_of(witness->world, event->pid);
	if (strcmp(event_arg_text(event, 1), "holds") == 0 || witness->failure_count == WITNESS_FAILURES)
		return;
	struct witness_failure *failure = &witness->failures[witness->failure_count++];
	(void)snprintf(failure->text, sizeof(failure->text), "expected %s %s, it is %s", event_arg_text(event, 0),
		       event_arg_text(event, 2), event_arg_text(event, 3));
	if (index == DOCUMENT_MAX_PROCESSES)
		return; /* of a dead process: its place is in the error of the run */
	struct world_process_state state = world_process_state(witness->world, index);
	(void)snprintf(failure->place, sizeof(failure->place), "%u:%u: %s", state.line, state.column, state.pointer);
}

static void on_event(void *self, const struct event *event)
{
	if (event->kind == EVENT_SIGNAL)
		see_signal(self, event);
	else
		see_expect(self, event);
}

void witness_attach(struct witness *witness, struct world *world)
{
	memset(witness, 0, sizeof(*witness));
	witness->world = world;
	bus_subscribe(world_bus(world), EVENT_BIT(EVENT_SIGNAL) | EVENT_BIT(EVENT_EXPECT), on_event, witness);
}
