#include "faultline/histogram.h"

#include "faultline/status.h"

const char *histogram_name(enum histogram histogram)
{
	static const char *const names[] = {
#define X(id, name, unit, text) name,
	    HISTOGRAM_LIST(X)
#undef X
	};
	BUG_ON(histogram >= HISTOGRAM_COUNT);
	return names[histogram];
}

unsigned histogram_bucket(uint64_t value)
{
	unsigned bits = 0;
	for (; value; value >>= 1)
		bits++;
	return bits;
}

uint64_t histogram_first(unsigned bucket)
{
	return bucket ? (uint64_t)1 << (bucket - 1) : 0;
}

uint64_t histogram_last(unsigned bucket)
{
	return bucket ? histogram_first(bucket) * 2 - 1 : 0;
}
