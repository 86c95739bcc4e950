/* Lines of the journal: what is written comes back, and what is damaged does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "study_private.h"

static void fill(struct study_row *row, struct rng *rng)
{
	static const char *const messages[] = {"", "a\tb", "line\nline", "back\\slash \\t", "W.json:1:2: /x: \"y\""};
	row->number = rng_next(rng);
	row->status = (enum status)rng_below(rng, STATUS_HOST);
	row->booted = rng_below(rng, 2) != 0;
	row->digest = rng_next(rng);
	row->progress.operations = rng_next(rng);
	(void)snprintf(row->why.text, sizeof(row->why.text), "%s", messages[rng_below(rng, 5)]);
	row->phase_count = (unsigned)rng_below(rng, 4);
	for (unsigned i = 0; i < STAT_COUNT; i++)
		row->stats.value[i] = rng_next(rng) >> rng_below(rng, 64);
	for (unsigned p = 0; p < row->phase_count; p++) {
		(void)snprintf(row->phases[p].name, STUDY_NAME_BYTES, "phase\t%u", p);
		row->phases[p].stats.value[p] = rng_next(rng);
	}
}

static void fill_parts(struct study_row *row, struct rng *rng)
{
	row->sample_count = (unsigned)rng_below(rng, 5);
	for (unsigned i = 0; i < row->sample_count; i++) {
		row->samples[i] = (struct series_sample){.number = i, .cycles = rng_next(rng), .process = ""};
		row->samples[i].value[i] = rng_next(rng);
	}
	row->has_histograms = rng_below(rng, 2) != 0;
	if (row->has_histograms)
		row->histograms.count[HISTOGRAM_ALIVE][rng_below(rng, HISTOGRAM_BUCKETS)] = rng_next(rng);
}

static char *line_of(const struct study_row *row, size_t *length)
{
	char *line = NULL;
	FILE *memory = open_memstream(&line, length);
	study_row_write(memory, row);
	assert_int_equal(fclose(memory), 0);
	assert_int_equal(line[--*length], '\n');
	line[*length] = '\0';
	return line;
}

static void a_row_comes_back_as_it_was(void **state)
{
	struct rng rng = rng_seeded(1);
	struct error error;
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		struct study_row row;
		struct study_row back;
		size_t length;
		assert_int_equal(study_row_init(&row, &error), STATUS_OK);
		assert_int_equal(study_row_init(&back, &error), STATUS_OK);
		fill(&row, &rng);
		fill_parts(&row, &rng);
		char *line = line_of(&row, &length);
		assert_null(strchr(line, '\n'));
		assert_true(study_row_read(line, length, &back));
		assert_true(back.number == row.number && back.status == row.status && back.booted == row.booted);
		assert_true(back.digest == row.digest && back.progress.operations == row.progress.operations);
		assert_string_equal(back.why.text, row.why.text);
		assert_memory_equal(&back.stats, &row.stats, sizeof(row.stats));
		assert_int_equal(back.phase_count, row.phase_count);
		assert_memory_equal(back.phases, row.phases, row.phase_count * sizeof(*row.phases));
		assert_int_equal(back.sample_count, row.sample_count);
		for (unsigned s = 0; s < row.sample_count; s++) {
			assert_true(back.samples[s].cycles == row.samples[s].cycles);
			assert_memory_equal(back.samples[s].value, row.samples[s].value, sizeof(row.samples[s].value));
		}
		assert_true(back.has_histograms == row.has_histograms);
		assert_memory_equal(&back.histograms, &row.histograms, sizeof(row.histograms));
		free(line);
		study_row_release(&row);
		study_row_release(&back);
	}
}

static void one_wrong_bit_or_a_lost_end_makes_it_no_row(void **state)
{
	struct rng rng = rng_seeded(2);
	struct study_row row;
	struct error error;
	size_t length;
	(void)state;
	assert_int_equal(study_row_init(&row, &error), STATUS_OK);
	fill(&row, &rng);
	char *line = line_of(&row, &length);
	for (unsigned i = 0; i < 2000; i++) {
		char *copy = strdup(line);
		size_t kept = length;
		if (i % 2)
			copy[rng_below(&rng, length)] ^= (char)(1 << rng_below(&rng, 7));
		else
			copy[kept = rng_below(&rng, length)] = '\0';
		/* Hexadecimal digits of the checksum may change their case and stay the same number. */
		if (strcasecmp(copy, line) != 0)
			assert_false(study_row_read(copy, kept, &row));
		free(copy);
	}
	free(line);
	study_row_release(&row);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_row_comes_back_as_it_was),
	    cmocka_unit_test(one_wrong_bit_or_a_lost_end_makes_it_no_row),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
