#include "moment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "faultline/story.h"

bool moment_read(const char *text, uint64_t *out)
{
	char *end;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return errno == 0 && end != text && *end == '\0' && text[0] >= '0' && text[0] <= '9';
}

static enum status read_number(const char *option, const char *text, uint64_t *out, struct error *error)
{
	if (moment_read(text, out) && *out > 0 && *out <= UINT32_MAX * UINT64_C(1000))
		return STATUS_OK;
	return error_set(error, STATUS_BAD_INPUT, "%s %s: write a number from 1 up", option, text);
}

enum status moment_option(struct moment *moment, struct session_request *request, const struct option_given *given,
			  struct error *error)
{
	uint64_t number = 0;
	enum status status = STATUS_OK;
	if (given->id == MOMENT_OPTION_SET) {
		request->settings[request->setting_count++] = given->value;
	} else if (given->id == MOMENT_OPTION_AT) {
		status = read_number("--at", given->value, &moment->at, error);
	} else if (given->id == MOMENT_OPTION_PID) {
		status = read_number("--pid", given->value, &number, error);
		moment->pid = (uint32_t)number;
	}
	return status;
}

static void take(struct moment *moment, uint32_t pid)
{
	const struct process *process = NULL;
	unsigned index = 0;
	pid = moment->pid ? moment->pid : pid ? pid : 1;
	moment->taken = true;
	while (world_kernel(moment->world) && (process = world_process(moment->world, index)) && process->pid != pid)
		index++;
	if (process)
		moment->look(moment->self, index);
	else
		(void)error_set(&moment->error, STATUS_BAD_INPUT,
				"there is no process %" PRIu32 " at that moment: --pid names another one, a later --at "
				"finds it started",
				pid);
}

static void on_event(void *self, const struct event *event)
{
	struct moment *moment = self;
	if (event->number != moment->at)
		return;
	take(moment, event->pid);
	story_sentence(event, moment->what, sizeof(moment->what));
}

/* Nobody wants to know how the story went on. */
static bool goes_on(void *self, struct error *why)
{
	const struct moment *moment = self;
	(void)why;
	return !moment->taken;
}

enum status moment_run(struct moment *moment, struct error *error)
{
	if (moment->at != MOMENT_END) {
		bus_subscribe(world_bus(moment->world), EVENT_MASK_ALL, on_event, moment);
		world_set_check(moment->world, goes_on, moment);
	}
	enum status status = world_run(moment->world, error);
	bool unread = status == STATUS_BAD_INPUT || status == STATUS_HOST;
	if (unread && !moment->taken)
		return status;
	if (moment->at == MOMENT_END)
		take(moment, 0);
	if (!moment->taken)
		return error_set(error, STATUS_BAD_INPUT, "--at %" PRIu64 ": the run has only %" PRIu64 " events",
				 moment->at, world_bus_const(moment->world)->number);
	*error = moment->error;
	return error->status;
}
