/* The words that a text of an event can be, where they are few and known: causes, system calls, functions ... */
#ifndef FAULTLINE_TUI_EVENT_WORDS_H
#define FAULTLINE_TUI_EVENT_WORDS_H

#include "faultline/event.h"

/* The index-th word of a field; NULL behind the last, at index 0 already where the text may be anything. */
const char *event_word(enum event_kind kind, unsigned field, unsigned index);

#endif
