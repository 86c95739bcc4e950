/* What the questions of a quiz are made with. */
#ifndef FAULTLINE_TUI_QUIZ_PRIVATE_H
#define FAULTLINE_TUI_QUIZ_PRIVATE_H

#include "faultline/rng.h"
#include "quiz.h"

enum { QUIZ_HORIZON = TRAVEL_FUTURE };

/* The first event of the kinds ahead, unless one of `until_kinds` comes before; NULL: none. */
const struct travel_record *quiz_find(const struct travel *travel, uint64_t kinds, uint64_t until_kinds);

/* A wrong answer: taken if it is neither right nor there already, and there is room. */
void quiz_offer(struct quiz *quiz, const char *right, const char *text);
/* The right one, at a place of its own among those that are there. */
void quiz_put_right(struct quiz *quiz, struct rng *rng, const char *text);
/* That event shows the answer. */
void quiz_explain(struct quiz *quiz, const struct travel_record *record);

/* quiz_victim.c */
bool quiz_ask_victim(const struct travel *travel, struct rng *rng, struct quiz *quiz);

#endif
