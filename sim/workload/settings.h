/* One row per setting: where its value lives and what it may be. */
#ifndef FAULTLINE_WORKLOAD_SETTINGS_H
#define FAULTLINE_WORKLOAD_SETTINGS_H

#include "loader.h"

enum { SETTINGS_MOST = 64 };

enum setting_type { SETTING_SIZE, SETTING_NUMBER, SETTING_ADJUSTMENT, SETTING_ADDRESS, SETTING_CHOICE };

/* Of a SETTING_ADJUSTMENT, either way. */
enum { SETTING_MOST_ADJUSTMENT = 1000 };

struct setting {
	enum setting_scope scope;
	const char *name;
	enum setting_type type;
	size_t field; /* in the struct of the scope */
	/* Of a choice: the words in order, NULL behind the last; and how it is stored, unless as an enum in the field.
	 */
	const char *(*choice_name)(unsigned index);
	void (*set_choice)(void *base, unsigned index);
	unsigned (*get_choice)(const void *base);
	const char *text;
};

const struct setting *setting_at(unsigned index); /* NULL behind the last */
const char *setting_scope_name(enum setting_scope scope);

#endif
