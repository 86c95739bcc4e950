/* Every event, system call, cause of a fault and libc function has its reason, and it fits the smallest screen. */
#include "faultline/event_fields.h"
#include "faultline/story.h"
#include "reason.h"
#include "stage.h"

enum { TEXT = 512, NOT_A_TEXT = 1 };

/* An event with values of usual length. */
static struct event usual(enum event_kind kind, const struct event_fields *fields, uint64_t text)
{
	static const uint64_t values[FIELD_TYPE_COUNT] = {[FIELD_HEX] = 0x55555555e000,
							  [FIELD_PFN] = 0x3fff,
							  [FIELD_DEC] = 1234,
							  [FIELD_BYTES] = 102400,
							  [FIELD_RESULT] = 0x55555555e000};
	struct event event = {.kind = (uint8_t)kind};
	for (unsigned i = 0; i < fields->count[kind]; i++) {
		enum field_type type = fields->field[kind][i].type;
		event.arg[i] = type == FIELD_TEXT ? text : values[type];
	}
	return event;
}

static void assert_fits(const struct event_fields *fields, const struct event *event, const char *reason)
{
	char text[TEXT];
	assert_true(reason[0] != '\0');
	story_fill(fields, event, reason, text, sizeof(text));
	char last = text[strlen(text) - 1];
	if (strlen(text) > REASON_COLUMNS || (last != '.' && last != '?'))
		fail_msg("%u columns: %s", (unsigned)strlen(text), text);
}

static void every_event_has_a_reason_that_fits(void **state)
{
	(void)state;
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		const char *why = reason_of_kind((enum event_kind)kind)->why;
		struct event event = usual((enum event_kind)kind, &fields, event_text("anonymous"));
		/* A note is the author's own words, and four kinds have reasons of their own. */
		bool own = kind == EVENT_SYSCALL || kind == EVENT_FAULT || kind == EVENT_LIBC_CALL ||
			   kind == EVENT_LIBC_RETURN;
		assert_int_equal(why[0] == '\0', own);
		if (!own && kind != EVENT_NOTE)
			assert_fits(&fields, &event, why);
	}
}

static void every_system_call_has_one(void **state)
{
	(void)state;
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned i = 0; i < SYSCALL_COUNT; i++) {
		const char *name = syscall_info((enum syscall_index)i)->name;
		struct event event = {
		    .kind = EVENT_SYSCALL,
		    .arg = {event_text(name), 135168, 135168, 135168, 135168},
		};
		assert_string_equal(reason_of(&event), reason_of_syscall((enum syscall_index)i));
		assert_fits(&fields, &event, reason_of(&event));
	}
}

static void every_cause_of_a_fault_has_one(void **state)
{
	(void)state;
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned i = 0; i < FAULT_CAUSE_COUNT; i++) {
		const char *name = fault_cause_name((enum fault_cause)i);
		struct event event = {
		    .kind = EVENT_FAULT,
		    .arg = {0x7ffff7fea000, event_text(name), event_text("minor")},
		};
		assert_string_equal(reason_of(&event), reason_of_fault((enum fault_cause)i));
		assert_fits(&fields, &event, reason_of(&event));
	}
}

static void every_function_of_the_libc_has_two(void **state)
{
	(void)state;
	static const char *const names[LIBC_FUNCTION_COUNT] = {
#define X(id, name, body) #name,
	    LIBC_FUNCTION_LIST(X)
#undef X
	};
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned i = 0; i < LIBC_FUNCTION_COUNT; i++) {
		struct event call = {.kind = EVENT_LIBC_CALL, .arg = {event_text(names[i]), 102400, 16}};
		struct event back = {.kind = EVENT_LIBC_RETURN, .arg = {event_text(names[i]), 0x55555555e2a0}};
		assert_string_equal(reason_of(&call), reason_of_call((enum libc_function)i));
		assert_string_equal(reason_of(&back), reason_of_return((enum libc_function)i));
		assert_fits(&fields, &call, reason_of(&call));
		assert_fits(&fields, &back, reason_of(&back));
	}
}

/* A step is told before it happens, when its texts belong to a world that has gone back. */
static void steps_to_come_read_no_texts(void **state)
{
	(void)state;
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		char text[TEXT];
		const char *step = reason_of_kind((enum event_kind)kind)->step;
		struct event event = usual((enum event_kind)kind, &fields, NOT_A_TEXT);
		assert_true(step[0] != '\0');
		if (step[0] == '*')
			continue;
		story_fill(&fields, &event, step, text, sizeof(text));
		assert_true(text[0] != '\0' && strlen(text) <= 30);
	}
}

static void what_fails_says_so(void **state)
{
	(void)state;
	struct event refused = {.kind = EVENT_SYSCALL_RETURN, .arg = {event_text("mmap"), (uint64_t)-12}};
	struct event null = {.kind = EVENT_LIBC_RETURN, .arg = {event_text("malloc"), 0}};
	struct event freed = {.kind = EVENT_LIBC_RETURN, .arg = {event_text("free"), 0}};
	struct event table = {.kind = EVENT_PTE_SET, .arg = {0x400000, 0x16007, 2}};
	struct event large = {.kind = EVENT_PTE_SET, .arg = {0x400000, 0x160e7, 2}};
	assert_non_null(strstr(reason_of(&refused), "refuses"));
	assert_non_null(strstr(reason_of(&null), "NULL"));
	assert_null(strstr(reason_of(&freed), "NULL"));
	assert_non_null(strstr(reason_of(&table), "table"));
	assert_string_equal(reason_of(&large), reason_of_kind(EVENT_PTE_SET)->why);
}

static void every_moment_of_a_lesson_says_why_and_what_next(void **state)
{
	(void)state;
	struct document *document;
	struct error error;
	struct stage stage = {0};
	if (document_load(FAULTLINE_SOURCE_DIR "/workloads/fork-and-cow.json", &document, &error) != STATUS_OK ||
	    travel_new(document, NULL, &stage.travel, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	stage.document = document;
	stage.scene = (struct scene){.travel = stage.travel, .document = document, .breaks = "", .message = ""};
	scene_refresh(&stage.scene);
	do {
		assert_true(stage.scene.why[0] != '\0' && stage.scene.next[0] != '\0');
		assert_null(strstr(stage.scene.next, "->  ->"));
	} while (stage_forward(&stage, EVENT_MASK_ALL));
	assert_string_equal(stage.scene.next, "this was the last event");
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_event_has_a_reason_that_fits),
	    cmocka_unit_test(every_system_call_has_one),
	    cmocka_unit_test(every_cause_of_a_fault_has_one),
	    cmocka_unit_test(every_function_of_the_libc_has_two),
	    cmocka_unit_test(steps_to_come_read_no_texts),
	    cmocka_unit_test(what_fails_says_so),
	    cmocka_unit_test(every_moment_of_a_lesson_says_why_and_what_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
