#include "quiz.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/rng.h"

/* Everything is read from what is on record of the future: the answer is what will happen, not what a rule says. */

enum { HORIZON = TRAVEL_FUTURE };

static const struct travel_record *ahead(const struct travel *travel, uint64_t distance)
{
	return travel_record(travel, travel_position(travel) + distance);
}

/* The first of the kinds ahead, before the operation that follows the next one; NULL: none. */
static const struct travel_record *find(const struct travel *travel, uint64_t kinds, uint64_t until_kinds)
{
	for (uint64_t i = 1; i <= HORIZON; i++) {
		const struct travel_record *record = ahead(travel, i);
		if (!record)
			return NULL;
		if (kinds & EVENT_BIT(record->event.kind))
			return record;
		if (until_kinds & EVENT_BIT(record->event.kind))
			return NULL;
	}
	return NULL;
}

static void choose(struct quiz *quiz, unsigned index, const char *text)
{
	(void)snprintf(quiz->choices[index], sizeof(quiz->choices[index]), "%s", text);
	if (quiz->count <= index)
		quiz->count = index + 1;
}

static void yes_or_no(struct quiz *quiz, bool yes)
{
	choose(quiz, 0, "yes");
	choose(quiz, 1, "no");
	quiz->right = yes ? 0 : 1;
}

static void explain(struct quiz *quiz, const struct travel_record *record)
{
	quiz->answer_at = record->event.number;
	(void)snprintf(quiz->explanation, sizeof(quiz->explanation), "event %" PRIu64 ": %.180s", record->event.number,
		       record->sentence);
}

/* ---- the questions ---- */

static const uint64_t op_end = EVENT_BIT(EVENT_OP_END);

/* The next access: does a TLB know its page? */
static bool ask_hit(const struct travel *travel, struct quiz *quiz)
{
	const struct travel_record *access = find(travel, EVENT_BIT(EVENT_ACCESS), 0);
	if (!access)
		return false;
	const struct travel_record *behind = travel_record(travel, access->event.number + 1);
	if (!behind)
		return false;
	bool miss = behind->event.kind == EVENT_TLB_MISS;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "The next access goes to 0x%" PRIx64 ". Does a TLB know the first page?", access->event.arg[1]);
	yes_or_no(quiz, !miss);
	explain(quiz, miss ? behind : access);
	return true;
}

/* The walk ahead: how many entries will it read? */
static bool ask_levels(const struct travel *travel, struct quiz *quiz)
{
	const struct travel_record *walk = find(travel, EVENT_BIT(EVENT_WALK), 0);
	if (!walk || walk->event.arg[1] < 1 || walk->event.arg[1] > 4)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "How many entries does the walk for 0x%" PRIx64 " read from RAM?", walk->event.arg[0]);
	for (unsigned i = 0; i < 4; i++) {
		char text[4];
		(void)snprintf(text, sizeof(text), "%u", i + 1);
		choose(quiz, i, text);
	}
	quiz->right = (unsigned)walk->event.arg[1] - 1;
	explain(quiz, walk);
	return true;
}

/* Does the rest of the operation enter the kernel, and by which door? */
static bool ask_door(const struct travel *travel, struct quiz *quiz)
{
	const struct travel_record *door = find(travel, EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_EXCEPTION) | op_end,
						0);
	if (!door)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "What comes first: a system call, an exception, or the end of the operation?");
	choose(quiz, 0, "system call");
	choose(quiz, 1, "exception");
	choose(quiz, 2, "end");
	quiz->right = door->event.kind == EVENT_SYSCALL ? 0 : door->event.kind == EVENT_EXCEPTION ? 1 : 2;
	explain(quiz, door);
	return true;
}

/* How many page faults does the rest of the operation take? */
static bool ask_faults(const struct travel *travel, struct quiz *quiz)
{
	unsigned faults = 0;
	const struct travel_record *end = NULL;
	for (uint64_t i = 1; i <= HORIZON && !end; i++) {
		const struct travel_record *record = ahead(travel, i);
		if (!record)
			return false;
		faults += record->event.kind == EVENT_FAULT;
		if (record->event.kind == EVENT_OP_END)
			end = record;
	}
	if (!end)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "How many page faults will there be before this operation ends?");
	for (unsigned i = 0; i < 4; i++) {
		char text[16];
		(void)snprintf(text, sizeof(text), i < 3 ? "%u" : "3 or more", i);
		choose(quiz, i, text);
	}
	quiz->right = faults < 3 ? faults : 3;
	quiz->answer_at = end->event.number;
	(void)snprintf(quiz->explanation, sizeof(quiz->explanation), "there are %u until event %" PRIu64, faults,
		       end->event.number);
	return true;
}

/* Who gets a frame? */
static bool ask_frame(const struct travel *travel, struct quiz *quiz)
{
	const struct travel_record *frame = find(travel, EVENT_BIT(EVENT_FRAME_ALLOC), op_end);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "Will a frame of RAM be taken before this operation ends?");
	const struct travel_record *end = find(travel, op_end, 0);
	if (!frame && !end)
		return false;
	yes_or_no(quiz, frame != NULL);
	explain(quiz, frame ? frame : end);
	return true;
}

typedef bool ask_fn(const struct travel *travel, struct quiz *quiz);

bool quiz_make(const struct travel *travel, uint64_t seed, struct quiz *out)
{
	static ask_fn *const questions[] = {ask_hit, ask_levels, ask_door, ask_faults, ask_frame};
	enum { QUESTIONS = sizeof(questions) / sizeof(*questions) };
	struct rng rng = rng_seeded(seed ^ travel_position(travel) * 0x9e3779b97f4a7c15u);
	unsigned first = (unsigned)rng_below(&rng, QUESTIONS);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		*out = (struct quiz){.position = travel_position(travel), .chosen = -1};
		if (questions[(first + i) % QUESTIONS](travel, out))
			return true;
	}
	return false;
}

void quiz_line(const struct quiz *quiz, char *out, size_t room)
{
	size_t used = (size_t)snprintf(out, room, "QUIZ  ");
	if (quiz->revealed) {
		const char *verdict = quiz->chosen < 0 ? "" : quiz->chosen == (int)quiz->right ? "right! " : "no. ";
		(void)snprintf(out + used, room - used, "%s%s: %s  (Esc)", verdict, quiz->choices[quiz->right],
			       quiz->explanation);
		return;
	}
	used += (size_t)snprintf(out + used, room - used, "%s ", quiz->question);
	for (unsigned i = 0; i < quiz->count && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, " %u=%s", i + 1, quiz->choices[i]);
	if (used < room)
		(void)snprintf(out + used, room - used, "  (a shows the answer)");
}
