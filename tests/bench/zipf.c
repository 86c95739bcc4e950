#include "zipf.h"

#include <math.h>
#include <stdlib.h>

#include "faultline/rng.h"

/* Ranks by inversion of the cumulated weights; a rank's page is its place in a shuffled row. */
uint32_t *zipf_string(uint32_t pages, uint32_t references)
{
	double *sum = calloc(pages, sizeof(*sum));
	uint32_t *page = calloc(pages, sizeof(*page));
	uint32_t *string = calloc(references, sizeof(*string));
	struct rng rng = rng_seeded(1);
	if (!sum || !page || !string)
		exit(4);
	double total = 0;
	for (uint32_t i = 0; i < pages; i++) {
		sum[i] = total += pow(i + 1.0, -0.99);
		uint32_t other = (uint32_t)rng_below(&rng, i + 1);
		page[i] = page[other];
		page[other] = i;
	}
	for (uint32_t i = 0; i < references; i++) {
		double wanted = rng_unit(&rng) * total;
		uint32_t low = 0;
		uint32_t high = pages - 1;
		while (low < high) {
			uint32_t middle = (low + high) / 2;
			if (sum[middle] < wanted)
				low = middle + 1;
			else
				high = middle;
		}
		string[i] = page[low];
	}
	free(sum);
	free(page);
	return string;
}
