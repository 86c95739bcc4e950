/* Predict, then reveal: a question made from the live state, with choices, of which the future says which is right. */
#ifndef FAULTLINE_TUI_QUIZ_H
#define FAULTLINE_TUI_QUIZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/travel.h"

enum { QUIZ_TEXT = 240, QUIZ_CHOICES = 4, QUIZ_CHOICE_TEXT = 60 };

struct quiz {
	uint64_t position; /* the question is asked there */
	char question[QUIZ_TEXT];
	char choices[QUIZ_CHOICES][QUIZ_CHOICE_TEXT];
	unsigned count, right; /* choices; which of them is right, from 0 */
	uint64_t answer_at;    /* the event that shows it */
	char explanation[QUIZ_TEXT];
	int chosen; /* -1: not answered yet */
	bool revealed;
};

/* One line for the screen: the question with its choices, or the answer. */
void quiz_line(const struct quiz *quiz, char *out, size_t room);

/* A question about what follows the present position; same state, same seed: same question. False: what is known of the
 * future gives none. */
bool quiz_make(const struct travel *travel, uint64_t seed, struct quiz *out);

#endif
