#include "curve_sizes.h"

#include <stdlib.h>

#include "faultline/lru_curve.h"
#include "faultline/opt_curve.h"

static enum status settle(const struct references *references, const void *curve, uint64_t **misses,
			  struct error *error)
{
	if (curve && *misses)
		return STATUS_OK;
	free(*misses);
	*misses = NULL;
	return error_set(error, STATUS_HOST, "the host has no memory for %u pages", references->pages);
}

enum status lru_for_all_sizes(const struct references *references, uint64_t **misses, struct error *error)
{
	struct lru_curve *curve = lru_curve_new(references->pages);
	*misses = calloc((size_t)references->pages + 1, sizeof(**misses));
	enum status status = settle(references, curve, misses, error);
	if (status == STATUS_OK) {
		struct references_reader *reader = references_reader_new(references);
		const uint32_t *block;
		size_t count;
		while ((count = references_next(reader, &block)) > 0)
			lru_curve_feed(curve, block, count);
		references_reader_free(reader);
		lru_curve_misses(curve, *misses);
	}
	lru_curve_free(curve);
	return status;
}

enum status opt_for_all_sizes(const struct references *references, const uint32_t *next_use, uint64_t **misses,
			      struct error *error)
{
	struct opt_curve *curve = opt_curve_new(references->pages);
	*misses = calloc((size_t)references->pages + 1, sizeof(**misses));
	enum status status = settle(references, curve, misses, error);
	if (status == STATUS_OK) {
		opt_curve_feed(curve, next_use, references->count);
		opt_curve_misses(curve, *misses);
	}
	opt_curve_free(curve);
	return status;
}

uint64_t misses_with(const struct references *references, const uint64_t *misses, uint32_t frames)
{
	return misses[frames < references->pages ? frames : references->pages];
}
