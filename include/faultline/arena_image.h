/* What an arena held at one moment, to go back to it. An image keeps the pages that held something; pages that did not
 * change since an earlier image are shared with it, so that a row of images costs what changed in between. The arena
 * stays where it is, so every pointer into it stays right.
 *
 * An album belongs to an arena and takes its images. It knows which image the arena was equal to last, and where the
 * host tells which pages have been written since, taking and going back cost what changed and not what there is. */
#ifndef FAULTLINE_ARENA_IMAGE_H
#define FAULTLINE_ARENA_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "faultline/arena.h"

struct arena_album;
struct arena_image;

/* Whether the host is asked for what has been written. It slows the first write to each page behind an image. */
enum album_way { ALBUM_WATCHES, ALBUM_COMPARES };
/* The caller owns the album, and frees it before the arena. NULL: the host has no memory. */
struct arena_album *arena_album_new(struct arena *arena, enum album_way way);
void arena_album_free(struct arena_album *album); /* NULL is allowed; its images have been freed */
/* Of the pages that its images keep, each counted once. */
size_t arena_album_page_bytes(const struct arena_album *album);

/* `previous` is an image of the same arena or NULL, to share with. NULL: the host has no memory. The caller owns the
 * image. */
struct arena_image *arena_image_take(struct arena_album *album, const struct arena_image *previous);
/* The arena becomes what it was. */
void arena_image_restore(struct arena_image *image, struct arena_album *album);
/* Images may be freed in any order. */
void arena_image_free(struct arena_image *image); /* NULL is allowed */

/* Of the pages that it keeps, alone or with others; and of the list of them, which is its own. */
size_t arena_image_page_bytes(const struct arena_image *image);
size_t arena_image_list_bytes(const struct arena_image *image);

#endif
