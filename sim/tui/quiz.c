#include "quiz.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/process.h"
#include "faultline/translation.h"
#include "quiz_private.h"

/* Everything is read from what is on record of the future: the answer is what will happen, not what a rule says. */

static const struct travel_record *ahead(const struct travel *travel, uint64_t distance)
{
	return travel_record(travel, travel_position(travel) + distance);
}

const struct travel_record *quiz_find(const struct travel *travel, uint64_t kinds, uint64_t until_kinds)
{
	for (uint64_t i = 1; i <= QUIZ_HORIZON; i++) {
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

void quiz_explain(struct quiz *quiz, const struct travel_record *record)
{
	quiz->answer_at = record->event.number;
	(void)snprintf(quiz->explanation, sizeof(quiz->explanation), "event %" PRIu64 ": %.180s", record->event.number,
		       record->sentence);
}

/* ---- the questions ---- */

static const uint64_t op_end = EVENT_BIT(EVENT_OP_END);

/* Questions about "this operation" want one that is under way, and an answer that is its own. */
static bool is_of_operation(const struct travel *travel, const struct travel_record *answer)
{
	uint64_t edge = travel_known_before(travel, travel_position(travel) + 1, EVENT_BIT(EVENT_OP_START) | op_end);
	const struct travel_record *now = ahead(travel, 0);
	return travel_kind(travel, edge) == EVENT_OP_START && now && answer && now->event.pid == answer->event.pid;
}

/* The next access: does a TLB know its page? */
static bool ask_hit(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
	const struct travel_record *access = quiz_find(travel, EVENT_BIT(EVENT_ACCESS), 0);
	if (!access)
		return false;
	const struct travel_record *behind = travel_record(travel, access->event.number + 1);
	if (!behind)
		return false;
	bool miss = behind->event.kind == EVENT_TLB_MISS &&
		    page_floor(behind->event.arg[0]) == page_floor(access->event.arg[1]);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "The next access goes to 0x%" PRIx64 ". Does a TLB know the first page?", access->event.arg[1]);
	yes_or_no(quiz, !miss);
	quiz_explain(quiz, miss ? behind : access);
	return true;
}

/* The walk ahead: how many entries will it read? */
static bool ask_levels(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
	const struct travel_record *walk = quiz_find(travel, EVENT_BIT(EVENT_WALK), 0);
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
	quiz_explain(quiz, walk);
	return true;
}

/* Does the rest of the operation enter the kernel, and by which door? */
static bool ask_door(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
	const struct travel_record *door = quiz_find(travel,
						     EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_EXCEPTION) | op_end, 0);
	if (!is_of_operation(travel, door))
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "What comes first: system call, exception, or the end of the operation?");
	choose(quiz, 0, "system call");
	choose(quiz, 1, "exception");
	choose(quiz, 2, "end");
	quiz->right = door->event.kind == EVENT_SYSCALL ? 0 : door->event.kind == EVENT_EXCEPTION ? 1 : 2;
	quiz_explain(quiz, door);
	return true;
}

/* How many page faults does the rest of the operation take? */
static bool ask_faults(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	(void)rng;
	const struct travel_record *end = quiz_find(travel, op_end, EVENT_BIT(EVENT_OP_START));
	if (!is_of_operation(travel, end))
		return false;
	uint64_t position = travel_position(travel);
	unsigned faults = (unsigned)travel_known_count(travel, position, end->event.number, EVENT_BIT(EVENT_FAULT));
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
	const struct travel_record *frame = quiz_find(travel, EVENT_BIT(EVENT_FRAME_ALLOC), op_end);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "Will a frame of RAM be taken before this operation ends?");
	const struct travel_record *end = quiz_find(travel, op_end, 0);
	if (!is_of_operation(travel, frame ? frame : end))
		return false;
	yes_or_no(quiz, frame != NULL);
	quiz_explain(quiz, frame ? frame : end);
	return true;
}

/* ---- with answers that must be made up ---- */

void quiz_put_right(struct quiz *quiz, struct rng *rng, const char *text)
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

void quiz_offer(struct quiz *quiz, const char *right, const char *text)
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
	const struct travel_record *record = quiz_find(travel, EVENT_BIT(EVENT_EXCEPTION) | op_end, 0);
	if (!is_of_operation(travel, record))
		return false;
	if (record->event.kind == EVENT_EXCEPTION)
		cut(record->sentence, NULL, ",", right, sizeof(right));
	if (right[0] != '#' && strcmp(right, "none") != 0)
		return false;
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "Which exception comes next, before the operation ends?");
	quiz_offer(quiz, right, "none");
	for (unsigned i = 0; i < sizeof(others) / sizeof(*others); i++)
		quiz_offer(quiz, right, others[i]);
	quiz_put_right(quiz, rng, right);
	quiz_explain(quiz, record);
	return true;
}

