#include "format.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "words.h"

/* "text, json and csv" */
static void list_formats(char *room, size_t bytes)
{
	size_t used = 0;
	for (unsigned i = 0; i < REPORT_FORMAT_COUNT && used < bytes; i++)
		used += (size_t)snprintf(room + used, bytes - used, "%s%s",
					 i == 0                         ? ""
					 : i + 1 == REPORT_FORMAT_COUNT ? " and "
									: ", ",
					 report_format_name((enum report_format)i));
}

enum status take_format(const char *option, const char *value, enum report_format *out, struct error *error)
{
	const char *names[REPORT_FORMAT_COUNT];
	char all[128];
	if (report_format_find(value, out))
		return STATUS_OK;
	for (unsigned i = 0; i < REPORT_FORMAT_COUNT; i++)
		names[i] = report_format_name((enum report_format)i);
	const char *nearest = nearest_word(value, names, REPORT_FORMAT_COUNT);
	list_formats(all, sizeof(all));
	return error_set(error, STATUS_BAD_INPUT, "%s %s: there is no such format%s%s%s; the formats are %s", option,
			 value, nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "", all);
}

bool wants_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");
	bool refused = (no_color && no_color[0]) || !terminal || strcmp(terminal, "dumb") == 0;
	return !refused && isatty(fileno(out));
}
