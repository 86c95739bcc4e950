/* The story: sentences from templates, and folding of what repeats itself. */
#include "faultline/story.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/event_fields.h"
#include "faultline/syscall.h"
#include "sentence.h"

static const struct event_fields *fields(void)
{
	static struct event_fields parsed;
	event_fields_parse(&parsed);
	return &parsed;
}

static void assert_sentence(struct event event, const char *expected)
{
	struct sentence sentence;
	sentence_make(&sentence, fields(), &event);
	assert_string_equal(sentence.text, expected);
}

static void every_template_names_fields_that_exist(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
		struct sentence sentence;
		struct event event = {.kind = (uint8_t)kind};
		for (unsigned i = 0; i < fields()->count[kind]; i++) {
			if (fields()->field[kind][i].type == FIELD_TEXT)
				event.arg[i] = event_text("text");
		}
		sentence_make(&sentence, fields(), &event);
		assert_true(sentence.used > 0);
		assert_null(strchr(sentence.text, '{'));
	}
}

static void calls_show_only_the_arguments_that_count(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_LIBC_CALL, .arg = {event_text("malloc"), 102400, 0}},
			"malloc(102400) is called in ring 3");
	assert_sentence((struct event){.kind = EVENT_LIBC_CALL, .arg = {event_text("calloc"), 3, 40}},
			"calloc(3, 40) is called in ring 3");
	assert_sentence((struct event){.kind = EVENT_SYSCALL, .arg = {event_text("getpid"), 1, 2, 3, 4}},
			"the kernel serves getpid()");
	assert_sentence((struct event){.kind = EVENT_SYSCALL, .arg = {event_text("brk"), 0x1000}},
			"the kernel serves brk(0x1000)");
}

static void flags_of_system_calls_have_their_names(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_SYSCALL, .arg = {event_text("mmap"), 0, 4096, 3, 0x22}},
			"the kernel serves mmap(0x0, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS)");
	assert_sentence((struct event){.kind = EVENT_SYSCALL, .arg = {event_text("mprotect"), 0x2000, 4096, 0}},
			"the kernel serves mprotect(0x2000, 4096, PROT_NONE)");
	assert_sentence((struct event){.kind = EVENT_SYSCALL, .arg = {event_text("mmap"), 0, 4096, 1, 0x800022}},
			"the kernel serves mmap(0x0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS|0x800000)");
}

static void results_are_errno_names_or_values(void **state)
{
	(void)state;
	assert_sentence(
	    (struct event){.kind = EVENT_SYSCALL_RETURN, .arg = {event_text("mmap"), (uint64_t)-LINUX_ENOMEM}},
	    "mmap returns -ENOMEM");
	assert_sentence((struct event){.kind = EVENT_OP_END, .arg = {event_text("write"), 0}}, "write is done");
	assert_sentence((struct event){.kind = EVENT_OP_END, .arg = {event_text("munmap"), UINT64_MAX}},
			"munmap is done, result -1");
	assert_sentence((struct event){.kind = EVENT_LIBC_RETURN, .arg = {event_text("free"), 0}}, "free returns");
}

static void error_codes_of_page_faults_are_decoded(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_EXCEPTION, .arg = {event_text("#PF"), 6, 0x10, 0x20}},
			"#PF, error code 0x6 (P=0 W=1 U=1 RSVD=0 I=0), address 0x10, at RIP 0x20");
	assert_sentence((struct event){.kind = EVENT_EXCEPTION, .arg = {event_text("#GP"), 0, 0, 0x20}},
			"#GP, error code 0x0, at RIP 0x20");
	assert_sentence((struct event){.kind = EVENT_EXCEPTION, .arg = {event_text("INT"), 0, 0, 0x20}},
			"an interrupt at RIP 0x20");
}

