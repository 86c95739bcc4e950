/* What an arena held at one moment, to go back to it. An image keeps the pages that held something; pages that did not
 * change since an earlier image are shared with it, so that a row of images costs what changed in between. The arena
 * stays where it is, so every pointer into it stays right. */
#ifndef FAULTLINE_ARENA_IMAGE_H
#define FAULTLINE_ARENA_IMAGE_H

#include <stddef.h>

#include "faultline/arena.h"

struct arena_image;

/* `previous` is an image of the same arena or NULL. NULL: the host has no memory. The caller owns the image. */
struct arena_image *arena_image_take(const struct arena *arena, const struct arena_image *previous);
/* The arena becomes what it was. */
void arena_image_restore(const struct arena_image *image, struct arena *arena);
/* Images may be freed in any order. */
void arena_image_free(struct arena_image *image); /* NULL is allowed */

/* The image's share of the host's memory: a page that n images keep together counts for an nth of it. */
size_t arena_image_share_bytes(const struct arena_image *image);

#endif
