/* What an arena held at one moment, to go back to it. An image keeps the pages that held something; pages that did not
 * change since an earlier image are shared with it, so that a row of images costs the memory of what changed in
 * between. The arena stays where it is, so every pointer into it stays right.
 *
 * An album belongs to an arena, takes its images and counts what they keep. */
#ifndef FAULTLINE_ARENA_IMAGE_H
#define FAULTLINE_ARENA_IMAGE_H

#include <stddef.h>

#include "faultline/arena.h"

struct arena_album;
struct arena_image;

/* The caller owns the album, and frees it before the arena. NULL: the host has no memory. */
struct arena_album *arena_album_new(struct arena *arena);
void arena_album_free(struct arena_album *album); /* NULL is allowed; its images have been freed */
/* Of the pages that its images keep, each counted once. */
size_t arena_album_page_bytes(const struct arena_album *album);

/* `previous` is an image of the same album or NULL, to share with. NULL: the host has no memory. The caller owns the
 * image. */
struct arena_image *arena_image_take(struct arena_album *album, const struct arena_image *previous);
/* The arena becomes what it was. */
void arena_image_restore(const struct arena_image *image);
/* Images may be freed in any order. */
void arena_image_free(struct arena_image *image); /* NULL is allowed */

/* Of the pages that it keeps, alone or with others; and of the list of them, which is its own. */
size_t arena_image_page_bytes(const struct arena_image *image);
size_t arena_image_list_bytes(const struct arena_image *image);

#endif
