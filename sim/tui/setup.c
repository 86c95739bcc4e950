#include "setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "faultline/output.h"

enum { PATH_BYTES = 1024, MOST_SPEED = 1000 };

static const char *const glyph_names[] = {"auto", "ascii", "unicode"};

static bool set_glyphs(struct setup *setup, const char *value)
{
	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(glyph_names[i], value) == 0) {
			setup->glyphs = i == 0 ? SETUP_GLYPHS_AUTO : i == 1 ? SETUP_GLYPHS_ASCII : SETUP_GLYPHS_UNICODE;
			return true;
		}
	}
	return false;
}

static bool set_speed(struct setup *setup, const char *value)
{
	char *end;
	unsigned long speed = strtoul(value, &end, 10);
	if (end == value || *end || value[0] == '-' || speed < 1 || speed > MOST_SPEED)
		return false;
	setup->speed = (unsigned)speed;
	return true;
}

static bool set_mouse(struct setup *setup, const char *value)
{
	setup->mouse = strcmp(value, "yes") == 0;
	return setup->mouse || strcmp(value, "no") == 0;
}

static bool set_theme(struct setup *setup, const char *value)
{
	return theme_find(value, &setup->theme);
}

static const struct {
	const char *name, *values;
	bool (*set)(struct setup *setup, const char *value);
} rows[] = {
#define X(name, values, text) {#name, values, set_##name},
    SETUP_LIST(X)
#undef X
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

enum status setup_set(struct setup *setup, const char *name, const char *value, struct error *error)
{
	struct setup changed = *setup;
	for (unsigned i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, name) != 0)
			continue;
		if (!rows[i].set(&changed, value))
			return error_set(error, STATUS_BAD_INPUT, "%s is \"%s\"; allowed is %s", name, value,
					 rows[i].values);
		*setup = changed;
		return STATUS_OK;
	}
	return error_set(error, STATUS_BAD_INPUT, "there is no setting \"%s\"; there are theme, glyphs, speed, mouse",
			 name);
}

enum glyph_set setup_glyphs(const struct setup *setup, enum glyph_set automatic)
{
	switch (setup->glyphs) {
	case SETUP_GLYPHS_ASCII:
		return GLYPHS_ASCII;
	case SETUP_GLYPHS_UNICODE:
		return GLYPHS_UTF8;
	case SETUP_GLYPHS_AUTO:
	default:
		return automatic;
	}
}

/* ---- the file ---- */

/* False: the environment names no place for it. */
static bool file_path(char *out, size_t room, bool folder)
{
	const char *base = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	const char *file = folder ? "" : "/tui";
	int length = -1;
	if (base && base[0] == '/')
		length = snprintf(out, room, "%s/faultline%s", base, file);
	else if (home && home[0] == '/')
		length = snprintf(out, room, "%s/.config/faultline%s", home, file);
	return length > 0 && (size_t)length < room;
}

static char *trim(char *text)
{
	text += strspn(text, " \t");
	size_t length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		length--;
	text[length] = '\0';
	return text;
}

static enum status read_line(struct setup *setup, char *line, struct error *error)
{
	line[strcspn(line, "#")] = '\0';
	char *name = trim(line);
	char *equals = strchr(name, '=');
	if (!name[0])
		return STATUS_OK;
	if (!equals)
		return error_set(error, STATUS_BAD_INPUT, "\"%s\" is no \"NAME = VALUE\"", name);
	*equals = '\0';
	return setup_set(setup, trim(name), trim(equals + 1), error);
}

enum status setup_read(struct setup *setup, struct error *error)
{
	char path[PATH_BYTES];
	char line[256];
	if (!file_path(path, sizeof(path), false))
		return STATUS_OK;
	FILE *file = fopen(path, "r");
	if (!file)
		return STATUS_OK;
	enum status status = STATUS_OK;
	for (unsigned number = 1; status == STATUS_OK && fgets(line, sizeof(line), file); number++) {
		struct error why = {0};
		status = read_line(setup, line, &why);
		if (status != STATUS_OK)
			(void)error_set(error, status, "%s:%u: %.200s", path, number, why.text);
	}
	if (status == STATUS_OK && ferror(file))
		status = error_set(error, STATUS_HOST, "%s: cannot be read", path);
	(void)fclose(file);
	return status;
}

/* The folder of the file and the one around it. */
static void make_folder(char *path)
{
	char *last = strrchr(path, '/');
	*last = '\0';
	(void)mkdir(path, 0777);
	*last = '/';
	(void)mkdir(path, 0777);
}

enum status setup_write(const struct setup *setup, char *path, size_t room, struct error *error)
{
	struct output output;
	char folder[PATH_BYTES];
	if (!file_path(path, room, false) || !file_path(folder, sizeof(folder), true))
		return error_set(error, STATUS_HOST, "neither XDG_CONFIG_HOME nor HOME says where the setup is kept");
	make_folder(folder);
	if (output_open(&output, path, error) != STATUS_OK)
		return error->status;
	(void)fprintf(output.file, "theme = %s\nglyphs = %s\nspeed = %u\nmouse = %s\n", theme_name(setup->theme),
		      glyph_names[setup->glyphs], setup->speed, setup->mouse ? "yes" : "no");
	return output_commit(&output, error);
}

void setup_tell(const struct setup *setup, char *out, size_t room)
{
	static const char *const texts[] = {
#define X(name, values, text) text,
	    SETUP_LIST(X)
#undef X
	};
	char speed[16];
	(void)snprintf(speed, sizeof(speed), "%u", setup->speed);
	const char *const values[ROWS] = {theme_name(setup->theme), glyph_names[setup->glyphs], speed,
					  setup->mouse ? "yes" : "no"};
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < ROWS && used < room; i++)
		used += (size_t)snprintf(out + used, room - used, "%s %s: %s\n    :%s VALUE changes it: %s\n",
					 rows[i].name, values[i], texts[i], rows[i].name, rows[i].values);
	if (used < room)
		(void)snprintf(out + used, room - used, ":save keeps it");
}
