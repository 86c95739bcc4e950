#include "pattern.h"

#include <math.h>

void pattern_init(struct pattern *pattern, enum access_pattern kind, uint64_t elements, uint64_t count, uint64_t seed)
{
	*pattern = (struct pattern){
	    .kind = kind, .rng = rng_seeded(seed), .elements = elements, .count = count, .phases = 1};
	if (kind == ACCESS_PATTERN_CHASE)
		pattern->state = rng_below(&pattern->rng, elements);
}

/* ---- zipf by rejection-inversion: W. Hörmann, G. Derflinger, Rejection-inversion to generate variates from monotone
 * discrete distributions, ACM TOMACS 6(3), 1996. Constant memory and expected constant time for any number of
 * elements. ---- */

/* The integral of x^-theta, made continuous at theta = 1 where it is the logarithm. */
static double integral(double theta, double x)
{
	double log_x = log(x);
	double t = (1 - theta) * log_x;
	/* expm1(t)/t loses its digits near 0, where it is 1 + t/2 + t^2/6. */
	double ratio = fabs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2 * (1 + t / 3);
	return ratio * log_x;
}

static double integral_inverse(double theta, double y)
{
	double t = y * (1 - theta);
	if (t < -1)
		t = -1; /* rounding */
	double ratio = fabs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2 + t * t / 3;
	return exp(ratio * y);
}

static double weight(double theta, double x)
{
	return exp(-theta * log(x));
}

void pattern_set_zipf(struct pattern *pattern, double theta)
{
	pattern->theta = theta;
	pattern->h_first = integral(theta, 1.5) - 1;
	pattern->h_last = integral(theta, (double)pattern->elements + 0.5);
	pattern->shortcut = 2 - integral_inverse(theta, integral(theta, 2.5) - weight(theta, 2));
}

/* Element 0 is the most frequent one. */
static uint64_t next_zipf(struct pattern *pattern)
{
	double theta = pattern->theta;
	for (;;) {
		double u = pattern->h_last + rng_unit(&pattern->rng) * (pattern->h_first - pattern->h_last);
		double x = integral_inverse(theta, u);
		double k = floor(x + 0.5);
		if (k < 1)
			k = 1;
		else if (k > (double)pattern->elements)
			k = (double)pattern->elements;
		if (k - x <= pattern->shortcut || u >= integral(theta, k + 0.5) - weight(theta, k))
			return (uint64_t)k - 1;
	}
}

/* One cycle through all elements without memory: a linear congruential generator with a power-of-two modulus and full
 * period (Hull, Dobell 1962: multiplier 1 mod 4, odd increment) that skips what is out of range, less than half. */
static uint64_t next_chase(struct pattern *pattern)
{
	uint64_t mask = 1;
	while (mask < pattern->elements - 1)
		mask = mask << 1 | 1;
	if (pattern->elements == 1)
		return 0;
	uint64_t here = pattern->state;
	do
		pattern->state = (pattern->state * 0x5851f42d4c957f2du + 0x14057b7ef767814fu) & mask;
	while (pattern->state >= pattern->elements);
	return here;
}

static uint64_t next_in_phase(struct pattern *pattern)
{
	uint64_t parts = pattern->phases < pattern->elements ? pattern->phases : pattern->elements;
	uint64_t each = (pattern->count + parts - 1) / parts;
	uint64_t part = pattern->done / each;
	uint64_t first = pattern->elements / parts * part;
	uint64_t last = part + 1 == parts ? pattern->elements : first + pattern->elements / parts;
	return first + rng_below(&pattern->rng, last - first);
}

uint64_t pattern_next(struct pattern *pattern)
{
	uint64_t element = 0;
	switch (pattern->kind) {
	case ACCESS_PATTERN_SEQUENTIAL:
	case ACCESS_PATTERN_STRIDE:
		element = pattern->done % pattern->elements;
		break;
	case ACCESS_PATTERN_REVERSE:
		element = pattern->elements - 1 - pattern->done % pattern->elements;
		break;
	case ACCESS_PATTERN_UNIFORM:
		element = rng_below(&pattern->rng, pattern->elements);
		break;
	case ACCESS_PATTERN_ZIPF:
		element = next_zipf(pattern);
		break;
	case ACCESS_PATTERN_CHASE:
		element = next_chase(pattern);
		break;
	case ACCESS_PATTERN_PHASES:
		element = next_in_phase(pattern);
		break;
	case ACCESS_PATTERN_COUNT:
		break;
	}
	pattern->done++;
	return element;
}

bool pattern_stores(struct pattern *pattern, double write_ratio)
{
	/* No number is drawn where nothing is to be decided: a read-only pattern is the same with and without. */
	if (write_ratio <= 0)
		return false;
	return write_ratio >= 1 || rng_unit(&pattern->rng) < write_ratio;
}
