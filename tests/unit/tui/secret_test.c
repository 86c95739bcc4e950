/* While a question is open, no panel tells what is still to come. */
#include "desk.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24},"
    "{\"op\": \"write\", \"at\": \"p\", \"value\": 7, \"note\": \"the first one faults\"},"
    "{\"op\": \"calloc\", \"id\": \"q\", \"count\": 1, \"size\": 300000, \"note\": \"this one is mapped\"},"
    "{\"op\": \"read\", \"at\": \"q\"}, {\"op\": \"write\", \"at\": \"q\", \"note\": \"copy on write\"},"
    "{\"op\": \"free\", \"id\": \"p\"}]}]}";

enum { AROUND = 64, TELLING = 20 };

/* Its beginning, as far as it must not be read before it has happened; a sentence that has been said is no secret. */
static bool is_new(const struct travel *travel, const char *sentence)
{
	for (uint64_t back = 0; back < AROUND; back++) {
		uint64_t position = travel_position(travel);
		const struct travel_record *record = back < position ? travel_record(travel, position - back) : NULL;
		if (record && strncmp(record->sentence, sentence, TELLING) == 0)
			return false;
	}
	return true;
}

static void assert_secret(struct desk *desk)
{
	const struct travel *travel = desk->console.travel;
	const struct scene *scene = &desk->console.scene;
	char screen[SCREEN_TEXT];
	(void)snprintf(screen, sizeof(screen), "%s", desk_look(desk));
	char *question = strstr(screen, "QUIZ ");
	assert_non_null(question);
	memset(question, ' ', strcspn(question, "\n"));
	for (uint64_t ahead = 1; ahead <= AROUND; ahead++) {
		const struct travel_record *record = travel_record(travel, scene->position + ahead);
		char beginning[TELLING + 1];
		if (!record || record->event.kind == EVENT_OP_START || !is_new(travel, record->sentence))
			continue;
		(void)snprintf(beginning, sizeof(beginning), "%.*s", TELLING, record->sentence);
		if (strstr(screen, beginning))
			fail_msg("event %u, asked \"%s\", tells \"%s\":\n%s", (unsigned)scene->position,
				 scene->quiz->question, record->sentence, screen);
	}
	const char *next = strstr(screen, "NEXT   ");
	if (next)
		assert_memory_equal(next + 7, SCENE_SECRET, strlen(SCENE_SECRET));
	/* The story ends with its current stage, whose brackets may hold how often it has been so far. */
	const char *story = strstr(screen, "STORY  ");
	if (story) {
		story = strchr(story, ']');
		assert_non_null(story);
		story += 1 + strspn(story + 1, ") +x0123456789/");
		if (strncmp(story, SCENE_SECRET, strlen(SCENE_SECRET)) != 0)
			fail_msg("event %u: the story goes on: %.60s", (unsigned)scene->position, story);
	}
}

static void ask_everywhere(unsigned columns, unsigned rows, const char *panel)
{
	struct desk *desk = desk_begin(script, columns, rows);
	struct scene *scene = &desk->console.scene;
	unsigned asked = 0;
	if (panel) {
		desk_press(desk, panel);
		desk_press(desk, "z");
	}
	for (uint64_t at = scene->position; at < travel_known(desk->console.travel); at++) {
		desk_go(desk, at);
		desk_press(desk, "a");
		if (!scene->quiz)
			continue;
		asked++;
		assert_secret(desk);
		desk_press(desk, "a");
		assert_true(scene->quiz->revealed);
		if (columns >= 160)
			assert_null(strstr(desk_look(desk), SCENE_SECRET));
		console_quiz_end(&desk->console);
	}
	assert_true(asked > 50);
	desk_end(desk);
}

static void no_panel_tells_what_a_question_asks(void **state)
{
	(void)state;
	ask_everywhere(160, 50, NULL);
	ask_everywhere(160, 50, "6");
	ask_everywhere(160, 50, "8");
	ask_everywhere(80, 24, NULL);
	ask_everywhere(80, 24, "6");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(no_panel_tells_what_a_question_asks)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