/* What will the processor push as the error code? */
static bool ask_error_code(const struct travel *travel, struct rng *rng, struct quiz *quiz)
{
	static const uint32_t codes[] = {0x4, 0x6, 0x7, 0x5, 0x15, 0x14};
	char right[QUIZ_CHOICE_TEXT];
	char text[QUIZ_CHOICE_TEXT];
	const struct travel_record *record = quiz_find(travel, EVENT_BIT(EVENT_EXCEPTION), op_end);
	if (!record || strncmp(record->sentence, "#PF", 3) != 0)
		return false;
	(void)snprintf(right, sizeof(right), "0x%" PRIx64, record->event.arg[1]);
	(void)snprintf(quiz->question, sizeof(quiz->question),
		       "A page fault comes, at 0x%" PRIx64 ". Which error code is pushed?", record->event.arg[2]);
	for (unsigned i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		(void)snprintf(text, sizeof(text), "0x%x", (unsigned)codes[i]);
		quiz_offer(quiz, right, text);
	}
	quiz_put_right(quiz, rng, right);
	quiz_explain(quiz, record);
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
	const struct travel_record *record = quiz_find(travel, EVENT_BIT(EVENT_LIBC_RETURN), op_end);
	if (!record || strncmp(record->sentence, "malloc returns", 14) != 0)
		return false;
	uint64_t result = record->event.arg[1];
	/* Its chunk, its page, the next block, none: what one might take for it. */
	const uint64_t others[] = {result - 16, page_floor(result), 0, result + 32, result + PAGE_BYTES};
	address_text(result, right);
	(void)snprintf(quiz->question, sizeof(quiz->question), "Which address will malloc return?");
	for (unsigned i = 0; result && i < sizeof(others) / sizeof(*others); i++) {
		address_text(others[i], text);
		quiz_offer(quiz, right, text);
	}
	if (!result)
		quiz_offer(quiz, right, "an address");
	quiz_put_right(quiz, rng, right);
	quiz_explain(quiz, record);
	return true;
}

/* How the next page fault is resolved; NULL: none comes, or the processor has raised it already. */
static const struct travel_record *find_fault(const struct travel *travel)
{
	const struct travel_record *fault = quiz_find(travel, EVENT_BIT(EVENT_FAULT), op_end);
	const struct travel_record *raised = quiz_find(travel, EVENT_BIT(EVENT_EXCEPTION),
						       EVENT_BIT(EVENT_FAULT) | op_end);
	if (!fault || !raised || page_floor(raised->event.arg[2]) != page_floor(fault->event.arg[0]))
		return NULL;
	return fault;
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
	quiz_explain(quiz, record);
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
		quiz_offer(quiz, right, fault_cause_name(others[(first + i) % (sizeof(others) / sizeof(*others))]));
	quiz_put_right(quiz, rng, right);
	quiz_explain(quiz, record);
	return true;
}

typedef bool ask_fn(const struct travel *travel, struct rng *rng, struct quiz *quiz);

/* Each with the kinds of events that answer it. */
static const struct {
	ask_fn *ask;
	uint64_t answered_by;
} questions[QUESTION_COUNT] = {
    [QUESTION_HIT] = {ask_hit, EVENT_BIT(EVENT_ACCESS)},
    [QUESTION_LEVELS] = {ask_levels, EVENT_BIT(EVENT_WALK)},
    [QUESTION_DOOR] = {ask_door, EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_OP_END)},
    [QUESTION_FAULTS] = {ask_faults, EVENT_BIT(EVENT_OP_END)},
    [QUESTION_FRAME] = {ask_frame, EVENT_BIT(EVENT_FRAME_ALLOC) | EVENT_BIT(EVENT_OP_END)},
    [QUESTION_EXCEPTION] = {ask_exception, EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_OP_END)},
    [QUESTION_ERROR_CODE] = {ask_error_code, EVENT_BIT(EVENT_EXCEPTION)},
    [QUESTION_RESULT] = {ask_result, EVENT_BIT(EVENT_LIBC_RETURN)},
    [QUESTION_VICTIM] = {quiz_ask_victim, EVENT_BIT(EVENT_EVICT)},
    [QUESTION_SEVERITY] = {ask_severity, EVENT_BIT(EVENT_FAULT)},
    [QUESTION_CAUSE] = {ask_cause, EVENT_BIT(EVENT_FAULT)},
};

uint64_t quiz_answered_by(enum question kind)
{
	return questions[kind].answered_by;
}

static struct rng rng_here(const struct travel *travel, uint64_t seed)
{
	return rng_seeded(seed ^ travel_position(travel) * 0x9e3779b97f4a7c15u);
}

static bool ask(const struct travel *travel, enum question kind, struct rng *rng, struct quiz *out)
{
	*out = (struct quiz){.kind = kind, .position = travel_position(travel), .chosen = -1};
	return questions[kind].ask(travel, rng, out);
}

bool quiz_make_of(const struct travel *travel, enum question kind, uint64_t seed, struct quiz *out)
{
	struct rng rng = rng_here(travel, seed);
	return ask(travel, kind, &rng, out);
}

bool quiz_make(const struct travel *travel, uint64_t seed, struct quiz *out)
{
	struct rng rng = rng_here(travel, seed);
	unsigned first = (unsigned)rng_below(&rng, QUESTION_COUNT);
	for (unsigned i = 0; i < QUESTION_COUNT; i++) {
		if (ask(travel, (enum question)((first + i) % QUESTION_COUNT), &rng, out))
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
