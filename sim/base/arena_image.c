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
	size_t used; /* of the arena */
	struct kept_page *pages;
	size_t count, capacity;
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

/* ---- taking ---- */

struct taking {
	const struct arena *arena;
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

static bool take_page(void *self, size_t page)
{
	struct taking *taking = self;
	const uint8_t *bytes = arena_page(taking->arena, page);
	struct copy *copy = same_copy(taking, page, bytes);
	if (!copy && is_zero(bytes))
		return true;
	if (!copy) {
		copy = malloc(sizeof(*copy));
		if (!copy)
			return false;
		copy->images = 0;
		memcpy(copy->bytes, bytes, COPY_BYTES);
	}
	if (!append(taking->image, page, copy)) {
		if (copy->images == 0)
			free(copy);
		return false;
	}
	copy->images++;
	return true;
}

struct arena_image *arena_image_take(const struct arena *arena, const struct arena_image *previous)
{
	struct arena_image *image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->used = arena_used(arena);
	struct taking taking = {.arena = arena, .image = image, .previous = previous};
	if (visit_pages(arena, image->used, take_page, &taking))
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
		if (--copy->images == 0)
			free(copy);
	}
	free(image->pages);
	free(image);
}

size_t arena_image_share_bytes(const struct arena_image *image)
{
	size_t bytes = sizeof(*image) + image->capacity * sizeof(*image->pages);
	for (size_t i = 0; i < image->count; i++)
		bytes += sizeof(struct copy) / image->pages[i].copy->images;
	return bytes;
}

/* ---- going back ---- */

struct restoring {
	struct arena *arena;
	const struct arena_image *image;
	size_t at;
};

/* A page that has memory now: what it held goes back into it. */
static bool restore_page(void *self, size_t page)
{
	struct restoring *restoring = self;
	const struct arena_image *image = restoring->image;
	uint8_t *bytes = arena_page(restoring->arena, page);
	while (restoring->at < image->count && image->pages[restoring->at].page < page) {
		const struct kept_page *kept = &image->pages[restoring->at++];
		memcpy(arena_page(restoring->arena, kept->page), kept->copy->bytes, COPY_BYTES);
	}
	if (restoring->at < image->count && image->pages[restoring->at].page == page) {
		const uint8_t *copy = image->pages[restoring->at++].copy->bytes;
		if (memcmp(bytes, copy, COPY_BYTES) != 0)
			memcpy(bytes, copy, COPY_BYTES);
	} else if (!is_zero(bytes)) {
		memset(bytes, 0, COPY_BYTES);
	}
	return true;
}

void arena_image_restore(const struct arena_image *image, struct arena *arena)
{
	struct restoring restoring = {.arena = arena, .image = image};
	size_t used = arena_used(arena) > image->used ? arena_used(arena) : image->used;
	(void)visit_pages(arena, used, restore_page, &restoring);
	while (restoring.at < image->count) {
		const struct kept_page *kept = &image->pages[restoring.at++];
		memcpy(arena_page(arena, kept->page), kept->copy->bytes, COPY_BYTES);
	}
}
