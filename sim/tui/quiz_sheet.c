/* Questions on paper: for homework, and for whoever grades it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/rng.h"
#include "faultline/tui.h"
#include "quiz.h"

/* Made of each kind, to choose from: as many as are asked for, in case there is no other kind, and some more. */
enum { SPARE = 4, MOST_EACH = 300, MOST_BACK = 12, MOMENT_TEXT = sizeof((struct travel_record){0}.sentence) };

struct candidate {
	uint64_t position;
	enum question kind;
	bool asked, chosen;
	uint64_t same; /* how much of it stands on the sheet already */
	char moment[MOMENT_TEXT];
	struct quiz quiz;
};

struct stock {
	struct candidate *list;
	unsigned count;
};

static void write_question(struct report *report, unsigned number, const struct quiz *quiz, const char *sentence,
			   bool answers)
{
	static const char *const keys[QUIZ_CHOICES] = {"a", "b", "c", "d"};
	report_begin(report, NULL, NULL);
	report_number(report, "number", "question", number, "");
	report_number(report, "event", "stands at event", quiz->position, "");
	report_text(report, "moment", "moment", sentence);
	report_text(report, "question", "asks", quiz->question);
	for (unsigned i = 0; i < quiz->count; i++)
		report_text(report, keys[i], keys[i], quiz->choices[i]);
	if (answers) {
		report_text(report, "answer", "answer", keys[quiz->right]);
		report_text(report, "explanation", "because", quiz->explanation);
	}
	report_end(report);
}

/* ---- what could be asked ---- */

/* Shortly before one of the events that answer such a question; 0: there is none. */
static uint64_t place_for(const struct travel *travel, enum question kind, struct rng *rng)
{
	uint64_t first = travel_known_after(travel, 0, EVENT_BIT(EVENT_OP_START));
	uint64_t last = travel_known(travel);
	uint64_t from = first ? first + rng_below(rng, last - first + 1) : last;
	uint64_t answer = travel_known_after(travel, from, quiz_answered_by(kind));
	if (answer == 0)
		answer = travel_known_after(travel, first, quiz_answered_by(kind));
	uint64_t back = 1 + rng_below(rng, MOST_BACK);
	return answer == 0 || first == 0 ? 0 : answer > first + back ? answer - back : first;
}

static int by_position(const void *a, const void *b)
{
	const struct candidate *one = a, *two = b;
	if (one->position != two->position)
		return one->position < two->position ? -1 : 1;
	return (int)one->kind - (int)two->kind;
}

/* All places first: one journey visits them in their order. */
static void gather(struct travel *travel, struct rng *rng, unsigned each, struct stock *stock)
{
	for (unsigned kind = 0; kind < QUESTION_COUNT; kind++) {
		for (unsigned i = 0; i < each; i++) {
			uint64_t position = place_for(travel, (enum question)kind, rng);
			if (position)
				stock->list[stock->count++] = (struct candidate){.position = position,
										 .kind = (enum question)kind};
		}
	}
	qsort(stock->list, stock->count, sizeof(*stock->list), by_position);
	for (unsigned i = 0; i < stock->count; i++) {
		struct candidate *candidate = &stock->list[i];
		(void)travel_seek(travel, candidate->position);
		candidate->asked = quiz_make_of(travel, candidate->kind, rng_next(rng), &candidate->quiz);
		(void)snprintf(candidate->moment, sizeof(candidate->moment), "%s",
			       travel_record(travel, candidate->position)->sentence);
	}
}

/* ---- what is asked ---- */

/* What two have in common: the very question and its answer, or else their kind, their answer, its letter; the former
 * weighs more than any number of the latter. */
static uint64_t likeness(const struct quiz *one, const struct quiz *other)
{
	uint64_t letter = one->right == other->right;
	if (one->kind != other->kind)
		return letter;
	bool answer = strcmp(one->choices[one->right], other->choices[other->right]) == 0;
	bool question = answer && strcmp(one->question, other->question) == 0;
	return (uint64_t)question << 48 | (uint64_t)1 << 32 | (uint64_t)answer << 16 | letter;
}

/* One more: any of those that are least like what has been chosen. False: all have been. */
static bool choose_one(struct stock *stock, struct rng *rng)
{
	struct candidate *best = NULL;
	uint64_t equals = 0;
	for (unsigned i = 0; i < stock->count; i++) {
		struct candidate *candidate = &stock->list[i];
		if (!candidate->asked || candidate->chosen || (best && candidate->same > best->same))
			continue;
		equals = best && candidate->same == best->same ? equals + 1 : 1;
		if (rng_below(rng, equals) == 0)
			best = candidate;
	}
	if (!best)
		return false;
	best->chosen = true;
	for (unsigned i = 0; i < stock->count; i++)
		stock->list[i].same += stock->list[i].asked ? likeness(&stock->list[i].quiz, &best->quiz) : 0;
	return true;
}

static void write_sheet(const struct document *document, const struct tui_quiz *sheet, const struct stock *stock,
			FILE *out)
{
	struct report *report = report_new(out, sheet->format);
	report_text(report, "workload", "Workload", document->name);
	report_number(report, "seed", "Seed", sheet->seed, "");
	report_begin_list(report, "questions", "Questions");
	for (unsigned i = 0, number = 1; i < stock->count; i++) {
		if (stock->list[i].chosen)
			write_question(report, number++, &stock->list[i].quiz, stock->list[i].moment, sheet->answers);
	}
	report_end(report);
	report_free(report);
}

enum status tui_quiz(const struct document *document, const struct tui_quiz *sheet, FILE *out, struct error *error)
{
	struct travel *travel;
	unsigned each = sheet->count + SPARE < MOST_EACH ? sheet->count + SPARE : MOST_EACH;
	if (travel_new(document, NULL, &travel, error) != STATUS_OK)
		return error->status;
	struct stock stock = {.list = calloc((size_t)each * QUESTION_COUNT, sizeof(*stock.list))};
	struct rng rng = rng_seeded(sheet->seed);
	if (stock.list) {
		(void)travel_explore(travel);
		gather(travel, &rng, each, &stock);
		for (unsigned i = 0; i < sheet->count && choose_one(&stock, &rng); i++)
			continue;
		write_sheet(document, sheet, &stock, out);
	}
	enum status status = stock.list ? STATUS_OK
					: error_set(error, STATUS_HOST, "the host has no memory for so many questions");
	free(stock.list);
	travel_free(travel);
	return status;
}
