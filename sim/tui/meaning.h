/* What an event means, for people: why it happened and what it is good for. */
#ifndef FAULTLINE_TUI_MEANING_H
#define FAULTLINE_TUI_MEANING_H

#include "scene.h"

/* Fills scene->why and scene->next from the moment. */
void meaning_fill(struct scene *scene);

/* A word or two for the story ribbon: "brk", "ring 3>0", "#PF". */
struct stage {
	char text[48];
};
struct stage meaning_stage(const struct travel *travel, uint64_t number);
/* Whether an event of that kind belongs in the ribbon; else it is part of the stage before it. */
bool meaning_is_stage(unsigned kind);
/* Whether its word says nothing but the kind and the rings. */
bool meaning_is_fixed(unsigned kind);

#endif
