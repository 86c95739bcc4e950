/* A paging-structure entry bit by bit, as its level and the paging mode define it, and what each bit means for the
 * access that the scene is about. SDM 3A 4.3 (tables 4-4 to 4-6), 4.4 (4-8 to 4-11), 4.5 (4-14 to 4-20). */
#ifndef FAULTLINE_TUI_ENTRY_BITS_H
#define FAULTLINE_TUI_ENTRY_BITS_H

#include "canvas.h"
#include "scene.h"

enum { ENTRY_BITS = 24, ENTRY_BIT_TEXT = 64 };

struct entry_bit {
	const char *name;
	unsigned first, count; /* bits count+first-1 down to first */
	uint64_t value;
	bool refuses; /* the access ends here because of it */
	char text[ENTRY_BIT_TEXT];
};

/* All bits of entry `step` of the scene's walk, from bit 0; each bit of the entry is in exactly one of them. Returns
 * how many there are. */
unsigned entry_bits(const struct scene *scene, unsigned step, struct entry_bit *out);

/* A heading and the bits, in two columns where they fit; returns the row behind. */
unsigned entry_bits_draw(const struct scene *scene, struct area area, unsigned row, unsigned step);

/* The flags of an entry in a line: its letter where a bit is set, '.' where it is not, '-' where the level has no such
 * bit. The head has their names over them. There are lines of three lengths; what does not fit is left out. */
enum entry_flags { FLAGS_LEAST, FLAGS_MAJOR, FLAGS_ALL, FLAGS_NEVER };

unsigned entry_flags_width(enum entry_flags line);
void entry_flags_head(struct area area, unsigned row, unsigned column, enum entry_flags line);
void entry_flags_draw(const struct scene *scene, struct area area, unsigned row, unsigned column, unsigned step,
		      enum entry_flags line);

#endif
