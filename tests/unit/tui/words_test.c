/* What is told in words: no silence, no runs of nothing, and numbers that say whose they are. */
#include "desk.h"
#include "linear.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"64MiB\", \"cpus\": 2}, \"processes\": [{\"name\": \"one\", "
    "\"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 5000}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"fork\", \"body\": [{\"op\": \"read\", \"at\": \"p\"}]}, {\"op\": \"wait\"}]}]}";

/* The lines typed, and all that is told until the input ends; the caller frees it. */
static char *told(struct desk *desk, const char *typed)
{
	struct error error = {0};
	char *text = NULL;
	size_t bytes = 0;
	FILE *in = fmemopen((void *)(uintptr_t)typed, strlen(typed), "r");
	FILE *out = open_memstream(&text, &bytes);
	FILE *kept_in = stdin, *kept_out = stdout;
	stdin = in;
	stdout = out;
	(void)linear_run(&desk->console, &error);
	stdin = kept_in;
	stdout = kept_out;
	(void)fclose(in);
	(void)fclose(out);
	return text;
}

static void nothing_is_told_at_length(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	char *text = told(desk, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
	assert_non_null(strstr(text, "panel FRAMES"));
	assert_null(strstr(text, "\n\n"));
	assert_in_range(strlen(text), 500, 12000);
	assert_non_null(strstr(text, " more such rows ..."));
	free(text);
	desk_end(desk);
}

static void numbers_say_whose_they_are(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 160, 50);
	for (unsigned i = 0; i < 100; i++) {
		char of[32];
		const struct scene *scene = &desk->console.scene;
		(void)snprintf(of, sizeof(of), "of pid %u", scene->shown->pid);
		assert_non_null(strstr(desk_look(desk), of));
		(void)snprintf(of, sizeof(of), "of CPU%u", scene->event->cpu);
		assert_non_null(strstr(desk_look(desk), of));
		assert_non_null(strstr(desk_look(desk), "of all processes and CPUs"));
		desk_press(desk, "s");
	}
	desk_end(desk);
}

/* After the fork many frames are mapped twice: where there is no room to say by whom, it says how to see it. */
static void mappings_without_room_are_one_key_away(void **state)
{
	(void)state;
	struct desk *desk = desk_begin(script, 80, 24);
	struct scene *scene = &desk->console.scene;
	unsigned seen = 0;
	for (uint64_t at = scene->position; at <= travel_known(desk->console.travel); at++) {
		desk_go(desk, at);
		assert_null(strstr(desk_look(desk), "not shown"));
		if (!strstr(desk->screen, "2 entries map it: 4 4 lists"))
			continue;
		desk_press(desk, "4");
		desk_press(desk, "4");
		assert_non_null(strstr(desk_look(desk), "<- pid 2"));
		desk_press(desk, "Esc");
		desk_press(desk, "Esc");
		seen++;
	}
	assert_true(seen > 0);
	desk_end(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_told_at_length),
	    cmocka_unit_test(numbers_say_whose_they_are),
	    cmocka_unit_test(mappings_without_room_are_one_key_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
