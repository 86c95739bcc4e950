/* A reference string: which pages a program used, in order. Pages get dense numbers by first use; the string is decoded
 * once and then fed to as many engines as wanted. */
#ifndef FAULTLINE_REFERENCES_H
#define FAULTLINE_REFERENCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "faultline/status.h"

/* Set in a reference that writes. */
#define REFERENCES_WRITE (UINT32_C(1) << 31)
enum { REFERENCES_PAGE_SHIFT = 12 };
/* A string has at most so many. */
#define REFERENCES_MOST (UINT32_MAX - 1)

struct references {
	uint32_t *page;   /* of each reference: its dense number, and REFERENCES_WRITE */
	uint64_t count;   /* at most REFERENCES_MOST */
	uint64_t *number; /* of each dense page: its number in the trace */
	uint32_t pages;
	/* private */
	uint64_t room;
	uint32_t number_room, hash_mask;
	uint32_t *hash;
	uint32_t hashed; /* pages that the hash has: less than all after references_new_pages */
};

/* Empty. */
void references_init(struct references *references);
void references_release(struct references *references);
/* One more reference, to the page with this number. */
void references_add(struct references *references, uint64_t number, bool writes);
/* The dense number of the page with this number, which may be new. */
uint32_t references_page(struct references *references, uint64_t number);
/* The next pages, all with numbers that were not there before. No page is looked for, as whoever packed them did. */
void references_new_pages(struct references *references, const uint64_t *numbers, uint32_t count);
/* Room for so many references behind those that are there; they count when they are added to `count`. */
uint32_t *references_room(struct references *references, uint64_t count);

/* Appends a text: page numbers, or addresses where they begin with 0x, separated by blanks, commas and line ends; one
 * followed by `w` writes; # comments out the rest of a line. Lines of valgrind's lackey (--trace-mem=yes) may stand
 * among them. `name` is for messages. BAD_INPUT: a word is none of this. */
enum status references_read_text(struct references *references, const char *text, size_t length, const char *name,
				 struct error *error);
/* The content of a file, text or packed; "-" is standard input. */
enum status references_read_file(struct references *references, const char *path, struct error *error);

/* ---- packed: docs/references-2.md ---- */

bool references_is_packed(const void *content, size_t length);
/* Appends what references_write_packed wrote. BAD_INPUT: it is damaged, or ends early. */
enum status references_read_packed(struct references *references, const void *content, size_t length, const char *name,
				   struct error *error);
/* HOST: it could not be written. */
enum status references_write_packed(const struct references *references, FILE *file, struct error *error);

/* Of each reference, the position at which its page is referenced next; UINT32_MAX: never. Free with free(). */
uint32_t *references_next_uses(const struct references *references);

#endif
