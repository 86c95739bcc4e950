/* Every event, system call, cause of a fault and libc function has its reason, and it fits the smallest screen. */
#include "faultline/event_fields.h"
#include "faultline/mman.h"
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

/* Without a world and a history. */
static const char *alone(const struct event *event)
{
	static struct reason reason;
	reason = reason_of(&(struct scene){.event = event});
	return reason.text;
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
		    .arg = {event_text(name), 135168, 135168, LINUX_MS_SYNC, 135168},
		};
		assert_string_equal(alone(&event), reason_of_syscall((enum syscall_index)i));
		assert_fits(&fields, &event, alone(&event));
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
		assert_string_equal(alone(&event), reason_of_fault((enum fault_cause)i));
		assert_fits(&fields, &event, alone(&event));
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
		struct event call = {.kind = EVENT_LIBC_CALL, .arg = {event_text(names[i]), 0x55555555e2a0, 16}};
		struct event back = {.kind = EVENT_LIBC_RETURN, .arg = {event_text(names[i]), 0x55555555e2a0}};
		assert_string_equal(alone(&call), reason_of_call((enum libc_function)i));
		assert_string_equal(alone(&back), reason_of_return((enum libc_function)i));
		assert_fits(&fields, &call, alone(&call));
		assert_fits(&fields, &back, alone(&back));
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

static void every_case_has_one_that_fits(void **state)
{
	(void)state;
	static const enum event_kind kinds[REASON_CASE_COUNT] = {
#define X(id, kind, why) [REASON_CASE_##id] = EVENT_##kind,
	    REASON_CASE_LIST(X)
#undef X
	};
	struct event_fields fields;
	event_fields_parse(&fields);
	for (unsigned i = 0; i < REASON_CASE_COUNT; i++) {
		struct event event = usual(kinds[i], &fields, event_text("anonymous"));
		assert_fits(&fields, &event, reason_of_case((enum reason_case)i));
	}
}

/* What the arguments of an event say is enough for these. */
static void the_event_alone_chooses_the_case(void **state)
{
	(void)state;
#define T(text) event_text(text)
	static const uint64_t pte = 0x8000000000016000;
	const struct {
		enum reason_case expected; /* REASON_CASE_COUNT: the row of the kind */
		struct event event;
	} cases[] = {
	    {REASON_CASE_CALL_REFUSED, {.kind = EVENT_SYSCALL_RETURN, .arg = {T("mmap"), (uint64_t)-12}}},
	    {REASON_CASE_CALL_AGAIN, {.kind = EVENT_SYSCALL_RETURN, .arg = {T("wait4"), (uint64_t)-512}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_SYSCALL_RETURN, .arg = {T("wait4"), 2}}},
	    {REASON_CASE_NULL_BLOCK, {.kind = EVENT_LIBC_RETURN, .arg = {T("malloc"), 0}}},
	    {REASON_CASE_NULL_BLOCK, {.kind = EVENT_LIBC_RETURN, .arg = {T("aligned_alloc"), 0}}},
	    {REASON_CASE_FREE_NOTHING, {.kind = EVENT_LIBC_CALL, .arg = {T("free"), 0}}},
	    {REASON_CASE_TABLE_SET, {.kind = EVENT_PTE_SET, .arg = {0x400000, 0x16007, 2}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_PTE_SET, .arg = {0x400000, pte | 0xe7, 2}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_PTE_SET, .arg = {0x400000, pte | 0x67, 1}}},
	    {REASON_CASE_READ_ONLY_SET, {.kind = EVENT_PTE_SET, .arg = {0x400000, pte | 0x65, 1}}},
	    {REASON_CASE_ABSENT_SET, {.kind = EVENT_PTE_SET, .arg = {0x400000, 0x7fffffffffffc00, 1}}},
	    {REASON_CASE_TABLE_CLEAR, {.kind = EVENT_PTE_CLEAR, .arg = {0x400000, 0x16007, 3}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_PTE_CLEAR, .arg = {0x400000, pte | 0x65, 1}}},
	    {REASON_CASE_ABSENT_CLEAR, {.kind = EVENT_PTE_CLEAR, .arg = {0x400000, 0x7fffffffffffc00, 1}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_TRUNCATE, .arg = {T("f"), 8192, 100}}},
	    {REASON_CASE_FILE_LONGER, {.kind = EVENT_TRUNCATE, .arg = {T("f"), 100, 8192}}},
	    {REASON_CASE_FILE_AS_LONG, {.kind = EVENT_TRUNCATE, .arg = {T("f"), 100, 100}}},
	    {REASON_CASE_INTERRUPT, {.kind = EVENT_EXCEPTION, .arg = {T("INT")}}},
	    {REASON_CASE_TRAP, {.kind = EVENT_EXCEPTION, .arg = {T("#BP")}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_EXCEPTION, .arg = {T("#UD")}}},
	    {REASON_CASE_RING_OUT, {.kind = EVENT_RING, .arg = {0, 3, T("IRETQ")}}},
	    {REASON_CASE_COUNT, {.kind = EVENT_RING, .arg = {3, 0, T("#PF")}}},
	    {REASON_CASE_MMAP_NOW, {.kind = EVENT_SYSCALL, .arg = {T("mmap"), 0, 4096, 3, LINUX_MAP_POPULATE}}},
	    {REASON_CASE_MMAP_NOW, {.kind = EVENT_SYSCALL, .arg = {T("mmap"), 0, 4096, 3, LINUX_MAP_LOCKED}}},
	    {REASON_CASE_MSYNC_LATER, {.kind = EVENT_SYSCALL, .arg = {T("msync"), 0, 4096, LINUX_MS_ASYNC}}},
	    {REASON_CASE_BRK_ASKS, {.kind = EVENT_SYSCALL, .arg = {T("brk"), 0}}},
	};
#undef T
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct event *event = &cases[i].event;
		assert_string_equal(alone(event), cases[i].expected == REASON_CASE_COUNT
						      ? reason_of_kind((enum event_kind)event->kind)->why
						      : reason_of_case(cases[i].expected));
	}
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
	    cmocka_unit_test(every_case_has_one_that_fits),
	    cmocka_unit_test(the_event_alone_chooses_the_case),
	    cmocka_unit_test(every_moment_of_a_lesson_says_why_and_what_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
