#include "faultline/story.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/event_fields.h"
#include "faultline/phrase.h"
#include "faultline/status.h"
#include "faultline/units.h"
#include "fold.h"
#include "sentence.h"

/* Cycles within an operation (a page fault has about 15 events), then cycles of operations. */
enum { INNER_CYCLE = 40, OUTER_CYCLE = 256 };

struct story {
	FILE *out;
	bool colour;
	struct event_fields fields;
	struct fold *inner, *outer; /* NULL: every event is told */
	struct sentence sentence;
	uint64_t before_first_op; /* events left out so far */
	bool begun;               /* the first operation has started */
	bool several;             /* processes */
	uint32_t pid;             /* of the line printed last */
	uint8_t last_kind;
};

/* ---- printing ---- */

static const char *const colours[LAYER_COUNT] = {
    [LAYER_APP] = "\033[1m",
    [LAYER_LIBC] = "\033[32m",
    [LAYER_KERNEL] = "\033[33m",
    [LAYER_HARDWARE] = "\033[36m",
};

static void print_process(struct story *story, uint32_t pid)
{
	if (story->several && pid != story->pid && pid != 0)
		(void)fprintf(story->out, "%8s  process %" PRIu32 "\n", "", pid);
	story->pid = pid;
}

static void print_event(struct story *story, const struct event *event)
{
	enum layer layer = event_info((enum event_kind)event->kind)->layer;
	print_process(story, event->pid);
	sentence_make(&story->sentence, &story->fields, event);
	(void)fprintf(story->out, "%8" PRIu64 "  %s%-8s%s  %*s%s\n", event->number, story->colour ? colours[layer] : "",
		      layer_name(layer), story->colour ? "\033[0m" : "", (int)(2 * layer), "", story->sentence.text);
}

/* What runs are about, the most telling first: X(event, noun or "", index of the value or -1, is an address) */
#define KEY_LIST(X)                                                                                                    \
	X(OP_START, "operation", -1, false)                                                                            \
	X(LIBC_CALL, "call of the C library", -1, false)                                                               \
	X(FAULT, "page fault", 0, true)                                                                                \
	X(SYSCALL, "system call", -1, false)                                                                           \
	X(TLB_MISS, "TLB miss", 0, true)                                                                               \
	X(PTE_SET, "", 0, true)                                                                                        \
	X(PTE_CLEAR, "", 0, true)                                                                                      \
	X(FRAME_ALLOC, "", 0, false)                                                                                   \
	X(FRAME_FREE, "", 0, false)

