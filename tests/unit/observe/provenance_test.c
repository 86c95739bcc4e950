/* Where the randomness of a run comes from. */
#include "faultline/provenance.h"

#include "small_world.h"

#define MAP "{'op': 'mmap', 'id': 'm', 'length': '1MiB'},"
#define ACCESS(seed) "{'op': 'access', 'at': 'm', 'length': '1MiB', 'count': 9, 'pattern': 'uniform', 'seed': " seed "}"

static void assert_seeds(const char *script, const char *expected)
{
	struct small_world small = small_world_new(script);
	assert_string_equal(provenance_seeds(small.document).text, expected);
	small_world_free(&small);
}

static void a_script_without_patterns_has_no_seeds(void **state)
{
	(void)state;
	assert_seeds("{'op': 'getpid'}", "none");
}

static void each_seed_is_named_once_in_the_order_of_the_script(void **state)
{
	(void)state;
	assert_seeds(MAP ACCESS("7") "," ACCESS("3") "," ACCESS("7"), "7 3");
}

static void computed_seeds_are_others(void **state)
{
	(void)state;
	assert_seeds(MAP "{'op': 'repeat', 'times': 2, 'as': 'i', 'body': [" ACCESS("'{i*2}'") "," ACCESS("5") "]}",
		     "5 and others");
}

static void more_seeds_than_fit_are_others(void **state)
{
	(void)state;
	assert_seeds(MAP ACCESS("1") "," ACCESS("2") "," ACCESS("3") "," ACCESS("4") "," ACCESS("5") "," ACCESS(
			 "6") "," ACCESS("7") "," ACCESS("8") "," ACCESS("9"),
		     "1 2 3 4 5 6 7 8 and others");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_script_without_patterns_has_no_seeds),
	    cmocka_unit_test(each_seed_is_named_once_in_the_order_of_the_script),
	    cmocka_unit_test(computed_seeds_are_others),
	    cmocka_unit_test(more_seeds_than_fit_are_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
