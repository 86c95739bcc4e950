/* The sample is followed whole, and once more in parts. A page is in it by its hash, so that all its references are. */
#include "faultline/sampled_curve.h"

#include <math.h>
#include <stdlib.h>

#include "faultline/lru_curve.h"

enum { GROUPS = 8, GROUP_SHIFT = 29, BLOCK = 1024 };

struct sampled_curve {
	struct lru_curve *whole, *part[GROUPS];
	uint32_t pages;
	double rate;
	uint64_t threshold; /* hashes below it are in the sample */
	uint32_t salt;
	uint64_t references, sampled;
};

/* The finalizer of MurmurHash3 (Appleby): every bit of the page decides on every bit of the hash. */
static uint32_t hash_of(uint32_t page, uint32_t salt)
{
	uint32_t hash = page ^ salt;
	hash = (hash ^ hash >> 16) * 0x85ebca6bU;
	hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
	return hash ^ hash >> 16;
}

struct sampled_curve *sampled_curve_new(uint32_t pages, double rate, uint64_t seed)
{
	struct sampled_curve *curve = calloc(1, sizeof(*curve));
	if (!curve)
		return NULL;
	curve->pages = pages;
	curve->rate = rate;
	curve->threshold = (uint64_t)(rate * 4294967296.0);
	curve->salt = hash_of((uint32_t)seed, (uint32_t)(seed >> 32));
	curve->whole = lru_curve_new(pages);
	bool whole = curve->whole != NULL;
	for (unsigned i = 0; i < GROUPS; i++) {
		curve->part[i] = lru_curve_new(pages);
		whole = whole && curve->part[i];
	}
	if (whole)
		return curve;
	sampled_curve_free(curve);
	return NULL;
}

void sampled_curve_free(struct sampled_curve *curve)
{
	if (!curve)
		return;
	lru_curve_free(curve->whole);
	for (unsigned i = 0; i < GROUPS; i++)
		lru_curve_free(curve->part[i]);
	free(curve);
}

static void feed_block(struct sampled_curve *curve, const uint32_t *references, size_t count)
{
	uint32_t kept[BLOCK];
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t page = references[i] & ~(UINT32_C(1) << 31);
		kept[used] = page;
		used += hash_of(page, curve->salt) < curve->threshold;
	}
	for (size_t i = 0; i < used; i++) {
		unsigned group = hash_of(kept[i], ~curve->salt) >> GROUP_SHIFT;
		lru_curve_feed(curve->part[group], &kept[i], 1);
	}
	lru_curve_feed(curve->whole, kept, used);
	curve->sampled += used;
}

void sampled_curve_feed(struct sampled_curve *curve, const uint32_t *references, size_t count)
{
	for (size_t at = 0; at < count; at += BLOCK)
		feed_block(curve, references + at, count - at < BLOCK ? count - at : BLOCK);
	curve->references += count;
}

uint64_t sampled_curve_references(const struct sampled_curve *curve)
{
	return curve->sampled;
}

/* A distance in the sample stands for one that is larger by the rate. References that the sample has too few of, or too
 * many, count as hits of the smallest memory, or are taken from those: they belong to pages that are used often. */
static double ratio_at(const struct sampled_curve *curve, const uint64_t *misses, uint32_t frames, double rate)
{
	double scaled = floor((double)frames * rate);
	uint32_t frame = scaled < curve->pages ? (uint32_t)scaled : curve->pages;
	double ratio = (double)misses[frame] / ((double)curve->references * rate);
	return ratio < 1 ? ratio : 1;
}

bool sampled_curve_points(const struct sampled_curve *curve, const uint32_t *frames, size_t count,
			  struct sampled_point *points)
{
	uint64_t *misses = calloc((size_t)curve->pages + 1, sizeof(*misses));
	if (!misses)
		return false;
	lru_curve_misses(curve->whole, misses);
	for (size_t i = 0; i < count; i++)
		points[i] = (struct sampled_point){.ratio = ratio_at(curve, misses, frames[i], curve->rate)};
	for (unsigned group = 0; group < GROUPS; group++) {
		lru_curve_misses(curve->part[group], misses);
		for (size_t i = 0; i < count; i++) {
			double off = ratio_at(curve, misses, frames[i], curve->rate / GROUPS) - points[i].ratio;
			points[i].error += off * off;
		}
	}
	for (size_t i = 0; i < count; i++)
		points[i].error = sqrt(points[i].error / (GROUPS * (GROUPS - 1)));
	free(misses);
	return true;
}