static const struct key {
	uint8_t kind;
	const char *noun;
	int value;
	bool address;
} keys[] = {
#define X(kind, noun, value, address) {EVENT_##kind, noun, value, address},
    KEY_LIST(X)
#undef X
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static unsigned key_rank(uint8_t kind)
{
	unsigned rank = 0;
	while (rank < KEYS && keys[rank].kind != kind)
		rank++;
	return rank;
}

static uint64_t key_value(const struct event *event)
{
	unsigned rank = key_rank(event->kind);
	return rank < KEYS && keys[rank].value >= 0 ? event->arg[keys[rank].value] : 0;
}

static void print_range(struct story *story, const struct key *key, const struct fold_run *run)
{
	bool address = key->address;
	if (key->value >= 0)
		(void)fprintf(story->out, ", %s 0x%" PRIx64 " to 0x%" PRIx64, address ? "pages" : "frames",
			      address ? page_floor(run->key_low) : run->key_low,
			      address ? page_floor(run->key_high) : run->key_high);
}

static void print_run(struct story *story, const struct fold_run *run)
{
	static const struct key any = {.noun = "event", .value = -1};
	unsigned rank = key_rank(run->key);
	const struct key *key = rank < KEYS ? &keys[rank] : &any;
	uint64_t count = rank < KEYS ? run->keys : run->items;
	(void)fprintf(story->out, "%8s  ... %s more%s like this", "", phrase_number(count).text,
		      phrase_nouns(count, key->noun).text);
	print_range(story, key, run);
	(void)fprintf(story->out, " (events %" PRIu64 " to %" PRIu64 ")\n", run->first, run->last);
}

static void print_item(void *self, const struct fold_item *item)
{
	if (item->is_run)
		print_run(self, &item->run);
	else
		print_event(self, &item->event);
}

/* ---- shapes ---- */

/* Texts that differ from one round of a loop to the next. */
static bool is_variable(const struct event *event, unsigned index)
{
	return (event->kind == EVENT_OP_START && index == 1) || (event->kind == EVENT_EXPECT && index >= 2);
}

static uint64_t mix(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u; /* FNV-1a */
	return hash;
}

/* Kind, process and words; numbers do not count. */
static uint64_t shape_of(const struct story *story, const struct event *event)
{
	uint64_t hash = 0xcbf29ce484222325u ^ event->kind ^ ((uint64_t)event->pid << 8);
	hash *= 0x100000001b3u;
	for (unsigned i = 0; i < story->fields.count[event->kind]; i++) {
		bool text = story->fields.field[event->kind][i].type == FIELD_TEXT;
		if (text && !is_variable(event, i))
			hash = mix(hash * 31, event_arg_text(event, i));
	}
	return hash;
}

/* Where a round may begin: at an operation, else at the TLB miss that began it all. A miss right after a return to ring
 * 3 is the second try of an instruction, not a beginning. */
static unsigned rank_of(const struct story *story, const struct event *event)
{
	if (event->kind == EVENT_OP_START)
		return 3;
	if (event->kind == EVENT_TLB_MISS)
		return story->last_kind == EVENT_RING ? 0 : 2;
	if (event->kind == EVENT_WALK)
		return story->last_kind == EVENT_RING || story->last_kind == EVENT_TLB_MISS ? 0 : 2;
	/* A frame is taken before its entry is written, and freed after its entry is cleared. */
	return event->kind == EVENT_PTE_SET || event->kind == EVENT_FRAME_FREE ? 0 : 1;
}

static void fold_further(void *self, const struct fold_item *item)
{
	fold_add(((struct story *)self)->outer, item);
}

/* ---- the observer ---- */

struct story *story_new(FILE *out, enum story_mode mode, bool colour)
{
	static const struct fold_ops ops = {key_rank, key_value};
	struct story *story = calloc(1, sizeof(*story));
	BUG_ON(!story);
	story->out = out;
	story->colour = colour;
	event_fields_parse(&story->fields);
	if (mode == STORY_SHORT) {
		story->outer = fold_new(OUTER_CYCLE, &ops, print_item, story);
		story->inner = fold_new(INNER_CYCLE, &ops, fold_further, story);
	}
	return story;
}

static void print_left_out(struct story *story)
{
	if (story->before_first_op)
		(void)fprintf(story->out, "%8s  ... %s before the program starts, which --story=full tells\n", "",
			      phrase_count(story->before_first_op, "event").text);
	story->before_first_op = 0;
}

/* Booting and making the processes is another story. True when the event belongs to it. */
static bool is_prologue(struct story *story, const struct event *event)
{
	if (story->begun)
		return false;
	if (event->kind == EVENT_OP_START) {
		story->begun = true;
		print_left_out(story);
		return false;
	}
	if (event->kind == EVENT_BOOT || event->kind == EVENT_PROCESS_START)
		print_event(story, event);
	else
		story->before_first_op++;
	return true;
}

void story_event(void *self, const struct event *event)
{
	struct story *story = self;
	if (event->kind == EVENT_PROCESS_START && event->arg[0] > 1)
		story->several = true;
	if (!story->inner) {
		print_event(story, event);
		return;
	}
	if (is_prologue(story, event))
		return;
	struct fold_item item = {.shape = shape_of(story, event), .rank = rank_of(story, event), .event = *event};
	story->last_kind = event->kind;
	fold_add(story->inner, &item);
}

void story_free(struct story *story)
{
	if (!story)
		return;
	if (story->inner) {
		print_left_out(story);
		fold_finish(story->inner);
		fold_finish(story->outer);
	}
	fold_free(story->inner);
	fold_free(story->outer);
	free(story);
}

void story_sentence_by(const struct event_fields *fields, const struct event *event, char *out, size_t room)
{
	struct sentence sentence;
	sentence_make(&sentence, fields, event);
	(void)snprintf(out, room, "%s", sentence.text);
}

void story_fill(const struct event_fields *fields, const struct event *event, const char *template, char *out,
		size_t room)
{
	struct sentence sentence;
	sentence_fill(&sentence, fields, event, template);
	(void)snprintf(out, room, "%s", sentence.text);
}

void story_sentence(const struct event *event, char *out, size_t room)
{
	struct event_fields fields;
	event_fields_parse(&fields);
	story_sentence_by(&fields, event, out, room);
}
