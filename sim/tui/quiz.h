/* Predict, then reveal: a question made from the live state, with choices, of which the future says which is right. */
#ifndef FAULTLINE_TUI_QUIZ_H
#define FAULTLINE_TUI_QUIZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/travel.h"

enum { QUIZ_TEXT = 240, QUIZ_CHOICES = 4, QUIZ_CHOICE_TEXT = 60 };

/* X(ID, what is asked) */
#define QUESTION_LIST(X)                                                                                               \
	X(HIT, "does a TLB know the next page")                                                                        \
	X(LEVELS, "how many entries a walk reads")                                                                     \
	X(DOOR, "by which door the kernel is entered")                                                                 \
	X(FAULTS, "how many page faults the operation takes")                                                          \
	X(FRAME, "is a frame taken")                                                                                   \
	X(EXCEPTION, "which exception comes")                                                                          \
	X(ERROR_CODE, "which error code a page fault pushes")                                                          \
	X(RESULT, "what malloc returns")                                                                               \
	X(VICTIM, "which frame is taken away")                                                                         \
	X(SEVERITY, "minor or major")                                                                                  \
	X(CAUSE, "how the kernel resolves a fault")

enum question {
#define X(id, text) QUESTION_##id,
	QUESTION_LIST(X)
#undef X
	    QUESTION_COUNT
};

struct quiz {
	enum question kind;
	uint64_t position; /* the question is asked there */
	char question[QUIZ_TEXT];
	char choices[QUIZ_CHOICES][QUIZ_CHOICE_TEXT];
	unsigned count, right; /* choices; which of them is right, from 0 */
	uint64_t answer_at;    /* the event that shows it */
	char explanation[QUIZ_TEXT];
	int chosen; /* -1: not answered yet */
	bool revealed;
};

/* For the screen, a line each: the question, or the answer; the choices, or what to do next. */
void quiz_say(const struct quiz *quiz, char *out, size_t room);
void quiz_say_choices(const struct quiz *quiz, char *out, size_t room);

/* A question about what follows the present position; same state, same seed: same question. False: what is known of the
 * future gives none, or what the question takes for granted is not so here. */
bool quiz_make(const struct travel *travel, uint64_t seed, struct quiz *out);
/* The same of one kind. */
bool quiz_make_of(const struct travel *travel, enum question kind, uint64_t seed, struct quiz *out);
/* The kinds of events that answer it. */
uint64_t quiz_answered_by(enum question kind);

#endif
