/* The interval heap against an array in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "interval_heap.h"

enum { MOST = 3000, STEPS = 60000 };

struct model {
	uint32_t number[MOST];
	uint32_t count;
};

static void model_put(struct model *model, uint32_t number)
{
	uint32_t i = model->count++;
	for (; i > 0 && model->number[i - 1] > number; i--)
		model->number[i] = model->number[i - 1];
	model->number[i] = number;
}

static void model_remove_least(struct model *model)
{
	model->count--;
	memmove(&model->number[0], &model->number[1], model->count * sizeof(uint32_t));
}

static void assert_same(const struct interval_heap *heap, const struct model *model)
{
	assert_int_equal(heap->count, model->count);
	assert_true(heap->count <= heap->room);
	assert_true(heap->room <= 4 * heap->count + 32);
	if (model->count == 0)
		return;
	assert_int_equal(interval_heap_least(heap), model->number[0]);
	assert_int_equal(interval_heap_greatest(heap), model->number[model->count - 1]);
}

static uint32_t any_number(struct rng *rng)
{
	static const uint64_t limits[] = {3, 500, UINT64_C(1) << 32};
	uint32_t number = (uint32_t)rng_below(rng, limits[rng_below(rng, 3)]);
	return rng_below(rng, 20) ? number : UINT32_MAX;
}

static void change(struct interval_heap *heap, struct model *model, struct rng *rng)
{
	uint32_t number = any_number(rng);
	switch (rng_below(rng, 3)) {
	case 0:
		interval_heap_remove_least(heap);
		model_remove_least(model);
		break;
	case 1:
		interval_heap_remove_greatest(heap);
		model->count--;
		break;
	default:
		interval_heap_replace_greatest(heap, number);
		model->count--;
		model_put(model, number);
	}
}

/* Grows and shrinks to nothing, again and again, with few numbers and with many. */
static void least_and_greatest_are_those_of_all_numbers(void **state)
{
	(void)state;
	static struct model model;
	struct interval_heap heap = {0};
	struct rng rng = rng_seeded(1);
	for (unsigned step = 0; step < STEPS; step++) {
		const bool growing = rng_below(&rng, 10) < (step / 4000 % 2 ? 2 : 7);
		if (model.count == 0 || (growing && model.count < MOST)) {
			uint32_t number = any_number(&rng);
			interval_heap_put(&heap, number);
			model_put(&model, number);
		} else {
			change(&heap, &model, &rng);
		}
		assert_same(&heap, &model);
	}
	interval_heap_release(&heap);
}

static void all_numbers_of_another_come_over(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(2);
	for (uint32_t size = 0; size < 200; size++) {
		struct interval_heap heap = {0}, other = {0};
		struct model model = {0};
		for (uint32_t i = 0; i < size; i++) {
			uint32_t number = any_number(&rng);
			interval_heap_put(rng_below(&rng, 2) ? &heap : &other, number);
			model_put(&model, number);
		}
		interval_heap_put_all(&heap, &other);
		assert_int_equal(other.count, 0);
		assert_same(&heap, &model);
		for (; model.count > 0; model_remove_least(&model)) {
			assert_same(&heap, &model);
			interval_heap_remove_least(&heap);
		}
		interval_heap_release(&heap);
		interval_heap_release(&other);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(least_and_greatest_are_those_of_all_numbers),
	    cmocka_unit_test(all_numbers_of_another_come_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
