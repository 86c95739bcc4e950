/* The file that a setup is kept in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "setup.h"

/* The setup is kept in a folder of its own, and read from there. */
static void a_setup_comes_back(void **state)
{
	(void)state;
	struct setup setup = SETUP_DEFAULT, back = SETUP_DEFAULT;
	struct error error = {0};
	char folder[] = "/tmp/faultline-setup-XXXXXX";
	char path[256];
	assert_non_null(mkdtemp(folder));
	(void)setenv("XDG_CONFIG_HOME", folder, 1);
	assert_int_equal(setup_set(&setup, "speed", "77", &error), STATUS_OK);
	assert_int_equal(setup_set(&setup, "glyphs", "ascii", &error), STATUS_OK);
	assert_int_equal(setup_set(&setup, "theme", "safe", &error), STATUS_OK);
	assert_int_equal(setup_write(&setup, path, sizeof(path), &error), STATUS_OK);
	assert_int_equal(setup_read(&back, &error), STATUS_OK);
	assert_int_equal(back.speed, 77);
	assert_int_equal(back.glyphs, SETUP_GLYPHS_ASCII);
	assert_int_equal(back.theme, setup.theme);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(setup_write(&setup, path, sizeof(path), &error), STATUS_HOST);
	assert_non_null(strstr(error.text, path));
	assert_int_equal(setup_read(&back, &error), STATUS_HOST);
	assert_int_equal(rmdir(path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(rmdir(path), 0); /* nothing else was left in it */
	assert_int_equal(rmdir(folder), 0);
	(void)unsetenv("XDG_CONFIG_HOME");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_setup_comes_back)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
