#include "quiz.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/kernel.h"
#include "faultline/policy.h"
#include "faultline/process.h"
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
static bool ask_hit(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
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
static bool ask_levels(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
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
static bool ask_door(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
	const struct travel_record *door = find(travel, EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_EXCEPTION) | op_end,
						0);
	if (!door)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "What comes first: system call, exception, or the end of the operation?");
	choose(quiz, 0, "system call");
	choose(quiz, 1, "exception");
	choose(quiz, 2, "end");
	quiz->right = door->event.kind == EVENT_SYSCALL ? 0 : door->event.kind == EVENT_EXCEPTION ? 1 : 2;
	explain(quiz, door);
	return true;
}

/* How many page faults does the rest of the operation take? */
static bool ask_faults(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
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
static bool ask_frame(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
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

/* ---- with answers that must be made up ---- */

/* The right one, at a place of its own among those that are there. */
static void put_right(struct quiz *quiz, struct rng *rng, const char *text)
{
	unsigned at = (unsigned)rng_below(rng, quiz->count + 1);
	if (at < quiz->count)
		memcpy(quiz->choices[quiz->count], quiz->choices[at], sizeof(quiz->choices[at]));
	quiz->count++;
	choose(quiz, at, text);
	quiz->right = at;
}

static bool is_choice(const struct quiz *quiz, const char *text)
{
	for (unsigned i = 0; i < quiz->count; i++) {
		if (strcmp(quiz->choices[i], text) == 0)
			return true;
	}
	return false;
}

/* A wrong answer: it is neither right nor there already, and there is room. */
static void offer(struct quiz *quiz, const char *right, const char *text)
{
	if (quiz->count + 1 < QUIZ_CHOICES && strcmp(text, right) != 0 && !is_choice(quiz, text))
		choose(quiz, quiz->count, text);
}

/* Texts of the future are in its sentences only: what stands between two marks, or from the start, or to the end. */
static void cut(const char *sentence, const char *from, const char *to, char *out, size_t room)
{
	const char *begin = from ? strstr(sentence, from) : sentence;
	begin = begin && from ? begin + strlen(from) : begin;
	const char *end = begin ? strstr(begin, to) : NULL;
	(void)snprintf(out, room, "%.*s", begin && end ? (int)(end - begin) : 0, begin ? begin : "");
}

/* Which exception, if any? */
static bool ask_exception(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	static const char *const others[] = {"#PF", "#GP", "#UD"};
	char right[QUIZ_CHOICE_TEXT] = "none";
	const struct travel_record *record = find(travel, EVENT_BIT(EVENT_EXCEPTION) | op_end, 0);
	if (!record)
		return false;
	if (record->event.kind == EVENT_EXCEPTION)
		cut(record->sentence, NULL, ",", right, sizeof(right));
	if (right[0] != '#' && strcmp(right, "none") != 0)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "Which exception comes next, before the operation ends?");
	offer(quiz, right, "none");
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		offer(quiz, right, others[i]);
	put_right(quiz, rng, right);
	explain(quiz, record);
	return true;
}

/* What will the processor push as the error code? */
static bool ask_error_code(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	static const uint32_t codes[] = {0x4, 0x6, 0x7, 0x5, 0x15, 0x14};
	char right[QUIZ_CHOICE_TEXT];
	char text[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = find(travel, EVENT_BIT(EVENT_EXCEPTION), op_end);
	if (!record || strncmp(record->sentence, "#PF", 3) != 0)
		return false;
	(void)snprintf(right, sizeof(right), "0x%" PRIx64, record->event.arg[1]);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "A page fault comes, at 0x%" PRIx64 ". Which error code is pushed?", record->event.arg[2]);
	for (unsigned i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		(void)snprintf(text, sizeof(text), "0x%x", (unsigned)codes[i]);
		offer(quiz, right, text);
	}
	put_right(quiz, rng, right);
	explain(quiz, record);
	return true;
}

static void address_text(uint64_t address, char *out)
{
	(void)snprintf(out, QUIZ_CHOICE_TEXT, address ? "0x%" PRIx64 : "NULL", address);
}

/* What does malloc return? */
static bool ask_result(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	char right[QUIZ_CHOICE_TEXT];
	char text[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = find(travel, EVENT_BIT(EVENT_LIBC_RETURN), op_end);
	if (!record || strncmp(record->sentence, "malloc returns", 14) != 0)
		return false;
	uint64_t result = record->event.arg[1];
	/* Its chunk, its page, the next block, none: what one might take for it. */
	const uint64_t others[] = {result - 16, page_floor(result), 0, result + 32, result + PAGE_BYTES};
	address_text(result, right);
	(void)snprintf(quiz->question, sizeof(quiz->question), "Which address will malloc return?");
	for (unsigned i = 0; result && i < sizeof(others) / sizeof(*others); i++) {
		address_text(others[i], text);
		offer(quiz, right, text);
	}
	if (!result)
		offer(quiz, right, "an address");
	put_right(quiz, rng, right);
	explain(quiz, record);
	return true;
}

/* Which of the pages that the policy looks at goes first? */
static bool ask_victim(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	char right[QUIZ_CHOICE_TEXT];
	char text[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = find(travel, EVENT_BIT(EVENT_EVICT), op_end);
	const struct kernel *kernel = world_kernel(travel_world(travel));
	if (!record || !kernel)
		return false;
	const struct policy *policy = kernel_page_group(kernel, NULL).policy;
	struct policy_look look;
	policy_look(policy, &look);
	(void)snprintf(right, sizeof(right), "0x%" PRIx64, record->event.arg[0]);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "RAM is short, the policy is %s. Which frame is taken away next?", policy_ops(policy)->name);
	for (unsigned list = look.lists; list-- > 0;) {
		for (unsigned i = look.list[list].shown; i-- > 0;) {
			(void)snprintf(text, sizeof(text), "0x%" PRIx32, look.list[list].frame[i]);
			offer(quiz, right, text);
		}
	}
	if (quiz->count == 0)
		return false;
	put_right(quiz, rng, right);
	explain(quiz, record);
	return true;
}

/* Of the next page fault that is resolved. */
static const struct travel_record *find_fault(const struct travel *travel)
{
	return find(travel, EVENT_BIT(EVENT_FAULT), op_end);
}

static bool ask_severity(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	const struct travel_record *record = find_fault(travel);
	(void)rng;
	if (!record)
		return false;
	bool minor = strstr(record->sentence, "(minor") != NULL;
	if (!minor && !strstr(record->sentence, "(major"))
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "The page of 0x%" PRIx64 " will fault. Is it minor or major?", record->event.arg[0]);
	choose(quiz, 0, "minor");
	choose(quiz, 1, "major");
	quiz->right = minor ? 0 : 1;
	explain(quiz, record);
	return true;
}

static bool ask_cause(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	static const enum fault_cause others[] = {FAULT_CAUSE_DEMAND_ZERO, FAULT_CAUSE_ZERO_PAGE, FAULT_CAUSE_COW,
						  FAULT_CAUSE_FILE, FAULT_CAUSE_SWAP_IN};
	char right[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = find_fault(travel);
	if (!record)
		return false;
	cut(record->sentence, "resolved: ", " (", right, sizeof(right));
	if (!right[0])
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "The page of 0x%" PRIx64 " will fault. How does the kernel resolve it?", record->event.arg[0]);
	uint64_t first = rng_below(rng, sizeof(others) / sizeof(*others));
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		offer(quiz, right, fault_cause_name(others[(first + i) % (sizeof(others) / sizeof(*others))]));
	put_right(quiz, rng, right);
	explain(quiz, record);
	return true;
}

typedef bool ask_fn(const struct travel *travel, struct rng *rng, struct quiz *quiz);

bool quiz_make(const struct travel *travel, uint64_t seed, struct quiz *out)
{
	static ask_fn *const questions[QUESTION_COUNT] = {
	    [QUESTION_HIT] = ask_hit,
	    [QUESTION_LEVELS] = ask_levels,
	    [QUESTION_DOOR] = ask_door,
	    [QUESTION_FAULTS] = ask_faults,
	    [QUESTION_FRAME] = ask_frame,
	    [QUESTION_EXCEPTION] = ask_exception,
	    [QUESTION_ERROR_CODE] = ask_error_code,
	    [QUESTION_RESULT] = ask_result,
	    [QUESTION_VICTIM] = ask_victim,
	    [QUESTION_SEVERITY] = ask_severity,
	    [QUESTION_CAUSE] = ask_cause,
	};
	struct rng rng = rng_seeded(seed ^ travel_position(travel) * 0x9e3779b97f4a7c15u);
	unsigned first = (unsigned)rng_below(&rng, QUESTION_COUNT);
	for (unsigned i = 0; i < QUESTION_COUNT; i++) {
		enum question kind = (enum question)((first + i) % QUESTION_COUNT);
		*out = (struct quiz){.kind = kind, .position = travel_position(travel), .chosen = -1};
		if (questions[kind](travel, &rng, out))
			return true;
	}
	return false;
}

void quiz_say(const struct quiz *quiz, char *out, size_t room)
{
	const char *verdict = quiz->chosen < 0 ? "" : quiz->chosen == (int)quiz->right ? "right! " : "no. ";
	if (quiz->revealed)
		(void)snprintf(out, room, "%s%s: %s", verdict, quiz->choices[quiz->right], quiz->explanation);
	else
		(void)snprintf(out, room, "%s", quiz->question);
}

void quiz_say_choices(const struct quiz *quiz, char *out, size_t room)
{
	size_t used = 0;
	out[0] = '\0';
	if (quiz->revealed) {
		(void)snprintf(out, room, "a asks again, Esc ends");
		return;
	}
	for (unsigned i = 0; i < quiz->count && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%u=%s  ", i + 1, quiz->choices[i]);
	if (used < room)
		(void)snprintf(out + used, room - used, "(a shows the answer)");
}
