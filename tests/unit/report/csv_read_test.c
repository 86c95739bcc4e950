/* CSV: what is written comes back, and what is broken is refused with its row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "csv_read.h"
#include "faultline/csv.h"
#include "faultline/rng.h"

enum { ROWS = 20, COLUMNS = 5, CELL = 12 };

static void fill(char cells[ROWS][COLUMNS][CELL], struct rng *rng)
{
	static const char letters[] = "ab1 ,\"\r\n";
	for (unsigned row = 0; row < ROWS; row++) {
		for (unsigned column = 0; column < COLUMNS; column++) {
			unsigned length = (unsigned)rng_below(rng, CELL - 1);
			for (unsigned i = 0; i < length; i++)
				cells[row][column][i] = letters[rng_below(rng, sizeof(letters) - 1)];
			cells[row][column][length] = '\0';
		}
	}
}

static char *write_all(char cells[ROWS][COLUMNS][CELL], const char *end)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	for (unsigned row = 0; row < ROWS; row++) {
		for (unsigned column = 0; column < COLUMNS; column++) {
			(void)fputs(column ? "," : "", out);
			csv_put(out, cells[row][column]);
		}
		(void)fputs(end, out);
	}
	assert_int_equal(fclose(out), 0);
	return text;
}

static void what_is_written_comes_back(void **state)
{
	struct rng rng = rng_seeded(11);
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		char cells[ROWS][COLUMNS][CELL];
		struct csv_table table;
		struct error error;
		fill(cells, &rng);
		char *text = write_all(cells, round % 2 ? "\r\n" : "\n");
		assert_int_equal(csv_table_read(text, "x.csv", &table, &error), STATUS_OK);
		assert_true(table.rows == ROWS && table.columns == COLUMNS);
		for (unsigned row = 0; row < ROWS; row++) {
			for (unsigned column = 0; column < COLUMNS; column++)
				assert_string_equal(csv_table_at(&table, row, column), cells[row][column]);
		}
		csv_table_release(&table);
		free(text);
	}
}

static void quotes_stand_only_where_they_must(void **state)
{
	static const struct {
		const char *cell, *written;
	} cells[] = {{"", ""}, {"a b", "a b"}, {"a,b", "\"a,b\""}, {"\"", "\"\"\"\""}, {"a\nb", "\"a\nb\""}};
	(void)state;
	for (unsigned i = 0; i < sizeof(cells) / sizeof(*cells); i++) {
		char *text = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&text, &length);
		csv_put(out, cells[i].cell);
		assert_int_equal(fclose(out), 0);
		assert_string_equal(text, cells[i].written);
		free(text);
	}
}

static void broken_tables_are_refused_with_their_row(void **state)
{
	static const struct {
		const char *text, *says;
	} tables[] = {{"a,b\n1,2\n3\n", "row 3 has 1 cells"}, {"a,b\n\"1,2\n", "row 2: a quote is never closed"}};
	(void)state;
	for (unsigned i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		struct csv_table table;
		struct error error;
		char *text = strdup(tables[i].text);
		assert_int_equal(csv_table_read(text, "x.csv", &table, &error), STATUS_BAD_INPUT);
		assert_non_null(strstr(error.text, tables[i].says));
		csv_table_release(&table);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_written_comes_back),
	    cmocka_unit_test(quotes_stand_only_where_they_must),
	    cmocka_unit_test(broken_tables_are_refused_with_their_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
