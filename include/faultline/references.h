/* A reference string: which pages a program used, in order. Pages get dense numbers by first use. Whoever wants the
 * references reads them block by block, as often as wanted: a string from a packed file stays packed. */
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
/* A string has at most so many, of so many pages. */
#define REFERENCES_MOST (UINT32_MAX - 1)
#define REFERENCES_MOST_PAGES (UINT32_C(1) << 30)

struct references {
	uint32_t *page; /* of each reference: its dense number, and REFERENCES_WRITE; unused if the string is packed */
	uint64_t count; /* at most REFERENCES_MOST */
	uint64_t *number; /* of each dense page: its number in the trace */
	uint32_t pages;
	/* private */
	uint64_t room;
	uint32_t number_room, hash_mask;
	uint32_t *hash;
	struct references_packed *packed; /* NULL: it is not */
	uint32_t hashed;                  /* pages that the hash has: less than all after references_new_pages */
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
/* The content of a file, text or packed; "-" is standard input. The string is empty before. If the file is packed, no
 * reference can be added to it. */
enum status references_read_file(struct references *references, const char *path, struct error *error);

/* ---- reading ---- */

struct references_reader;

/* At the string's start. Ends the program when the host has no memory. */
struct references_reader *references_reader_new(const struct references *references);
void references_reader_free(struct references_reader *reader); /* NULL is allowed */
/* The next references, 1 to 65,536; they stay until the next call. Returns how many; 0: that was all. */
size_t references_next(struct references_reader *reader, const uint32_t **block);

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
