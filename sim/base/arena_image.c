#include "faultline/arena_image.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/status.h"
#include "resident.h"
#include "written.h"

enum { COPY_BYTES = PAGEMAP_PAGE_BYTES };

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
	unsigned owners; /* the caller, and an album that knows it */
	size_t used;     /* of the arena */
	struct kept_page *pages;
	size_t count, capacity;
};

struct arena_album {
	struct arena *arena;
	size_t copies; /* that live */
	enum album_way way;
	bool watches; /* `written` is made */
	struct written written;
	struct arena_image *known; /* the arena was equal to it, and what was written since is on record; NULL: none */
};

static uint8_t *arena_page(const struct arena *arena, size_t page)
{
	return (uint8_t *)(uintptr_t)arena + page * COPY_BYTES;
}

static bool is_zero(const uint8_t *bytes)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, COPY_BYTES - 1) == 0;
}

static size_t pages_of(size_t bytes)
{
	return (bytes + COPY_BYTES - 1) / COPY_BYTES;
}

/* ---- images ---- */

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

void arena_image_free(struct arena_image *image)
{
	if (!image || --image->owners > 0)
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

/* ---- the album ---- */

static bool ignore(void *self, size_t page)
{
	(void)self;
	(void)page;
	return true;
}

struct arena_album *arena_album_new(struct arena *arena, enum album_way way)
{
	struct arena_album *album = calloc(1, sizeof(*album));
	if (album)
		*album = (struct arena_album){.arena = arena, .way = way};
	return album;
}

static void forget(struct arena_album *album)
{
	arena_image_free(album->known);
	album->known = NULL;
}

void arena_album_free(struct arena_album *album)
{
	if (!album)
		return;
	forget(album);
	BUG_ON(album->copies > 0);
	if (album->watches)
		written_release(&album->written);
	free(album);
}

size_t arena_album_page_bytes(const struct arena_album *album)
{
	return album->copies * sizeof(struct copy);
}

/* The arena is equal to the image now, and what is written from now on is on record; or nothing is known. */
static void know(struct arena_album *album, struct arena_image *image)
{
	forget(album);
	if (album->way == ALBUM_COMPARES)
		return;
	if (!album->watches) {
		album->watches = written_watch(&album->written, album->arena, arena_reserved(album->arena));
		album->way = album->watches ? ALBUM_WATCHES : ALBUM_COMPARES;
	}
	size_t pages = pages_of(arena_reserved(album->arena));
	if (album->watches && written_visit(&album->written, pages, true, ignore, NULL)) {
		album->known = image;
		image->owners++;
	}
}

/* ---- taking ---- */

struct taking {
	const struct arena *arena;
	struct arena_image *image;
	const struct arena_image *like; /* to share with */
	bool keeps;                     /* what is not visited is as it was there */
	size_t at;                      /* in like->pages: the first that has not been passed */
};

/* Passes over the pages of `like` before this one. */
static bool pass(struct taking *taking, size_t page)
{
	const struct arena_image *like = taking->like;
	for (; like && taking->at < like->count && like->pages[taking->at].page < page; taking->at++) {
		const struct kept_page *kept = &like->pages[taking->at];
		if (taking->keeps && !append(taking->image, kept->page, kept->copy))
			return false;
	}
	return true;
}

static bool take_page(void *self, size_t page)
{
	struct taking *taking = self;
	const struct arena_image *like = taking->like;
	const uint8_t *bytes = arena_page(taking->arena, page);
	if (!pass(taking, page))
		return false;
	if (like && taking->at < like->count && like->pages[taking->at].page == page) {
		struct copy *copy = like->pages[taking->at++].copy;
		if (memcmp(copy->bytes, bytes, COPY_BYTES) == 0)
			return append(taking->image, page, copy);
	}
	if (is_zero(bytes))
		return true;
	struct copy *copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	copy->images = 0;
	memcpy(copy->bytes, bytes, COPY_BYTES);
	if (!append(taking->image, page, copy)) {
		free(copy);
		return false;
	}
	taking->image->album->copies++;
	return true;
}

static bool take_pages(struct arena_album *album, struct arena_image *image, const struct arena_image *previous)
{
	size_t pages = pages_of(image->used);
	struct taking taking = {.arena = album->arena, .image = image};
	taking.keeps = album->known;
	taking.like = album->known ? album->known : previous;
	if (taking.keeps)
		return written_visit(&album->written, pages, false, take_page, &taking) && pass(&taking, SIZE_MAX);
	return resident_visit(album->arena, pages, RESIDENT_ANY_WAY, take_page, &taking);
}

struct arena_image *arena_image_take(struct arena_album *album, const struct arena_image *previous)
{
	struct arena_image *image = calloc(1, sizeof(*image));
	if (!image)
		return NULL;
	image->album = album;
	image->owners = 1;
	image->used = arena_used(album->arena);
	if (!take_pages(album, image, previous)) {
		arena_image_free(image);
		return NULL;
	}
	know(album, image);
	return image;
}

/* ---- going back ---- */

static void restore_page(const struct arena *arena, size_t page, const struct copy *copy)
{
	uint8_t *bytes = arena_page(arena, page);
	if (copy && memcmp(bytes, copy->bytes, COPY_BYTES) != 0)
		memcpy(bytes, copy->bytes, COPY_BYTES);
	else if (!copy && !is_zero(bytes))
		memset(bytes, 0, COPY_BYTES);
}

struct restoring {
	struct arena *arena;
	const struct arena_image *image;
	size_t at;
	bool all; /* what is not visited holds zero; else it is as it was in another image */
};

/* What was not visited before this page. */
static void restore_before(struct restoring *restoring, size_t page)
{
	const struct arena_image *image = restoring->image;
	for (; restoring->at < image->count && image->pages[restoring->at].page < page; restoring->at++) {
		if (restoring->all)
			restore_page(restoring->arena, image->pages[restoring->at].page,
				     image->pages[restoring->at].copy);
	}
}

static bool restore_visited(void *self, size_t page)
{
	struct restoring *restoring = self;
	const struct arena_image *image = restoring->image;
	restore_before(restoring, page);
	bool kept = restoring->at < image->count && image->pages[restoring->at].page == page;
	restore_page(restoring->arena, page, kept ? image->pages[restoring->at++].copy : NULL);
	return true;
}

/* Where two images differ. */
static void restore_difference(struct arena *arena, const struct arena_image *from, const struct arena_image *to)
{
	size_t i = 0, k = 0;
	while (i < from->count || k < to->count) {
		size_t old = i < from->count ? from->pages[i].page : SIZE_MAX;
		size_t new = k < to->count ? to->pages[k].page : SIZE_MAX;
		if (old < new)
			restore_page(arena, old, NULL);
		else if (new < old || from->pages[i].copy != to->pages[k].copy)
			restore_page(arena, new, to->pages[k].copy);
		i += old <= new;
		k += new <= old;
	}
}

void arena_image_restore(struct arena_image *image, struct arena_album *album)
{
	struct arena *arena = album->arena;
	struct restoring restoring = {.arena = arena, .image = image};
	size_t pages = pages_of(arena_used(arena) > image->used ? arena_used(arena) : image->used);
	if (album->known && written_visit(&album->written, pages, false, restore_visited, &restoring)) {
		restore_difference(arena, album->known, image);
	} else {
		restoring.all = true;
		restoring.at = 0;
		(void)resident_visit(arena, pages, RESIDENT_ANY_WAY, restore_visited, &restoring);
		restore_before(&restoring, SIZE_MAX);
	}
	know(album, image);
}
