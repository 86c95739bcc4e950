/* What one row cuts can be read whole: the explanation of an event, and the setup. */
#include "desk.h"

#include "faultline/story.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\"}, \"processes\": [{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24, \"note\": \"%s\"},"
    "{\"op\": \"write\", \"at\": \"p\", \"value\": 7},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}},"
    "{\"op\": \"expect\", \"that\": \"signal\", \"equals\": \"SIGSEGV\"}]}]}";

enum { NOTE_WORDS = 120, TEXT = 8192 };

/* 120 words that are all different, so that none can be missed. */
static struct desk *begin(char *note, unsigned columns, unsigned rows)
{
	char text[TEXT];
	note[0] = '\0';
	for (unsigned i = 0; i < NOTE_WORDS; i++)
		(void)snprintf(note + strlen(note), 32, "%sword%u", i ? " " : "", i);
	(void)snprintf(text, sizeof(text), script, note);
	return desk_begin(text, columns, rows);
}

/* The words inside the box of the sheet, page after page, behind each other. */
static void read_pages(struct desk *desk, const char *key, char *out)
{
	out[0] = '\0';
	for (unsigned page = 0; page < 100; page++) {
		desk_press(desk, key);
		if (!desk->console.scene.sheet)
			return;
		(void)desk_look(desk);
		bool inside = false;
		for (char *row = strtok(desk->screen, "\n"); row; row = strtok(NULL, "\n")) {
			bool edge = strncmp(row, "+-", 2) == 0;
			if (edge && inside)
				break;
			if (!edge && inside) {
				row[strlen(row) - 1] = '\0';
				row[0] = ' ';
				(void)snprintf(out + strlen(out), TEXT - strlen(out), "%s", row);
			}
			inside = inside || (edge && strstr(row, "Esc leaves"));
		}
		assert_true(inside);
	}
	fail_msg("%s does not end", key);
}

/* Both without the blanks that wrapping adds and takes. */
static void assert_reads(const char *text, const char *expected)
{
	char words[TEXT] = " ";
	char wanted[TEXT] = " ";
	char copy[TEXT];
	(void)snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok(copy, " \n"); word; word = strtok(NULL, " \n"))
		(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s ", word);
	(void)snprintf(copy, sizeof(copy), "%s", expected);
	for (char *word = strtok(copy, " \n"); word; word = strtok(NULL, " \n"))
		(void)snprintf(wanted + strlen(wanted), sizeof(wanted) - strlen(wanted), "%s ", word);
	if (!strstr(words, wanted))
		fail_msg("\"%s\" is not in \"%s\"", wanted, words);
}

static void every_event_is_explained_whole_at_every_size(void **state)
{
	(void)state;
	static const unsigned sizes[][2] = {{60, 16}, {80, 24}, {160, 50}};
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char note[TEXT];
		char text[TEXT];
		char sentence[1024];
		unsigned notes = 0;
		struct desk *desk = begin(note, sizes[i][0], sizes[i][1]);
		struct scene *scene = &desk->console.scene;
		for (uint64_t at = 1; at <= travel_known(desk->console.travel); at++) {
			desk_go(desk, at);
			read_pages(desk, "e", text);
			if (scene->event->kind == EVENT_NOTE) {
				assert_reads(text, note);
				notes++;
				continue;
			}
			story_sentence_by(travel_fields(desk->console.travel), scene->event, sentence,
					  sizeof(sentence));
			assert_reads(text, scene->why);
			assert_reads(text, sentence);
		}
		assert_int_equal(notes, 1);
		desk_end(desk);
	}
}

static void the_setup_is_told_whole(void **state)
{
	(void)state;
	char note[TEXT];
	char text[TEXT];
	struct desk *desk = begin(note, 60, 16);
	read_pages(desk, "F2", text);
	assert_reads(text, ":theme VALUE changes it: default, safe or mono");
	assert_reads(text, ":mouse VALUE changes it: yes or no");
	assert_reads(text, ":save keeps it");
	desk_end(desk);
}

static void esc_closes_it_and_a_step_steps(void **state)
{
	(void)state;
	char note[TEXT];
	struct desk *desk = begin(note, 80, 24);
	uint64_t position = desk->console.scene.position;
	desk_press(desk, "e");
	assert_non_null(desk->console.scene.sheet);
	desk_press(desk, "Esc");
	assert_null(desk->console.scene.sheet);
	assert_int_equal(desk->console.scene.position, position);
	desk_press(desk, "e");
	desk_press(desk, "s");
	assert_null(desk->console.scene.sheet);
	assert_int_equal(desk->console.scene.position, position + 1);
	desk_end(desk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_event_is_explained_whole_at_every_size),
	    cmocka_unit_test(the_setup_is_told_whole),
	    cmocka_unit_test(esc_closes_it_and_a_step_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
