/* What WHY and LAYERS say is held against what happens: over the lessons, and over scripts that come to the rest. The
 * facts are taken from the events around a moment, not from where the sentences get them. */
#include <dirent.h>

#include "stage.h"

#define MOMENTS                                                                                                        \
	(EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_SIGNAL) |                               \
	 EVENT_BIT(EVENT_PROCESS_EXIT) | EVENT_BIT(EVENT_PTE_SET) | EVENT_BIT(EVENT_PTE_CLEAR) |                       \
	 EVENT_BIT(EVENT_EVICT) | EVENT_BIT(EVENT_RECLAIM) | EVENT_BIT(EVENT_SYSCALL_RETURN) |                         \
	 EVENT_BIT(EVENT_TRUNCATE) | EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_RETURN) |                       \
	 EVENT_BIT(EVENT_VMA_REMOVE) | EVENT_BIT(EVENT_BREAK) | EVENT_BIT(EVENT_WALK) | EVENT_BIT(EVENT_TLB_FILL) |    \
	 EVENT_BIT(EVENT_FRAME_ALLOC))

enum { PROCESSES = 64, MOST_EVENTS = 12000, EVERY = 13, WHY_BYTES = 512 };

/* What has been said of a process, and waits to be seen. */
struct claim {
	bool faults, segv, grows;      /* of a page fault */
	bool freeing, given_back;      /* since the call of free */
	bool asked, is_short, limited; /* of an eviction */
	uint64_t walk_read;            /* entries */
	bool walked, walk_cached;
};

struct claims {
	struct stage *stage;
	const char *lesson;
	struct claim of[PROCESSES];
	uint32_t killed; /* who was said to get the last signal */
	bool ever_short, ever_limited;
};

static bool says(const struct claims *claims, const char *what)
{
	return strstr(claims->stage->scene.why, what) != NULL;
}

#define HOLDS(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			fail_msg("%s @%u: not " #condition ": %s", claims->lesson,                                     \
				 (unsigned)claims->stage->scene.position, claims->stage->scene.why);                   \
	} while (0)

static void judge_fault(struct claims *claims, const struct event *event, struct claim *claim)
{
	bool is_segv = event->kind == EVENT_SIGNAL && strcmp(event_arg_text(event, 0), "SIGSEGV") == 0;
	if (event->kind == EVENT_EXCEPTION && strcmp(event_arg_text(event, 0), "#PF") == 0) {
		*claim = (struct claim){.faults = true,
					.segv = says(claims, "SIGSEGV follows"),
					.grows = says(claims, "grows down to there")};
		HOLDS(!(event->arg[1] & FAULT_PRESENT) || !says(claims, "P=0"));
	} else if (claim->faults && (event->kind == EVENT_FAULT || is_segv)) {
		HOLDS(claim->segv == is_segv);
		HOLDS(is_segv || claim->grows == (strcmp(event_arg_text(event, 1), "stack_growth") == 0));
		claim->faults = false;
	}
}

/* By the entry's bits; where it is one of the tables that are looked at, also by what an access there meets. */
static void judge_entry(struct claims *claims, const struct event *event)
{
	const struct translation *t = &claims->stage->scene.translation;
	bool present = event->arg[1] & PTE_PRESENT;
	if (event->kind == EVENT_PTE_CLEAR) {
		HOLDS(says(claims, "P was 0") == !present);
		return;
	}
	HOLDS(says(claims, "P=0") == !present);
	HOLDS(!says(claims, "swap") || !present);
	if (!t->alive || t->walk.count == 0 || t->walk.step[t->walk.count - 1].entry.word != event->arg[1])
		return;
	HOLDS(says(claims, "reads and writes") == t->access[ACCESS_WRITE].allowed);
	HOLDS(says(claims, "a write goes to the kernel") ==
	      (t->access[ACCESS_READ].allowed && !t->access[ACCESS_WRITE].allowed));
	HOLDS(!says(claims, "slot of swap") || t->absent.swapped);
}

/* Who reclaims says so afterwards; an advice ends without that. */
static void judge_eviction(struct claims *claims, const struct event *event, struct claim *claim)
{
	if (event->kind == EVENT_EVICT) {
		claim->asked |= says(claims, "MADV_PAGEOUT");
		claim->is_short |= says(claims, "RAM is short");
		claim->limited |= says(claims, "Memory limit");
		claims->ever_short |= claim->is_short;
		claims->ever_limited |= claim->limited;
	} else if (event->kind == EVENT_RECLAIM) {
		bool limit = strcmp(event_arg_text(event, 0), "its memory limit") == 0;
		HOLDS(!claim->asked && !(limit ? claim->is_short : claim->limited));
		claim->is_short = claim->limited = false;
	} else if (event->kind == EVENT_SYSCALL_RETURN) {
		HOLDS(!claim->asked || strcmp(event_arg_text(event, 0), "madvise") == 0);
		HOLDS(!claim->is_short && !claim->limited);
		claim->asked = false;
	}
}