static void entries_are_decoded_and_counted_right(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_WALK, .arg = {0x1000, 1, 0, event_text("not present")}},
			"the walk for 0x1000 reads 1 entry, the last is 0x0 (not present): not present");
	assert_sentence((struct event){.kind = EVENT_PTE_SET, .arg = {0x1000, 0x29067, 1}},
			"writes the level-1 entry 0x29067 (frame 0x29 P RW US A D) for 0x1000");
	assert_sentence((struct event){.kind = EVENT_FRAME_ALLOC, .arg = {0x2a, event_text("anonymous"), 0}},
			"takes frame 0x2a (order 0) for anonymous");
}

static void what_steers_a_terminal_does_not_get_through(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_NOTE, .arg = {event_text("a\033[31mb\nc")}}, "note: a [31mb c");
}

static void empty_texts_leave_no_gap(void **state)
{
	(void)state;
	assert_sentence((struct event){.kind = EVENT_OP_START, .arg = {event_text("getpid"), event_text(""), 1}},
			"getpid");
	assert_sentence((struct event){.kind = EVENT_VMA_REMOVE, .arg = {0x1000, 0x2000, event_text("")}},
			"the VMA 0x1000-0x2000 anonymous disappears");
}

static void a_sentence_too_long_is_cut(void **state)
{
	(void)state;
	char text[5000];
	struct sentence sentence;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct event event = {.kind = EVENT_NOTE, .arg = {event_text(text)}};
	sentence_make(&sentence, fields(), &event);
	assert_int_equal(strlen(sentence.text), sizeof(sentence.text) - 1);
}

/* ---- folding ---- */

struct telling {
	char *text;
	size_t length;
	FILE *out;
	struct story *story;
	uint64_t number;
};

static void telling_init(struct telling *telling, enum story_mode mode)
{
	*telling = (struct telling){0};
	telling->out = open_memstream(&telling->text, &telling->length);
	assert_non_null(telling->out);
	telling->story = story_new(telling->out, mode, false);
}

static void happen(struct telling *telling, struct event event)
{
	event.number = ++telling->number;
	event.pid = 1;
	story_event(telling->story, &event);
}

static void start(struct telling *telling)
{
	happen(telling, (struct event){.kind = EVENT_OP_START, .arg = {event_text("write"), event_text("at=p"), 1}});
}

static void page_fault(struct telling *telling, uint64_t va)
{
	happen(telling, (struct event){.kind = EVENT_TLB_MISS, .arg = {va, event_text("write")}});
	happen(telling, (struct event){.kind = EVENT_WALK, .arg = {va, 1, 0, event_text("not present")}});
	happen(telling, (struct event){.kind = EVENT_RING, .arg = {3, 0, event_text("#PF"), 0}});
	happen(telling,
	       (struct event){.kind = EVENT_FAULT, .arg = {va, event_text("demand_zero"), event_text("minor")}});
	happen(telling, (struct event){.kind = EVENT_RING, .arg = {0, 3, event_text("IRETQ"), 0}});
	happen(telling, (struct event){.kind = EVENT_TLB_MISS, .arg = {va, event_text("write")}});
	happen(telling, (struct event){.kind = EVENT_WALK, .arg = {va, 4, 7, event_text("mapped")}});
}

/* Ends the telling; the caller frees the text. */
static char *told(struct telling *telling)
{
	story_free(telling->story);
	(void)fclose(telling->out);
	return telling->text;
}

static unsigned lines(const char *text)
{
	unsigned count = 0;
	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void equal_page_faults_are_told_twice_and_counted(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_SHORT);
	start(&telling);
	for (uint64_t page = 0; page < 64; page++)
		page_fault(&telling, 0x10000 + page * 4096 + 8);
	happen(&telling, (struct event){.kind = EVENT_OP_END, .arg = {event_text("write"), 0}});
	char *text = told(&telling);
	assert_int_equal(lines(text), 1 + 2 * 7 + 1 + 1);
	assert_non_null(
	    strstr(text, "... 62 more page faults like this, pages 0x12000 to 0x4f000 (events 16 to 449)\n"));
	assert_non_null(strstr(text, "write is done"));
	free(text);
}

