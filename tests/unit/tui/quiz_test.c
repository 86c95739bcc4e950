/* Each question's answer is what the run goes on to do: found out by running on, not from the record that made it. */
#include "quiz.h"

#include "faultline/kernel.h"
#include "faultline/tui.h"
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

/* What the question takes for granted, seen from where it is asked. */
static void check_premise(struct stage *stage, const struct quiz *quiz)
{
	const uint64_t position = stage->scene.position;
	const struct kernel *kernel = world_kernel(stage->scene.world);
	const uint64_t edges = EVENT_BIT(EVENT_OP_START) | EVENT_BIT(EVENT_OP_END);
	const uint64_t fault = travel_known_after(stage->travel, position, EVENT_BIT(EVENT_FAULT));
	switch (quiz->kind) {
	case QUESTION_SEVERITY:
	case QUESTION_CAUSE:
		/* It will be raised: nobody has begun to handle it. */
		assert_in_range(travel_known_after(stage->travel, position, EVENT_BIT(EVENT_EXCEPTION)), position + 1,
				fault);
		break;
	case QUESTION_VICTIM:
		assert_true(frame_pool_free(kernel_frames(kernel)) < kernel_watermarks(kernel).high);
		assert_says(&stage->scene, PANEL_FRAMES, right_of(quiz) + 2);
		break;
	case QUESTION_DOOR:
	case QUESTION_FAULTS:
	case QUESTION_FRAME:
	case QUESTION_EXCEPTION:
		assert_int_equal(travel_kind(stage->travel, travel_known_before(stage->travel, position + 1, edges)),
				 EVENT_OP_START);
		break;
	case QUESTION_HIT:
	case QUESTION_LEVELS:
	case QUESTION_ERROR_CODE:
	case QUESTION_RESULT:
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
		check_premise(&stage, &quiz);
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

/* MADV_PAGEOUT takes away what it is told to: no policy is asked. */
static void what_is_paged_out_by_request_is_no_victim_of_a_policy(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"kernel\": {\"swap\": \"4MiB\"}, \"processes\": "
	    "["
	    "{\"name\": \"one\", \"script\": [{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"64KiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"64KiB\"},"
	    "{\"op\": \"madvise\", \"at\": \"m\", \"length\": \"64KiB\", \"advice\": \"MADV_PAGEOUT\"}]}]}",
	    "test.json");
	unsigned evictions = 0;
	struct quiz quiz;
	stage_seek(&stage, travel_known_after(stage.travel, 0, EVENT_BIT(EVENT_OP_START)));
	do {
		assert_false(quiz_make_of(stage.travel, QUESTION_VICTIM, 1, &quiz));
		evictions += stage.scene.event->kind == EVENT_EVICT;
	} while (stage_forward(&stage, EVENT_MASK_ALL) && stage.scene.position < travel_known(stage.travel));
	assert_int_equal(evictions, 16);
	stage_end(&stage);
}

/* ---- on paper ---- */

enum { QUESTIONS = 12, LINE = 512 };

static unsigned read_sheet(const char *text, uint64_t seed, char asked[][LINE])
{
	struct document *document;
	struct error error = {0};
	char *sheet = NULL;
	size_t bytes = 0;
	unsigned count = 0;
	FILE *out = open_memstream(&sheet, &bytes);
	const struct tui_quiz wanted = {.seed = seed, .count = QUESTIONS, .answers = true, .format = REPORT_TEXT};
	assert_int_equal(document_parse(text, strlen(text), "test.json", &document, &error), STATUS_OK);
	assert_int_equal(tui_quiz(document, &wanted, out, &error), STATUS_OK);
	(void)fclose(out);
	for (char *line = strtok(sheet, "\n"); line; line = strtok(NULL, "\n")) {
		line += strspn(line, " ");
		if (strncmp(line, "asks ", 5) == 0)
			(void)snprintf(asked[count++], LINE, "%s", line + 5 + strspn(line + 5, " "));
		else if (count > 0 &&
			 (strncmp(line, "answer ", 7) == 0 || (line[0] >= 'a' && line[0] <= 'd' && line[1] == ' ')))
			(void)snprintf(asked[count - 1] + strlen(asked[count - 1]), LINE - strlen(asked[count - 1]),
				       " %s", line);
	}
	free(sheet);
	document_free(document);
	return count;
}

/* Every kind that the workload has comes before one comes twice, and no question stands there twice. */
static void a_sheet_asks_different_things(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		char asked[QUESTIONS][LINE];
		unsigned kinds = 0;
		unsigned letters[QUIZ_CHOICES] = {0};
		assert_int_equal(read_sheet(script, seed, asked), QUESTIONS);
		for (unsigned i = 0; i < QUESTIONS; i++) {
			bool seen = false;
			for (unsigned j = 0; j < i; j++) {
				assert_string_not_equal(asked[i], asked[j]);
				seen = seen || strncmp(asked[i], asked[j], 10) == 0;
			}
			kinds += !seen;
			letters[asked[i][strlen(asked[i]) - 1] - 'a']++;
		}
		/* "The page of" begins two kinds, the other nine begin differently. */
		if (kinds < QUESTION_COUNT - 1)
			fail_msg("seed %u: only %u kinds", (unsigned)seed, kinds);
		for (unsigned i = 0; i < QUIZ_CHOICES; i++)
			assert_true(letters[i] < QUESTIONS / 2 + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_answer_is_what_happens),
	    cmocka_unit_test(the_same_seed_asks_the_same),
	    cmocka_unit_test(what_is_paged_out_by_request_is_no_victim_of_a_policy),
	    cmocka_unit_test(a_sheet_asks_different_things),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