static void judge_free(struct claims *claims, const struct event *event, struct claim *claim)
{
	if (event->kind == EVENT_LIBC_CALL) {
		claim->freeing = strcmp(event_arg_text(event, 0), "free") == 0;
		claim->given_back = false;
	} else if (event->kind == EVENT_VMA_REMOVE || event->kind == EVENT_BREAK) {
		claim->given_back = true;
	} else if (event->kind == EVENT_LIBC_RETURN && claim->freeing) {
		HOLDS(!says(claims, "still in use") || !claim->given_back);
		HOLDS(!says(claims, "got memory back") || claim->given_back);
	}
}

/* A page of 4 KiB is found by as many entries as there are levels. */
static void judge_walk(struct claims *claims, const struct event *event, struct claim *claim)
{
	if (event->kind == EVENT_WALK) {
		claim->walked = true;
		claim->walk_cached = says(claims, "paging-structure cache");
		claim->walk_read = event->arg[1];
	} else if (event->kind == EVENT_TLB_FILL && claim->walked) {
		const struct translation *t = &claims->stage->scene.translation;
		if (event->arg[2] == PAGE_BYTES && t->alive && t->mode != PAGING_PAE)
			HOLDS(claim->walk_cached == (claim->walk_read < t->levels));
		claim->walked = false;
	}
}

static void judge_death(struct claims *claims, const struct event *event)
{
	unsigned named = 0;
	if (event->kind == EVENT_SIGNAL)
		claims->killed = sscanf(claims->stage->scene.why, "Process %u gets", &named) == 1 ? named : event->pid;
	else if (event->kind == EVENT_PROCESS_EXIT && strcmp(event_arg_text(event, 1), "exit") != 0)
		HOLDS(claims->killed == event->arg[0]);
}

/* Control came to this processor, and into this ring, by what is called the door. */
static void judge_door(struct claims *claims)
{
	const struct scene *scene = &claims->stage->scene;
	char *text = stage_view(scene, PANEL_LAYERS, 4, 160);
	const char *door = strstr(text, "came by event ");
	unsigned number, from, to;
	if (door && sscanf(door, "came by event %u: ring %u -> %u", &number, &from, &to) == 3) {
		HOLDS(to == scene->event->ring);
		HOLDS(travel_record(scene->travel, number)->event.cpu == scene->event->cpu);
	}
	free(text);
}

static void judge(struct claims *claims)
{
	const struct event *event = claims->stage->scene.event;
	struct claim *claim = &claims->of[event->pid % PROCESSES];
	if (event->kind == EVENT_EXCEPTION || event->kind == EVENT_FAULT || event->kind == EVENT_SIGNAL)
		judge_fault(claims, event, claim);
	if (event->kind == EVENT_PTE_SET || event->kind == EVENT_PTE_CLEAR)
		judge_entry(claims, event);
	if (event->kind == EVENT_TRUNCATE)
		HOLDS(says(claims, "taken away") == (event->arg[2] < event->arg[1]));
	if (event->kind == EVENT_SYSCALL_RETURN)
		HOLDS(!says(claims, "refuses") || (int64_t)event->arg[1] != -LINUX_ERESTARTSYS);
	/* But for the kernel stack of a thread, which the world makes when it moves a program to another processor. */
	if (event->kind == EVENT_FRAME_ALLOC && strcmp(event_arg_text(event, 1), "kernel") != 0)
		HOLDS(event->ring == 0);
	judge_eviction(claims, event, claim);
	judge_free(claims, event, claim);
	judge_walk(claims, event, claim);
	judge_death(claims, event);
	if (event->number % EVERY == 0 || event->kind == EVENT_EXCEPTION)
		judge_door(claims);
}

static struct claims judge_all(struct stage *stage, const char *lesson)
{
	struct claims claims = {.stage = stage, .lesson = lesson};
	while (stage->scene.position < MOST_EVENTS && stage_forward(stage, MOMENTS))
		judge(&claims);
	return claims;
}

static void in_the_lessons_what_is_said_happens(void **state)
{
	(void)state;
	DIR *folder = opendir(FAULTLINE_SOURCE_DIR "/workloads");
	unsigned lessons = 0;
	assert_non_null(folder);
	for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char path[1024];
		struct error error;
		struct stage stage = {0};
		if (!strstr(entry->d_name, ".json"))
			continue;
		(void)snprintf(path, sizeof(path), FAULTLINE_SOURCE_DIR "/workloads/%s", entry->d_name);
		if (document_load(path, &stage.document, &error) != STATUS_OK ||
		    travel_new(stage.document, NULL, &stage.travel, &error) != STATUS_OK)
			fail_msg("%s", error.text);
		stage.scene = (struct scene){
		    .travel = stage.travel, .document = stage.document, .breaks = "", .message = ""};
		scene_refresh(&stage.scene);
		(void)judge_all(&stage, entry->d_name);
		stage_end(&stage);
		lessons++;
	}
	(void)closedir(folder);
	assert_true(lessons > 30);
}

