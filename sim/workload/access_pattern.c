#include "pattern.h"
#include "world_private.h"

static bool has_page_elements(enum access_pattern kind)
{
	return kind == ACCESS_PATTERN_UNIFORM || kind == ACCESS_PATTERN_ZIPF || kind == ACCESS_PATTERN_CHASE ||
	       kind == ACCESS_PATTERN_PHASES;
}

static uint64_t element_bytes(const struct op *op)
{
	if (op->stride == OP_STRIDE_PAGE)
		return PAGE_BYTES;
	if (op->stride != 0)
		return op->stride;
	return has_page_elements((enum access_pattern)op->pattern) ? PAGE_BYTES : 8;
}

/* Any two repetitions differ in all bits; 0 is no repetition. */
static uint64_t seed_of(const struct runner *runner, const struct op *op)
{
	struct rng rng = rng_seeded(runner->spec->seed);
	return runner->spec->seed ? op->seed ^ rng_next(&rng) : op->seed;
}

static void begin_pattern(struct runner *runner, const struct op *op, uint64_t elements, uint64_t count)
{
	struct pattern *pattern = &runner->pattern;
	enum access_pattern kind = (enum access_pattern)op->pattern;
	pattern_init(pattern, kind, elements, count, seed_of(runner, op));
	pattern->phases = op->phases ? op->phases : 1;
	if (kind == ACCESS_PATTERN_ZIPF)
		pattern_set_zipf(pattern, op->theta);
}

void runner_access_pattern(struct runner *runner, const struct op *op, uint64_t start)
{
	struct pattern *pattern = &runner->pattern;
	const bool pauses = runner_may_pause(runner);
	uint64_t bytes = element_bytes(op);
	uint64_t elements = op->length / bytes + (op->length % bytes != 0);
	uint64_t count = op->count ? op->count : elements;
	if (elements == 0)
		return;
	if (runner->done == 0) {
		emit(&runner->world->bus, EVENT_ACCESS, event_text(op->write_ratio >= 1 ? "write" : "access"), start,
		     op->length);
		begin_pattern(runner, op, elements, count);
	}
	for (uint64_t i = runner->done; i < count; i++) {
		uint64_t at = pattern_next(pattern) * bytes;
		uint64_t left = op->length - at;
		enum access_kind access = pattern_stores(pattern, op->write_ratio) ? ACCESS_WRITE : ACCESS_READ;
		user_touch(runner->user, start + at, left < 8 ? left : 8, access);
		if (pauses && i + 1 < count && runner_pauses(runner, i + 1))
			return;
	}
}
