/* Python's random.random(), bit for bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "faultline/ostep.h"

/* As CPython 3.11 prints them with float.hex(); the third is the 702nd. */
static const struct sequence {
	uint64_t seed;
	double first, second, late;
} sequences[] = {
    {0, 0x1.b0580f98a7dbep-1, 0x1.84129978f9c1ap-1, 0x1.6311d63baa17cp-3},
    {1, 0x1.132d8f91b7584p-3, 0x1.b1e2d5b3584f8p-1, 0x1.dece13f26e015p-1},
    {(UINT64_C(1) << 40) + 7, 0x1.3a3761afd4291p-1, 0x1.a13cb57c0715ap-1, 0x1.3f4ed5fc44b2ap-2},
};

static void assert_same(double actual, double expected)
{
	assert_false(actual < expected || actual > expected);
}

static void the_same_seed_draws_what_python_draws(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
		struct mersenne mersenne;
		mersenne_seed(&mersenne, sequences[i].seed);
		assert_same(mersenne_unit(&mersenne), sequences[i].first);
		assert_same(mersenne_unit(&mersenne), sequences[i].second);
		for (unsigned j = 2; j < 701; j++)
			(void)mersenne_unit(&mersenne);
		assert_same(mersenne_unit(&mersenne), sequences[i].late);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_same_seed_draws_what_python_draws)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