/* ---- what the first events of a lesson do not come to ---- */

static struct claims judge_script(const char *script)
{
	struct stage stage = stage_begin(script, "script");
	struct claims claims = judge_all(&stage, "script");
	stage_end(&stage);
	return claims;
}

static void a_memory_limit_and_short_memory_are_told_apart(void **state)
{
	(void)state;
	struct claims claims = judge_script(
	    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"kernel\": {\"swap\": \"4MiB\"},"
	    "\"processes\": [{\"name\": \"p\", \"memory_limit\": \"1MiB\", \"script\": ["
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"2MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"2MiB\"}]}]}");
	assert_true(claims.ever_limited && !claims.ever_short);
	claims = judge_script(
	    "{\"faultline\": 1, \"machine\": {\"memory\": \"4MiB\"}, \"kernel\": {\"swap\": \"4MiB\"},"
	    "\"script\": [{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"4MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"4MiB\"}]}");
	assert_true(claims.ever_short && !claims.ever_limited);
}

static void who_is_killed_for_another_is_named(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"kernel\": {\"overcommit\": \"always\"},"
	    "\"processes\": [{\"name\": \"large\", \"script\": ["
	    "{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"9MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"9MiB\"}, {\"op\": \"yield\"},"
	    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGKILL\"}]},"
	    "{\"name\": \"small\", \"script\": [{\"op\": \"mmap\", \"id\": \"m\", \"length\": \"8MiB\"},"
	    "{\"op\": \"write\", \"at\": \"m\", \"length\": \"8MiB\"}]}]}",
	    "oom");
	assert_true(stage_forward(&stage, EVENT_BIT(EVENT_SIGNAL)));
	assert_string_equal(event_arg_text(stage.scene.event, 0), "SIGKILL");
	assert_int_equal(stage.scene.event->pid, 2);
	if (strncmp(stage.scene.why, "Process 1 gets SIGKILL", 22) != 0)
		fail_msg("%s", stage.scene.why);
	stage_end(&stage);
}

/* At the next return of the function. */
static void assert_returns(struct stage *stage, const char *function, const char *what)
{
	do {
		assert_true(stage_forward(stage, EVENT_BIT(EVENT_LIBC_RETURN)));
	} while (strcmp(event_arg_text(stage->scene.event, 0), function) != 0);
	if (!strstr(stage->scene.why, what))
		fail_msg("event %u: '%s' is not in: %s", (unsigned)stage->scene.position, what, stage->scene.why);
}

static void what_is_freed_or_resized_is_told_as_it_is(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"libc\": \"glibc\", \"script\": ["
	    "{\"op\": \"malloc\", \"id\": \"small\", \"size\": 100}, {\"op\": \"malloc\", \"id\": \"next\", \"size\": "
	    "100},"
	    "{\"op\": \"malloc\", \"id\": \"mapped\", \"size\": 400000}, {\"op\": \"free\", \"id\": \"mapped\"},"
	    "{\"op\": \"realloc\", \"id\": \"small\", \"size\": 90}, {\"op\": \"realloc\", \"id\": \"small\", "
	    "\"size\": 5000},"
	    "{\"op\": \"free\", \"id\": \"small\"}]}",
	    "free");
	assert_returns(&stage, "free", "the kernel has got memory back");
	assert_returns(&stage, "realloc", "The block stays at");
	assert_returns(&stage, "realloc", "where it was is no longer its own");
	assert_returns(&stage, "free", "for the kernel still in use");
	stage_end(&stage);
}

static void an_interrupt_is_called_one(void **state)
{
	(void)state;
	struct stage stage = stage_begin(
	    "{\"faultline\": 1, \"processes\": [{\"name\": \"one\", \"script\": [{\"op\": \"getpid\"}, {\"op\": "
	    "\"yield\"},"
	    "{\"op\": \"getpid\"}]}, {\"name\": \"two\", \"script\": [{\"op\": \"getpid\"}]}]}",
	    "interrupt");
	do {
		assert_true(stage_forward(&stage, EVENT_BIT(EVENT_EXCEPTION)));
	} while (strcmp(event_arg_text(stage.scene.event, 0), "INT") != 0);
	assert_null(strstr(stage.scene.why, "cannot go on"));
	stage_seek(&stage, stage.scene.position - 1);
	assert_memory_equal(stage.scene.next, "interrupt -> ring 3-0", 21);
	stage_end(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_the_lessons_what_is_said_happens),
	    cmocka_unit_test(a_memory_limit_and_short_memory_are_told_apart),
	    cmocka_unit_test(who_is_killed_for_another_is_named),
	    cmocka_unit_test(what_is_freed_or_resized_is_told_as_it_is),
	    cmocka_unit_test(an_interrupt_is_called_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
