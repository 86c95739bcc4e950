/* Each question's answer is what the run goes on to do: found out by running on, not from the record that made it. */
#include "quiz.h"
#include "stage.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"4MiB\"}, \"kernel\": {\"swap\": \"4MiB\"}, \"processes\": ["
    "{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"calloc\", \"id\": \"q\", \"count\": 1, \"size\": 200000}, {\"op\": \"read\", \"at\": \"q\"},"
    "{\"op\": \"write\", \"at\": \"q\"}, {\"op\": \"free\", \"id\": \"p\"},"
    "{\"op\": \"malloc\", \"id\": \"r\", \"size\": \"64GiB\"}, {\"op\": \"malloc\", \"id\": \"s\", \"size\": 24},"
    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"5MiB\"}, {\"op\": \"write\", \"at\": \"m\", \"length\": \"5MiB\"},"
    "{\"op\": \"read\", \"at\": \"m\", \"length\": \"1MiB\"},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]}]}";

static const char *right_of(const struct quiz *quiz)
{
	return quiz->choices[quiz->right];
}

static void assert_hex(const struct quiz *quiz, uint64_t value)
{
	char text[QUIZ_CHOICE_TEXT];
	(void)snprintf(text, sizeof(text), value ? "0x%llx" : "NULL", (unsigned long long)value);
	assert_string_equal(right_of(quiz), text);
}

/* Runs on to the first of the kinds and compares. */
static void check_by_running_on(struct stage *stage, const struct quiz *quiz)
{
	static const uint64_t op_end = EVENT_BIT(EVENT_OP_END);
	static const uint64_t kinds[QUESTION_COUNT] = {
	    [QUESTION_HIT] = EVENT_BIT(EVENT_ACCESS),
	    [QUESTION_LEVELS] = EVENT_BIT(EVENT_WALK),
	    [QUESTION_DOOR] = EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_EXCEPTION) | op_end,
	    [QUESTION_FAULTS] = op_end,
	    [QUESTION_FRAME] = EVENT_BIT(EVENT_FRAME_ALLOC) | op_end,
	    [QUESTION_EXCEPTION] = EVENT_BIT(EVENT_EXCEPTION) | op_end,
	    [QUESTION_ERROR_CODE] = EVENT_BIT(EVENT_EXCEPTION),
	    [QUESTION_RESULT] = EVENT_BIT(EVENT_LIBC_RETURN),
	    [QUESTION_VICTIM] = EVENT_BIT(EVENT_EVICT),
	    [QUESTION_SEVERITY] = EVENT_BIT(EVENT_FAULT),
	    [QUESTION_CAUSE] = EVENT_BIT(EVENT_FAULT),
	};
	assert_true(stage_forward(stage, kinds[quiz->kind]));
	const struct event *event = stage->scene.event;
	bool ended = event->kind == EVENT_OP_END;
	switch (quiz->kind) {
	case QUESTION_LEVELS:
		assert_int_equal(atoi(right_of(quiz)), event->arg[1]);
		break;
	case QUESTION_DOOR:
		assert_string_equal(right_of(quiz), ended                          ? "end"
						    : event->kind == EVENT_SYSCALL ? "system call"
										   : "exception");
		break;
	case QUESTION_FRAME:
		assert_string_equal(right_of(quiz), ended ? "no" : "yes");
		break;
	case QUESTION_EXCEPTION:
		assert_string_equal(right_of(quiz), ended ? "none" : event_arg_text(event, 0));
		break;
	case QUESTION_ERROR_CODE:
		assert_string_equal(event_arg_text(event, 0), "#PF");
		assert_hex(quiz, event->arg[1]);
		break;
	case QUESTION_RESULT:
		assert_string_equal(event_arg_text(event, 0), "malloc");
		assert_hex(quiz, event->arg[1]);
		break;
	case QUESTION_VICTIM:
		assert_hex(quiz, event->arg[0]);
		break;
	case QUESTION_SEVERITY:
		assert_string_equal(right_of(quiz), event_arg_text(event, 2));
		break;
	case QUESTION_CAUSE:
		assert_string_equal(right_of(quiz), event_arg_text(event, 1));
		break;
	case QUESTION_HIT:
		assert_true(stage_forward(stage, EVENT_MASK_ALL));
		assert_string_equal(right_of(quiz), stage->scene.event->kind == EVENT_TLB_MISS ? "no" : "yes");
		break;
	case QUESTION_FAULTS:
	case QUESTION_COUNT:
	default:
		break;
	}
}

static void check_choices(const struct quiz *quiz)
{
	assert_in_range(quiz->count, 2, QUIZ_CHOICES);
	/* Behind "QUIZ " on 80 columns. */
	assert_true(strlen(quiz->question) <= 75);
	assert_true(quiz->right < quiz->count);
	for (unsigned i = 0; i < quiz->count; i++) {
		assert_true(quiz->choices[i][0] != '\0');
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(quiz->choices[i], quiz->choices[j]);
	}
}

static void every_answer_is_what_happens(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	unsigned asked[QUESTION_COUNT] = {0};
	uint64_t first = travel_known_after(stage.travel, 0, EVENT_BIT(EVENT_OP_START));
	for (uint64_t position = first; position < travel_known(stage.travel); position += 11) {
		struct quiz quiz;
		stage_seek(&stage, position);
		if (!quiz_make(stage.travel, position, &quiz))
			continue;
		asked[quiz.kind]++;
		check_choices(&quiz);
		check_by_running_on(&stage, &quiz);
	}
	for (unsigned kind = 0; kind < QUESTION_COUNT; kind++) {
		if (!asked[kind])
			fail_msg("question %u was never asked", kind);
	}
	stage_end(&stage);
}

static void the_same_seed_asks_the_same(void **state)
{
	(void)state;
	struct stage stage = stage_begin(script, "test.json");
	uint64_t first = travel_known_after(stage.travel, 0, EVENT_BIT(EVENT_OP_START));
	struct quiz one, two;
	stage_seek(&stage, first + 3);
	assert_true(quiz_make(stage.travel, 5, &one));
	stage_seek(&stage, first + 40);
	stage_seek(&stage, first + 3);
	assert_true(quiz_make(stage.travel, 5, &two));
	assert_string_equal(one.question, two.question);
	assert_int_equal(one.right, two.right);
	assert_memory_equal(one.choices, two.choices, sizeof(one.choices));
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_is_what_happens),
	    cmocka_unit_test(the_same_seed_asks_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
