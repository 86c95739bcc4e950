#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/tui.h"
#include "utf8.h"

static const struct action_info infos[ACTION_COUNT] = {
#define X(id, command, keys, bar, text) {command, keys, bar, text},
    ACTION_LIST(X)
#undef X
};

const struct action_info *action_info(enum action action)
{
	return &infos[action];
}

/* Whether the word is one of those in the list. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = list; *at;) {
		size_t next = strcspn(at, " ");
		if (next == length && strncmp(at, word, length) == 0)
			return true;
		at += next + (at[next] == ' ');
	}
	return false;
}

bool action_of_key(const char *key, enum action *out)
{
	for (unsigned i = 0; i < ACTION_COUNT && key[0]; i++) {
		if (has_word(infos[i].keys, key)) {
			*out = (enum action)i;
			return true;
		}
	}
	return false;
}

bool action_of_command(const char *command, enum action *out)
{
	for (unsigned i = 0; i < ACTION_COUNT; i++) {
		if (strcmp(infos[i].command, command) == 0) {
			*out = (enum action)i;
			return true;
		}
	}
	return false;
}

struct key_name action_key(enum action action)
{
	struct key_name name;
	const char *keys = infos[action].keys;
	(void)snprintf(name.text, sizeof(name.text), "%.*s", (int)strcspn(keys, " "), keys);
	return name;
}

bool key_is_known(const char *key)
{
	static const char named[] =
	    "Space Enter Esc Tab BackTab Up Down Left Right PageUp PageDown Home End Backspace Delete "
	    "Ctrl-C F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12";
	return utf8_length(key) == 1 || has_word(named, key);
}

const struct tui_key *tui_key(unsigned index)
{
	static const struct tui_key keys[ACTION_COUNT] = {
#define X(id, command, keys, bar, text) {command, keys, text},
	    ACTION_LIST(X)
#undef X
	};
	return index < ACTION_COUNT ? &keys[index] : NULL;
}
