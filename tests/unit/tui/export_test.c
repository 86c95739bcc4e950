/* What is taken out: the events up to here and no others, complete or not at all. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "desk.h"
#include "faultline/eventlog.h"

static const char script[] = "{\"faultline\": 1, \"name\": \"x\", \"libc\": \"glibc\", \"script\": ["
			     "{\"op\": \"repeat\", \"times\": 100, \"body\": ["
			     "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 4000}, {\"op\": \"write\", \"at\": \"p\"},"
			     "{\"op\": \"free\", \"id\": \"p\"}]}]}";

struct fixture {
	struct desk *desk;
	struct console *console;
	char folder[64], path[96];
};

static void begin(struct fixture *fixture)
{
	(void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/faultline-export-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/events", fixture->folder);
	fixture->desk = desk_begin(script, 80, 24);
	fixture->console = &fixture->desk->console;
}

static void end(struct fixture *fixture)
{
	desk_end(fixture->desk);
	(void)unlink(fixture->path);
	(void)rmdir(fixture->folder);
}

static void export_events(struct fixture *fixture, const char *path)
{
	char command[128];
	(void)snprintf(command, sizeof(command), "export events %s", path);
	console_command(fixture->console, command);
}

/* What a world of its own logs, with where each line ends. */
static char *whole_log(const struct document *document, size_t *length)
{
	struct world *world;
	struct error error;
	char *text;
	FILE *out = open_memstream(&text, length);
	assert_int_equal(world_new(document, &world, &error), STATUS_OK);
	struct eventlog *log = eventlog_new(out, document);
	bus_subscribe(world_bus(world), EVENT_MASK_ALL, eventlog_event, log);
	assert_int_equal(world_run(world, &error), STATUS_OK);
	eventlog_free(log);
	world_free(world);
	(void)fclose(out);
	return text;
}

static void assert_holds(const char *path, const char *want, size_t length)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	char *content = malloc(length + 1);
	assert_int_equal(fread(content, 1, length + 1, file), length);
	assert_memory_equal(content, want, length);
	free(content);
	(void)fclose(file);
}

static void events_are_those_up_to_here(void **state)
{
	(void)state;
	struct fixture fixture;
	begin(&fixture);
	size_t length;
	char *want = whole_log(fixture.desk->document, &length);
	uint64_t all = travel_known(fixture.console->travel);
	const uint64_t positions[] = {0, 1, 200, all / 2, all};
	for (unsigned i = 0; i < sizeof(positions) / sizeof(*positions); i++) {
		const char *behind = want; /* the head, and a line an event */
		desk_go(fixture.desk, positions[i]);
		export_events(&fixture, fixture.path);
		console_settle(fixture.console);
		for (uint64_t line = 0; line <= positions[i]; line++)
			behind = strchr(behind, '\n') + 1;
		assert_holds(fixture.path, want, (size_t)(behind - want));
		assert_int_equal(fixture.console->scene.position, positions[i]);
		assert_false(fixture.console->scene.message_is_error);
		assert_non_null(strstr(fixture.console->message, "are written to"));
	}
	free(want);
	end(&fixture);
}

static void an_interrupted_export_leaves_nothing_and_goes_back(void **state)
{
	(void)state;
	struct fixture fixture;
	begin(&fixture);
	struct console *console = fixture.console;
	uint64_t all = travel_known(console->travel);
	desk_go(fixture.desk, all);
	/* Where the host is busy it may be done before the key comes. */
	for (unsigned tries = 0; tries < 50 && !console->scene.message_is_error; tries++) {
		(void)unlink(fixture.path);
		export_events(&fixture, fixture.path);
		console_arrive(console); /* at the start: now it writes */
		console_key(console, "Ctrl-C");
		console_settle(console);
	}
	assert_int_equal(console->scene.position, all);
	assert_true(console->scene.message_is_error);
	assert_non_null(strstr(console->message, "interrupted"));
	assert_int_not_equal(access(fixture.path, F_OK), 0);
	assert_null(console->exporting);
	end(&fixture);
}

static void what_cannot_be_written_is_said(void **state)
{
	(void)state;
	static const char *const paths[] = {"/nonexistent/events", "/dev/full"};
	for (unsigned i = 0; i < 2; i++) {
		struct fixture fixture;
		begin(&fixture);
		desk_go(fixture.desk, 300);
		export_events(&fixture, paths[i]);
		console_settle(fixture.console);
		assert_true(fixture.console->scene.message_is_error);
		assert_non_null(strstr(fixture.console->message, paths[i]));
		assert_int_equal(fixture.console->scene.position, 300);
		end(&fixture);
	}
}

/* Quitting does not wait for it. */
static void a_console_may_be_closed_while_it_writes(void **state)
{
	(void)state;
	struct fixture fixture;
	begin(&fixture);
	desk_go(fixture.desk, 1000);
	export_events(&fixture, fixture.path);
	console_arrive(fixture.console);
	end(&fixture);
	assert_int_not_equal(access(fixture.path, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(events_are_those_up_to_here),
	    cmocka_unit_test(an_interrupted_export_leaves_nothing_and_goes_back),
	    cmocka_unit_test(what_cannot_be_written_is_said),
	    cmocka_unit_test(a_console_may_be_closed_while_it_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
