/* FRAMES counts what /proc counts, at every moment. */
#include "faultline/procfs.h"
#include "stage.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"4MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"3MiB\"}, {\"op\": \"write\", \"at\": \"m\", \"length\": \"3MiB\"},"
    "{\"op\": \"mmap\", \"id\": \"n\", \"length\": \"3MiB\"}, {\"op\": \"write\", \"at\": \"n\", \"length\": \"3MiB\"},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGKILL\"}]}]}";

static void take(void *self, const char *text, size_t length)
{
	(void)fwrite(text, 1, length, self);
}

/* A file of /proc; the caller frees it. */
OPENS_MEMSTREAM char *proc_of(const struct scene *scene, enum procfs_file file)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);
	procfs_print(world_kernel(scene->world), scene->shown, file, take, out);
	(void)fclose(out);
	return text;
}

static void free_blocks_are_those_of_buddyinfo(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	for (uint64_t at = 60; at < travel_known(stage.travel); at += 97) {
		char expected[256] = "free blocks by order:";
		stage_seek(&stage, at);
		char *proc = proc_of(&stage.scene, PROCFS_BUDDYINFO);
		const char *next = strstr(proc, "Normal");
		assert_non_null(next);
		next += strlen("Normal");
		for (unsigned order = 0; order <= FRAME_MAX_ORDER; order++) {
			char *end;
			unsigned long count = strtoul(next, &end, 10);
			assert_true(end != next);
			next = end;
			(void)snprintf(expected + strlen(expected), 32, " %u:%lu", order, count);
		}
		assert_says(&stage.scene, PANEL_FRAMES, expected);
		free(proc);
	}
	stage_end(&stage);
}

static unsigned long pages_of(const char *proc, const char *label)
{
	unsigned long kilobytes;
	const char *line = strstr(proc, label);
	assert_non_null(line);
	assert_int_equal(sscanf(line + strlen(label), " %lu", &kilobytes), 1);
	return kilobytes / 4;
}

static unsigned long number_behind(const char *text, const char *label)
{
	const char *at = strstr(text, label);
	if (!at)
		fail_msg("no '%s' in:\n%s", label, text);
	return strtoul(at + strlen(label), NULL, 10);
}

/* The lists of a kernel without swap are those of files; what is anonymous is counted beside them. */
static void without_swap_the_lists_are_those_of_meminfo(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	unsigned looked = 0;
	stage_seek(&stage, 60);
	while (stage_forward(&stage, EVENT_BIT(EVENT_RECLAIM) | EVENT_BIT(EVENT_OOM_KILL))) {
		char *proc = proc_of(&stage.scene, PROCFS_MEMINFO);
		char *text = stage_view(&stage.scene, PANEL_FRAMES, 40, 120);
		assert_int_equal(number_behind(text, "no swap: "),
				 pages_of(proc, "Inactive(anon):") + pages_of(proc, "Unevictable:"));
		assert_int_equal(number_behind(text, " inactive(file): ") + number_behind(text, " active(file): "),
				 pages_of(proc, "Active(file):") + pages_of(proc, "Inactive(file):"));
		free(text);
		free(proc);
		looked++;
	}
	assert_true(looked > 0);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(free_blocks_are_those_of_buddyinfo),
	    cmocka_unit_test(without_swap_the_lists_are_those_of_meminfo),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
