#include "faultline/arena_image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"
#include "resident.h"

enum { COPY_BYTES = RESIDENT_PAGE_BYTES };

/* The content of one page, shared by the images in which it is the same. */
struct copy {
	uint32_t images;
	uint8_t bytes[COPY_BYTES];
};

struct kept_page {
	size_t page; /* its number in the arena */
	struct copy *copy;
};

/* Invariant: pages[] is sorted by number. */
struct arena_image {
	struct arena_album *album;
	size_t used; /* of the arena */
	struct kept_page *pages;
	size_t count, capacity;
};

struct arena_album {
	struct arena *arena;
	size_t copies; /* that live */
};

static uint8_t *arena_page(const struct arena *arena, size_t page)
{
	return (uint8_t *)(uintptr_t)arena + page * COPY_BYTES;
}

static bool is_zero(const uint8_t *bytes)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, COPY_BYTES - 1) == 0;
}

/* Those below `bytes` that may hold something. */
static bool visit_pages(const struct arena *arena, size_t bytes, resident_fn *visit, void *self)
{
	return resident_visit(arena, (bytes + COPY_BYTES - 1) / COPY_BYTES, RESIDENT_ANY_WAY, visit, self);
}

/* ---- the album ---- */

struct arena_album *arena_album_new(struct arena *arena)
{
	struct arena_album *album = calloc(1, sizeof(*album));
	if (album)
		album->arena = arena;
	return album;
}

void arena_album_free(struct arena_album *album)
{
	BUG_ON(album && album->copies > 0);
	free(album);
}

size_t arena_album_page_bytes(const struct arena_album *album)
{
	return album->copies * sizeof(struct copy);
}

/* ---- taking ---- */

struct taking {
	struct arena_image *image;
	const struct arena_image *previous;
	size_t at; /* in previous->pages: the first that has not been passed */
};

static bool append(struct arena_image *image, size_t page, struct copy *copy)
{
	if (image->count == image->capacity) {
		size_t capacity = image->capacity ? image->capacity * 2 : 256;
		struct kept_page *pages = realloc(image->pages, capacity * sizeof(*pages));
		if (!pages)
			return false;
		image->pages = pages;
		image->capacity = capacity;
	}
	image->pages[image->count++] = (struct kept_page){page, copy};
	copy->images++;
	return true;
}

/* The same page of the previous image if it has the same content. */
static struct copy *same_copy(struct taking *taking, size_t page, const uint8_t *bytes)
{
	const struct arena_image *previous = taking->previous;
	while (previous && taking->at < previous->count && previous->pages[taking->at].page < page)
		taking->at++;
	if (!previous || taking->at == previous->count || previous->pages[taking->at].page != page)
		return NULL;
	struct copy *copy = previous->pages[taking->at].copy;
	return memcmp(copy->bytes, bytes, COPY_BYTES) == 0 ? copy : NULL;
}

static bool append_copy(struct arena_image *image, size_t page, const uint8_t *bytes)
{
	struct copy *copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	copy->images = 0;
	memcpy(copy->bytes, bytes, COPY_BYTES);
	if (!append(image, page, copy)) {
		free(copy);
		return false;
	}
	image->album->copies++;
	return true;
}

static bool take_page(void *self, size_t page)
{
	struct taking *taking = self;
	const uint8_t *bytes = arena_page(taking->image->album->arena, page);
	struct copy *copy = same_copy(taking, page, bytes);
	if (copy)
		return append(taking->image, page, copy);
	return is_zero(bytes) || append_copy(taking->image, page, bytes);
}

struct arena_image *arena_image_take(struct arena_album *album, const struct arena_image *previous)
{
	struct arena_image *image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->album = album;
	image->used = arena_used(album->arena);
	struct taking taking = {.image = image, .previous = previous};
	if (visit_pages(album->arena, image->used, take_page, &taking))
		return image;
	arena_image_free(image);
	return NULL;
}

void arena_image_free(struct arena_image *image)
{
	if (!image)
		return;
	for (size_t i = 0; i < image->count; i++) {
		struct copy *copy = image->pages[i].copy;
		if (--copy->images > 0)
			continue;
		free(copy);
		image->album->copies--;
	}
	free(image->pages);
	free(image);
}

size_t arena_image_page_bytes(const struct arena_image *image)
{
	return image->count * sizeof(struct copy);
}

size_t arena_image_list_bytes(const struct arena_image *image)
{
	return sizeof(*image) + image->capacity * sizeof(*image->pages);
}

/* ---- going back ---- */

struct restoring {
	const struct arena_image *image;
	size_t at;
};

static void restore_page(const struct arena *arena, size_t page, const struct copy *copy)
{
	uint8_t *bytes = arena_page(arena, page);
	if (copy && memcmp(bytes, copy->bytes, COPY_BYTES) != 0)
		memcpy(bytes, copy->bytes, COPY_BYTES);
	else if (!copy && !is_zero(bytes))
		memset(bytes, 0, COPY_BYTES);
}

/* Pages without memory now, before this one. */
static void restore_before(struct restoring *restoring, size_t page)
{
	const struct arena_image *image = restoring->image;
	for (; restoring->at < image->count && image->pages[restoring->at].page < page; restoring->at++)
		restore_page(image->album->arena, image->pages[restoring->at].page, image->pages[restoring->at].copy);
}

static bool restore_visited(void *self, size_t page)
{
	struct restoring *restoring = self;
	const struct arena_image *image = restoring->image;
	restore_before(restoring, page);
	bool kept = restoring->at < image->count && image->pages[restoring->at].page == page;
	restore_page(image->album->arena, page, kept ? image->pages[restoring->at++].copy : NULL);
	return true;
}

void arena_image_restore(const struct arena_image *image)
{
	const struct arena *arena = image->album->arena;
	struct restoring restoring = {.image = image};
	size_t used = arena_used(arena) > image->used ? arena_used(arena) : image->used;
	(void)visit_pages(arena, used, restore_visited, &restoring);
	restore_before(&restoring, SIZE_MAX);
}
