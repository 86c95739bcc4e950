#include "names.h"

#include <string.h>

#include "faultline/digest.h"

enum { FIRST_BUCKETS = 64 };

void names_init(struct names *names, struct arena *arena)
{
	*names = (struct names){.arena = arena, .capacity = FIRST_BUCKETS / 2, .bucket_count = FIRST_BUCKETS};
	names->texts = arena_new_array(arena, const char *, names->capacity);
	names->buckets = arena_new_array(arena, uint32_t, names->bucket_count);
}

static uint32_t *find_bucket(struct names *names, const char *text)
{
	uint32_t at = (uint32_t)digest_text(DIGEST_START, text) & (names->bucket_count - 1);
	while (names->buckets[at] != 0 && strcmp(names->texts[names->buckets[at] - 1], text) != 0)
		at = (at + 1) & (names->bucket_count - 1);
	return &names->buckets[at];
}

/* The old arrays stay behind in the arena: all together they are smaller than the new ones. */
static void grow(struct names *names)
{
	const char **texts = arena_new_array(names->arena, const char *, names->capacity * 2);
	memcpy(texts, names->texts, names->count * sizeof(*texts));
	names->texts = texts;
	names->capacity *= 2;
	names->bucket_count *= 2;
	names->buckets = arena_new_array(names->arena, uint32_t, names->bucket_count);
	for (uint32_t i = 0; i < names->count; i++)
		*find_bucket(names, names->texts[i]) = i + 1;
}

uint32_t names_number(struct names *names, const char *text)
{
	uint32_t *bucket = find_bucket(names, text);
	if (*bucket != 0)
		return *bucket - 1;
	if (names->count == names->capacity) {
		grow(names);
		bucket = find_bucket(names, text);
	}
	size_t bytes = strlen(text) + 1;
	char *copy = arena_alloc(names->arena, bytes, 1);
	memcpy(copy, text, bytes);
	names->texts[names->count++] = copy;
	*bucket = names->count;
	return names->count - 1;
}
