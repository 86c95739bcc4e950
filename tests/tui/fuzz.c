/* Keys and sizes at random, against everything that must always hold: no crash, nothing that hangs, no address cut, and
 * what is drawn twice is drawn the same.
 *
 * usage: tui_fuzz [--seconds N] [--keys N] [--seed N] FILE...
 * Prints "N keys, seed S: clean" or the keys that led to the trouble. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console.h"
#include "faultline/rng.h"
#include "keyfile.h"

enum { LAST_KEYS = 40 };

static const char *const keys[] = {
    "s",      "S",        "n",    "N",   "f",         "F", "c",   "C",      "Space", "-",       "+",    "R",    "g",
    "m",      "'",        "b",    "B",   "w",         "/", "]",   "[",      "Tab",   "BackTab", "z",    "e",    "a",
    "p",      "P",        "x",    ":",   "F2",        "?", "Esc", "Ctrl-C", "Enter", "Up",      "Down", "Left", "Right",
    "PageUp", "PageDown", "Home", "End", "Backspace", "0", "1",   "2",      "3",     "4",       "5",    "6",    "7",
    "8",      "9",        "é",    "%",   "s",         "s", "S",   "n",      "N",     "Enter",   "Esc"};

/* Typed as a whole, because letters at random seldom make a word. */
static const char *const lines[] = {"fault",
				    "fault if major",
				    "syscall brk",
				    "ring 3",
				    "line 2",
				    "page 0x55555555e000",
				    "frame 20",
				    "chunk 0x55555555e290",
				    "pte 0x55555555e000 P",
				    "#PF",
				    "100",
				    "50%",
				    "+7",
				    "-7",
				    "theme safe",
				    "glyphs ascii",
				    "glyphs unicode",
				    "speed 9",
				    "nonsense here",
				    "all",
				    "1",
				    "next",
				    "the",
				    "export screen /dev/null",
				    "export events /dev/null"};

struct fuzz {
	struct console console;
	struct rng rng;
	char last[LAST_KEYS][40];
	uint64_t pressed;
};

static void press(struct fuzz *fuzz, const char *key)
{
	(void)snprintf(fuzz->last[fuzz->pressed++ % LAST_KEYS], sizeof(fuzz->last[0]), "%s", key);
	console_key(&fuzz->console, key);
	console_settle(&fuzz->console);
	fuzz->console.quit = false;
}

static void type(struct fuzz *fuzz, const char *line)
{
	for (; *line; line++) {
		char key[2] = {*line, '\0'};
		press(fuzz, *line == ' ' ? "Space" : key);
	}
	press(fuzz, "Enter");
}

static void resize(struct fuzz *fuzz)
{
	static const unsigned usual[][2] = {{24, 80}, {36, 132}, {50, 160}, {16, 60}};
	unsigned rows = (unsigned)rng_below(&fuzz->rng, 70) + 1;
	unsigned columns = (unsigned)rng_below(&fuzz->rng, 220) + 1;
	uint64_t which = rng_below(&fuzz->rng, 8);
	if (which < 4) {
		rows = usual[which][0];
		columns = usual[which][1];
	}
	(void)snprintf(fuzz->last[fuzz->pressed++ % LAST_KEYS], sizeof(fuzz->last[0]), "@%ux%u", columns, rows);
	if (!console_resize(&fuzz->console, rows, columns))
		abort();
}

static void complain(const struct fuzz *fuzz, const char *what)
{
	printf("%s, after:", what);
	for (uint64_t i = fuzz->pressed > LAST_KEYS ? fuzz->pressed - LAST_KEYS : 0; i < fuzz->pressed; i++)
		printf(" %s", fuzz->last[i % LAST_KEYS]);
	printf("\n");
}

/* Draws twice; an address that is cut matters from 80x24 on. */
static bool draws_well(struct fuzz *fuzz)
{
	struct canvas *canvas = &fuzz->console.canvas;
	size_t bytes = (size_t)canvas->rows * canvas->columns * sizeof(*canvas->cells);
	console_draw(&fuzz->console);
	void *first = malloc(bytes + 1);
	if (!first)
		abort();
	memcpy(first, canvas->cells, bytes);
	bool fits = canvas->refused == 0 || canvas->rows < 24 || canvas->columns < 80;
	console_draw(&fuzz->console);
	bool same = memcmp(first, canvas->cells, bytes) == 0;
	free(first);
	if (!fits)
		complain(fuzz, "an address did not fit");
	if (!same)
		complain(fuzz, "the same scene was drawn differently");
	return fits && same;
}

static void one(struct fuzz *fuzz)
{
	uint64_t what = rng_below(&fuzz->rng, 20);
	if (what == 0)
		resize(fuzz);
	else if (fuzz->console.prompt != PROMPT_NONE && what < 14)
		type(fuzz, lines[rng_below(&fuzz->rng, sizeof(lines) / sizeof(*lines))]);
	else
		press(fuzz, keys[rng_below(&fuzz->rng, sizeof(keys) / sizeof(*keys))]);
}

static bool fuzz_file(const char *path, uint64_t seed, uint64_t most, time_t until, uint64_t *count)
{
	struct fuzz fuzz = {.rng = rng_seeded(seed)};
	struct document *document;
	struct error error;
	const struct tui_options options = {.rows = 24, .columns = 80};
	if (document_load(path, &document, &error) != STATUS_OK ||
	    console_open(&fuzz.console, document, &options, &error) != STATUS_OK) {
		printf("%s: %s\n", path, error.text);
		return false;
	}
	if (rng_below(&fuzz.rng, 2))
		(void)travel_explore(fuzz.console.travel);
	scene_refresh(&fuzz.console.scene);
	bool good = true;
	for (uint64_t i = 0; good && i < most && time(NULL) < until; i++) {
		one(&fuzz);
		good = draws_well(&fuzz);
	}
	*count += fuzz.pressed;
	if (!good)
		printf("%s, seed %" PRIu64 "\n", path, seed);
	console_close(&fuzz.console);
	document_free(document);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t seconds = 10, most = 400, seed = 1, count = 0, first;
	int files = 1;
	while (files + 1 < argc && strncmp(argv[files], "--", 2) == 0) {
		uint64_t value = strtoull(argv[files + 1], NULL, 10);
		if (strcmp(argv[files], "--seconds") == 0)
			seconds = value;
		else if (strcmp(argv[files], "--keys") == 0)
			most = value;
		else if (strcmp(argv[files], "--seed") == 0)
			seed = value;
		files += 2;
	}
	if (files >= argc) {
		(void)fprintf(stderr, "usage: tui_fuzz [--seconds N] [--keys N] [--seed N] FILE...\n");
		return 2;
	}
	time_t until = time(NULL) + (time_t)seconds;
	bool good = true;
	for (first = seed; good && time(NULL) < until; seed++)
		good = fuzz_file(argv[files + (int)(seed % (uint64_t)(argc - files))], seed, most, until, &count);
	printf("%" PRIu64 " keys, seeds %" PRIu64 " to %" PRIu64 ": %s\n", count, first, seed - 1,
	       good ? "clean" : "NOT clean");
	return good ? 0 : 1;
}
