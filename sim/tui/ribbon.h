/* The story ribbon: the stages of the current operation in their order, what repeats written once with its count. */
#ifndef FAULTLINE_TUI_RIBBON_H
#define FAULTLINE_TUI_RIBBON_H

#include "canvas.h"
#include "scene.h"

/* Part of a sequence: `length` members that stand there `times` times, one after the other. */
struct fold {
	unsigned first, length, times;
};

/* Covers keys[0 .. count-1] from left to right by folds without gaps, each the longest repetition that begins there of
 * at most `longest` members; what does not repeat is a fold of one. `out` has room for `count`. Returns how many. */
unsigned fold_sequence(const uint32_t *keys, unsigned count, unsigned longest, struct fold *out);

/* One row: "malloc>search x4>brk>(TLB miss>[#PF 3/33]>frame)>touch". */
void ribbon_draw(const struct scene *scene, struct area area);

#endif
