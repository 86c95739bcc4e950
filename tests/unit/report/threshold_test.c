/* Conditions that fail a build: what they mean, and what is none. */
#include "faultline/threshold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool exceeds(const char *text, double a, double b)
{
	struct threshold threshold;
	struct error error;
	if (threshold_parse(text, &threshold, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return threshold_exceeded(&threshold, a, b);
}

static void a_percentage_is_a_change_from_a_to_b(void **state)
{
	(void)state;
	assert_false(exceeds("cycles>+5%", 100, 105));
	assert_true(exceeds("cycles>+5%", 100, 106));
	assert_true(exceeds("cycles<-5%", 100, 94));
	assert_false(exceeds("cycles<-5%", 100, 106));
}

static void from_nothing_every_percentage_is_exceeded(void **state)
{
	(void)state;
	assert_true(exceeds("swap.out>+1000%", 0, 1));
	assert_false(exceeds("swap.out>+0%", 0, 0));
}

static void a_sign_makes_a_change_and_none_a_value(void **state)
{
	(void)state;
	assert_true(exceeds("faults.major>+5", 10, 16));
	assert_false(exceeds("faults.major>+5", 10, 15));
	assert_true(exceeds("faults.major>5", 10, 6));
	assert_true(exceeds("faults.major==6", 10, 6));
	assert_true(exceeds("faults.major!=+0", 10, 6));
	assert_true(exceeds("faults.major <= 6", 10, 6));
}

static void a_scope_stands_before_the_last_colon(void **state)
{
	struct threshold threshold;
	struct error error;
	(void)state;
	assert_int_equal(threshold_parse("process a:b:cycles>1", &threshold, &error), STATUS_OK);
	assert_string_equal(threshold.scope, "process a:b");
	assert_string_equal(threshold.name, "cycles");
}

static void what_is_no_condition_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",          "cycles",      "cycles>",    "cycles>+",    "cycles=5", "cycles>5%",   ">5",
	    "cycles>>5", "cycles>0x5g", "cycles>inf", "cycles>+5%%", "moons>1",  "cycles>1e999"};
	struct threshold threshold;
	struct error error;
	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(threshold_parse(bad[i], &threshold, &error), STATUS_BAD_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_percentage_is_a_change_from_a_to_b),
	    cmocka_unit_test(from_nothing_every_percentage_is_exceeded),
	    cmocka_unit_test(a_sign_makes_a_change_and_none_a_value),
	    cmocka_unit_test(a_scope_stands_before_the_last_colon),
	    cmocka_unit_test(what_is_no_condition_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
