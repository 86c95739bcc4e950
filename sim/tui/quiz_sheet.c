/* Questions on paper: for homework, and for whoever grades it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/rng.h"
#include "faultline/tui.h"
#include "quiz.h"

/* A position that gave no question is not tried for ever. */
enum { TRIES_EACH = 20 };

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

/* The next question of the generator; false: none after many tries. */
static bool next_question(struct travel *travel, struct rng *rng, struct quiz *out)
{
	uint64_t first = travel_known_after(travel, 0, EVENT_BIT(EVENT_OP_START));
	uint64_t last = travel_known(travel);
	for (unsigned i = 0; i < TRIES_EACH && first != 0; i++) {
		(void)travel_seek(travel, first + rng_below(rng, last - first + 1));
		if (quiz_make(travel, rng_next(rng), out))
			return true;
	}
	return false;
}

enum status tui_quiz(const struct document *document, const struct tui_quiz *sheet, FILE *out, struct error *error)
{
	struct travel *travel;
	if (travel_new(document, NULL, &travel, error) != STATUS_OK)
		return error->status;
	(void)travel_explore(travel);
	struct rng rng = rng_seeded(sheet->seed);
	struct report *report = report_new(out, sheet->format);
	report_text(report, "workload", "Workload", document->name);
	report_number(report, "seed", "Seed", sheet->seed, "");
	report_begin_list(report, "questions", "Questions");
	for (unsigned i = 0; i < sheet->count; i++) {
		struct quiz quiz;
		if (!next_question(travel, &rng, &quiz))
			break;
		write_question(report, i + 1, &quiz, travel_record(travel, quiz.position)->sentence, sheet->answers);
	}
	report_end(report);
	report_free(report);
	travel_free(travel);
	return STATUS_OK;
}
