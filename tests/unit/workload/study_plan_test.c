/* The values of a parameter, and study files. */
#include "test_document.h"

#include <stdlib.h>
#include <sys/wait.h>

#include "faultline/study_plan.h"

#define VERDICTS FAULTLINE_SOURCE_DIR "/tests/unit/workload/study_verdicts.py"

static void joined(const struct study_parameter *parameter, char *out)
{
	out[0] = '\0';
	for (unsigned i = 0; i < parameter->count; i++) {
		strcat(out, i ? " " : "");
		strcat(out, parameter->values[i]);
	}
}

static void a_sweep_becomes_values_of_one_type(void **state)
{
	static const struct {
		const char *sweep, *values;
		enum study_type type;
	} cases[] = {
	    {"libc=glibc", "glibc", STUDY_TEXT},
	    {"libc=glibc,best-fit", "glibc best-fit", STUDY_TEXT},
	    {"machine.cpus=1..4", "1 2 3 4", STUDY_NUMBER},
	    {"machine.cpus=3,1..9+4", "3 1 5 9", STUDY_NUMBER},
	    {"machine.cpus=1..10*3", "1 3 9", STUDY_NUMBER},
	    {"machine.memory=16MiB..100MiB*2", "16MiB 32MiB 64MiB", STUDY_SIZE},
	    {"machine.memory=4MiB..12MiB+4MiB,1GiB", "4MiB 8MiB 12MiB 1GiB", STUDY_SIZE},
	    {"machine.memory=1.5MiB..3MiB*2", "1536KiB 3MiB", STUDY_SIZE},
	    {"machine.memory=4096,8KiB", "4096 8KiB", STUDY_SIZE},
	    {"pff=18446744073709551614..18446744073709551615+7", "18446744073709551614", STUDY_NUMBER},
	    {"start_brk=0x10000,0x20000", "0x10000 0x20000", STUDY_TEXT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char values[512];
		struct error error = {0};
		struct study_plan *plan = study_plan_new();
		assert_int_equal(study_plan_sweep(plan, cases[i].sweep, &error), STATUS_OK);
		joined(&plan->parameters[0], values);
		assert_string_equal(values, cases[i].values);
		assert_int_equal(plan->parameters[0].type, cases[i].type);
		study_plan_free(plan);
	}
}

static void a_bad_sweep_is_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *sweep, *says;
	} cases[] = {
	    {"libc", "expected KEY=VALUES"},
	    {"=1", "expected KEY=VALUES"},
	    {"libc=", "empty value"},
	    {"libc=a,,b", "empty value"},
	    {"libc=a,a", "twice"},
	    {"n=2..1", "backwards"},
	    {"n=1..2+0", "step is 0"},
	    {"n=1..2*1", "never gets on"},
	    {"n=0..8*2", "never gets on"},
	    {"n=1..8*2KiB", "never gets on"},
	    {"n=1MiB..2MiB", "wants a step or a factor"},
	    {"n=a..b", "neither a whole number nor a size"},
	    {"n=1..", "neither a whole number nor a size"},
	    {"n=..1", "neither a whole number nor a size"},
	    {"n=1..1000000", "more than 10000 values"},
	    {"seed=1..2", "--repeat"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct error error = {0};
		struct study_plan *plan = study_plan_new();
		assert_int_equal(study_plan_sweep(plan, cases[i].sweep, &error), STATUS_BAD_INPUT);
		if (!strstr(error.text, cases[i].says))
			fail_msg("%s: %s", cases[i].sweep, error.text);
		study_plan_free(plan);
	}
}

static void a_key_is_swept_once_and_seeds_are_whole(void **state)
{
	(void)state;
	struct error error = {0};
	struct study_plan *plan = study_plan_new();
	assert_int_equal(study_plan_sweep(plan, "libc=glibc", &error), STATUS_OK);
	assert_int_equal(study_plan_sweep(plan, "libc=best-fit", &error), STATUS_BAD_INPUT);
	assert_int_equal(study_plan_repeat(plan, "seed=1", &error), STATUS_BAD_INPUT);
	assert_int_equal(study_plan_repeat(plan, "seeds=0..3", &error), STATUS_BAD_INPUT);
	study_plan_free(plan);
	plan = study_plan_new();
	assert_int_equal(study_plan_repeat(plan, "seeds=1..3,7", &error), STATUS_OK);
	assert_int_equal(study_plan_repeat(plan, "seeds=9", &error), STATUS_BAD_INPUT);
	assert_int_equal(plan->seeds.count, 4);
	study_plan_free(plan);
}

/* The folder holds good.* and bad ones; the schema must say the same of each. */
static void study_files_and_their_schema_agree(void **state)
{
	char command[512];
	(void)state;
	(void)snprintf(command, sizeof(command), "python3 -B %s %s", VERDICTS, FAULTLINE_SOURCE_DIR);
	int result = system(command);
	if (WIFEXITED(result) && WEXITSTATUS(result) == 77)
		skip();
	assert_int_equal(result, 0);
}

static void the_loader_takes_the_good_ones_only(void **state)
{
	static const struct {
		const char *name, *says;
	} cases[] = {
	    {"good-all-keys", NULL},
	    {"good-least", NULL},
	    {"study-misspelt", "4:2: /parameter: a study has no key \"parameter\"; did you mean \"parameters\"?"},
	    {"study-empty-values", "/parameters/machine.memory: the list is empty"},
	    {"study-wrong-version", "/: a study file says \"study\": 1"},
	    {"study-bad-plot", "/plots/0: the kind of a plot is"},
	    {"study-bad-seeds", "/repeat: --repeat seeds=0..3: seeds are whole numbers from 1 up"},
	    {"study-value-twice", "/parameters/libc/1: the value glibc is there twice"},
	    {"study-seed-swept", "/parameters/seed: seeds are repetitions"},
	    {"study-bad-phases", "/phases: expected true or false, found 1"},
	    {"study-bad-exclusion", "/exclude/0: what is left out is an object"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char path[512];
		struct error error = {0};
		struct study_plan *plan = study_plan_new();
		(void)snprintf(path, sizeof(path), FAULTLINE_SOURCE_DIR "/tests/data/study-files/%s.json",
			       cases[i].name);
		assert_true(study_plan_is_file(path));
		enum status status = study_plan_file(plan, path, &error);
		assert_int_equal(status, cases[i].says ? STATUS_BAD_INPUT : STATUS_OK);
		if (cases[i].says && !strstr(error.text, cases[i].says))
			fail_msg("%s: %s", cases[i].name, error.text);
		study_plan_free(plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sweep_becomes_values_of_one_type),
	    cmocka_unit_test(a_bad_sweep_is_refused_with_a_remedy),
	    cmocka_unit_test(a_key_is_swept_once_and_seeds_are_whole),
	    cmocka_unit_test(study_files_and_their_schema_agree),
	    cmocka_unit_test(the_loader_takes_the_good_ones_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