static void the_full_story_tells_every_event(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_FULL);
	start(&telling);
	for (uint64_t page = 0; page < 64; page++)
		page_fault(&telling, 0x10000 + page * 4096);
	char *text = told(&telling);
	assert_int_equal(lines(text), 1 + 64 * 7);
	assert_null(strstr(text, "..."));
	free(text);
}

static void an_odd_one_in_between_is_told(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_SHORT);
	start(&telling);
	for (uint64_t page = 0; page < 10; page++)
		page_fault(&telling, page * 4096);
	happen(&telling, (struct event){.kind = EVENT_OOM, .arg = {event_text("odd")}});
	for (uint64_t page = 0; page < 10; page++)
		page_fault(&telling, page * 4096);
	char *text = told(&telling);
	assert_non_null(strstr(text, "out of memory: odd"));
	assert_int_equal(lines(text), 1 + 15 + 1 + 15);
	free(text);
}

static void operations_of_a_loop_are_folded_with_all_that_is_in_them(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_SHORT);
	for (unsigned round = 0; round < 100; round++) {
		start(&telling);
		for (uint64_t page = 0; page < 5 + round % 2; page++)
			page_fault(&telling, page * 4096);
		happen(&telling, (struct event){.kind = EVENT_OP_END, .arg = {event_text("write"), 0}});
	}
	char *text = told(&telling);
	assert_non_null(strstr(text, "... 98 more operations like this (events "));
	assert_true(lines(text) < 40);
	free(text);
}

static void nothing_is_lost_when_the_story_ends_in_the_middle(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_SHORT);
	start(&telling);
	for (unsigned i = 0; i < 3; i++)
		happen(&telling, (struct event){.kind = EVENT_FRAME_FREE, .arg = {i, 0}});
	char *text = told(&telling);
	assert_int_equal(lines(text), 4); /* three in a row are too few to fold */
	free(text);
}

static void a_sentence_can_be_had_alone(void **state)
{
	(void)state;
	char text[64];
	const struct event event = {.kind = EVENT_TLB_FLUSH, .arg = {event_text("INVLPG"), 0x1000}};
	story_sentence(&event, text, sizeof(text));
	assert_string_equal(text, "INVLPG drops TLB entries (0x1000)");
	story_sentence(&event, text, 7);
	assert_string_equal(text, "INVLPG");
}

static void what_comes_before_the_first_operation_is_summed_up(void **state)
{
	(void)state;
	struct telling telling;
	telling_init(&telling, STORY_SHORT);
	for (unsigned i = 0; i < 9; i++)
		happen(&telling, (struct event){.kind = EVENT_FRAME_ALLOC, .arg = {i, event_text("kernel"), 0}});
	start(&telling);
	char *text = told(&telling);
	assert_non_null(strstr(text, "... 9 events before the program starts"));
	assert_int_equal(lines(text), 2);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_template_names_fields_that_exist),
	    cmocka_unit_test(calls_show_only_the_arguments_that_count),
	    cmocka_unit_test(flags_of_system_calls_have_their_names),
	    cmocka_unit_test(results_are_errno_names_or_values),
	    cmocka_unit_test(error_codes_of_page_faults_are_decoded),
	    cmocka_unit_test(entries_are_decoded_and_counted_right),
	    cmocka_unit_test(what_steers_a_terminal_does_not_get_through),
	    cmocka_unit_test(empty_texts_leave_no_gap),
	    cmocka_unit_test(a_sentence_too_long_is_cut),
	    cmocka_unit_test(equal_page_faults_are_told_twice_and_counted),
	    cmocka_unit_test(the_full_story_tells_every_event),
	    cmocka_unit_test(an_odd_one_in_between_is_told),
	    cmocka_unit_test(operations_of_a_loop_are_folded_with_all_that_is_in_them),
	    cmocka_unit_test(nothing_is_lost_when_the_story_ends_in_the_middle),
	    cmocka_unit_test(a_sentence_can_be_had_alone),
	    cmocka_unit_test(what_comes_before_the_first_operation_is_summed_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
