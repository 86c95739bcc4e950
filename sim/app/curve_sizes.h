/* Curves for all sizes from one pass. */
#ifndef FAULTLINE_APP_CURVE_SIZES_H
#define FAULTLINE_APP_CURVE_SIZES_H

#include "faultline/references.h"
#include "faultline/status.h"

/* Misses with 0, 1, 2 ... frames, up to as many as there are pages; with more, only first uses miss. To be freed. HOST:
 * no memory. */
enum status lru_for_all_sizes(const struct references *references, uint64_t **misses, struct error *error);
/* next_use: references_next_uses. */
enum status opt_for_all_sizes(const struct references *references, const uint32_t *next_use, uint64_t **misses,
			      struct error *error);
/* With so many frames. */
uint64_t misses_with(const struct references *references, const uint64_t *misses, uint32_t frames);

#endif
