/* The row against an array that is shifted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "row.h"

enum { PAGES = 3000, STEPS = 60000, USES = 500 };

struct model {
	uint32_t page[PAGES], use[PAGES];
	uint32_t count;
};

static void model_insert(struct model *model, uint32_t place, uint32_t page, uint32_t use)
{
	memmove(&model->page[place + 1], &model->page[place], (model->count - place) * sizeof(uint32_t));
	memmove(&model->use[place + 1], &model->use[place], (model->count - place) * sizeof(uint32_t));
	model->page[place] = page;
	model->use[place] = use;
	model->count++;
}

static void model_remove(struct model *model, uint32_t place)
{
	model->count--;
	memmove(&model->page[place], &model->page[place + 1], (model->count - place) * sizeof(uint32_t));
	memmove(&model->use[place], &model->use[place + 1], (model->count - place) * sizeof(uint32_t));
}

static uint32_t model_run_end(const struct model *model, uint32_t place)
{
	while (place + 1 < model->count && model->use[place + 1] >= model->use[place])
		place++;
	return model->page[place];
}

static uint32_t model_next_greater(const struct model *model, uint32_t place)
{
	for (uint32_t i = place + 1; i < model->count; i++) {
		if (model->use[i] > model->use[place])
			return model->page[i];
	}
	return ROW_NONE;
}

static void enter(struct row *row, struct model *model, struct rng *rng, uint32_t page)
{
	uint32_t use = (uint32_t)rng_below(rng, USES);
	if (rng_below(rng, 2)) {
		row_prepend(row, page, use);
		model_insert(model, 0, page, use);
	} else {
		row_append(row, page, use);
		model_insert(model, model->count, page, use);
	}
}

static void leave(struct row *row, struct model *model, uint32_t place)
{
	row_remove(row, model->page[place]);
	model_remove(model, place);
}

static void move(struct row *row, struct model *model, uint32_t place, uint32_t to)
{
	uint32_t page = model->page[place], use = model->use[place];
	if (place == to)
		return;
	row_move_before(row, page, model->page[to]);
	model_remove(model, place);
	model_insert(model, to - (place < to), page, use);
}

static void change(struct row *row, struct model *model, struct rng *rng, uint32_t place)
{
	model->use[place] = (uint32_t)rng_below(rng, USES);
	row_set_use(row, model->page[place], model->use[place]);
}

static void assert_same(const struct row *row, const struct model *model, uint32_t place)
{
	uint32_t page = model->page[place];
	assert_int_equal(row_first(row), model->page[0]);
	assert_int_equal(row_place(row, page), place);
	assert_int_equal(row_run_end(row, page), model_run_end(model, place));
	assert_int_equal(row_next_greater(row, page), model_next_greater(model, place));
}

/* Grows, shrinks to nearly nothing, and grows again, so that nodes split, join and go. */
static void a_row_is_an_array(void **state)
{
	(void)state;
	static struct model model;
	struct arena *arena = arena_new(row_bytes(PAGES));
	struct row *row = row_new(arena, PAGES);
	struct rng rng = rng_seeded(1);
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t page = (uint32_t)rng_below(&rng, PAGES);
		uint32_t place = model.count ? (uint32_t)rng_below(&rng, model.count) : 0;
		bool shrinking = step / 10000 % 2;
		if (!row_has(row, page) && (!shrinking || model.count < 5))
			enter(row, &model, &rng, page);
		else if (model.count > 1 && shrinking && rng_below(&rng, 3) > 0)
			leave(row, &model, place);
		else if (model.count > 1 && rng_below(&rng, 2))
			move(row, &model, place, (uint32_t)rng_below(&rng, model.count));
		else if (model.count > 0)
			change(row, &model, &rng, place);
		if (model.count > 0)
			assert_same(row, &model, (uint32_t)rng_below(&rng, model.count));
		if (step % 500 == 0)
			assert_null(row_check(row));
	}
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_row_is_an_array)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
