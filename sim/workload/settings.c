/* Settings of the machine, the kernel and a process, as one table: read from the document, overridden by
 * document_set, listed by document_settings, described by the schema. */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document_private.h"
#include "faultline/digest.h"
#include "faultline/heap.h"
#include "faultline/profile.h"
#include "value.h"

static const char *const scope_names[SETTING_SCOPE_COUNT] = {"machine", "kernel", "process"};

const char *setting_scope_name(enum setting_scope scope)
{
	return scope_names[scope];
}

unsigned setting_names(enum setting_scope scope, const char **names)
{
	unsigned count = 0;
	for (unsigned i = 0; setting_at(i); i++) {
		if (setting_at(i)->scope == scope)
			names[count++] = setting_at(i)->name;
	}
	return count;
}

static const struct setting *find_setting(enum setting_scope scope, const char *name)
{
	for (unsigned i = 0; setting_at(i); i++) {
		if (setting_at(i)->scope == scope && strcmp(setting_at(i)->name, name) == 0)
			return setting_at(i);
	}
	return NULL;
}

/* A choice without functions of its own is an enum, by its value. */
static void set_choice(const struct setting *setting, void *base, unsigned index)
{
	if (setting->set_choice)
		setting->set_choice(base, index);
	else
		memcpy((char *)base + setting->field, &index, sizeof(index));
}

static unsigned get_choice(const struct setting *setting, const void *base)
{
	unsigned index = 0;
	if (setting->get_choice)
		return setting->get_choice(base);
	memcpy(&index, (const char *)base + setting->field, sizeof(index));
	return index;
}

static bool set_by_name(const struct setting *setting, void *base, const char *text, struct why *why)
{
	enum { MOST = 64 };
	const char *names[MOST];
	unsigned count = 0;
	for (; count < MOST && setting->choice_name(count); count++) {
		names[count] = setting->choice_name(count);
		if (strcmp(names[count], text) == 0) {
			set_choice(setting, base, count);
			return true;
		}
	}
	if (count == 0)
		return why_set(why, "there is no %s to choose from", setting->name);
	why_set(why, "\"%s\" is no %s; did you mean \"%s\"? Allowed: ", quoted(text).text, setting->name,
		names[nearest_name(text, names, count)]);
	for (unsigned i = 0; i < count; i++)
		why_add(why, "%s%s", i ? ", " : "", names[i]);
	return false;
}

static bool set_adjustment(const struct setting *setting, void *base, int64_t value, bool is_number, struct why *why)
{
	if (!is_number || value < -SETTING_MOST_ADJUSTMENT || value > SETTING_MOST_ADJUSTMENT)
		return why_set(why, "%s is a whole number from %d to %d", setting->name, -SETTING_MOST_ADJUSTMENT,
			       SETTING_MOST_ADJUSTMENT);
	memcpy((char *)base + setting->field, &value, sizeof(value));
	return true;
}

static bool set_text(const struct setting *setting, void *base, const char *text, struct why *why)
{
	char *end;
	int64_t adjustment;
	uint64_t *field = (uint64_t *)(void *)((char *)base + setting->field);
	switch (setting->type) {
	case SETTING_SIZE:
		return value_size(text, strlen(text), field, why);
	case SETTING_NUMBER:
		if (value_digits(text, strlen(text), field))
			return true;
		return why_set(why, "\"%s\" is no %s; expected a whole number from 0 up", quoted(text).text,
			       setting->name);
	case SETTING_ADJUSTMENT:
		adjustment = strtoll(text, &end, 10);
		return set_adjustment(setting, base, adjustment, end != text && *end == '\0', why);
	case SETTING_ADDRESS:
		return value_hex(text, strlen(text), field, why);
	case SETTING_CHOICE:
		return set_by_name(setting, base, text, why);
	}
	BUG();
}

bool loader_setting(struct loader *loader, const cJSON *node, enum setting_scope scope, const char *name, void *base)
{
	struct why why;
	const struct setting *setting = find_setting(scope, name);
	BUG_ON(!setting);
	bool signs = setting->type == SETTING_ADJUSTMENT, counts = signs || setting->type == SETTING_NUMBER;
	if (cJSON_IsNumber(node) && (setting->type == SETTING_SIZE || counts)) {
		int64_t number = 0;
		size_t length = 0;
		const char *literal = json_source_number(&loader->source, node, &length);
		if (!value_whole(literal, length, &number, &why))
			return loader_fail(loader, node, LOADER_VALUE, "%s", why.text);
		if (signs)
			return set_adjustment(setting, base, number, true, &why) ||
			       loader_fail(loader, node, LOADER_VALUE, "%s", why.text);
		if (number < 0)
			return loader_fail(loader, node, LOADER_VALUE, "\"%s\" cannot be negative; allowed is %s", name,
					   op_type_text(OP_TYPE_SIZE));
		*(uint64_t *)(void *)((char *)base + setting->field) = (uint64_t)number;
		return true;
	}
	if (counts)
		return loader_fail(loader, node, LOADER_VALUE, "\"%s\" cannot be %s; expected a whole number%s", name,
				   loader_found(loader, node).text, signs ? "" : " from 0 up");
	if (!cJSON_IsString(node))
		return loader_fail(loader, node, LOADER_VALUE, "\"%s\" cannot be %s; expected a text%s", name,
				   loader_found(loader, node).text,
				   setting->type == SETTING_SIZE ? " such as \"64MiB\" or a number of bytes" : "");
	return set_text(setting, base, node->valuestring, &why) ||
	       loader_fail(loader, node, LOADER_VALUE, "%s", why.text);
}

void settings_default(struct document *document)
{
	document->machine = (struct document_machine){
	    .memory_bytes = 64 * MIB, .cpus = 1, .profile = cpu_profile_at(0), .paging = PAGING_4LEVEL};
	document->kernel = (struct kernel_config)KERNEL_CONFIG_DEFAULT;
#ifndef NDEBUG
	document->kernel.junk_freed_frames = true;
#endif
}

/* ---- document_set ---- */

static enum status bad_setting(struct error *error, const char *assignment, const char *why)
{
	return error_set(error, STATUS_BAD_INPUT, "--set %s: %s", quoted(assignment).text, why);
}

static enum status unknown_setting(struct error *error, const char *assignment, enum setting_scope scope,
				   const char *key)
{
	const char *names[SETTINGS_MOST];
	unsigned count = setting_names(scope, names);
	struct why why;
	why_set(&why, "a %s has no setting \"%s\"; did you mean \"%s\"? Known: ", scope_names[scope], quoted(key).text,
		names[nearest_name(key, names, count)]);
	for (unsigned i = 0; i < count; i++)
		why_add(&why, "%s%s", i ? ", " : "", names[i]);
	return bad_setting(error, assignment, why.text);
}

/* What comes before the last dot: machine, kernel, processes.NAME, or nothing (all processes). */
struct setting_target {
	enum setting_scope scope;
	const char *process; /* NULL: all */
	const char *key;
};

static bool parse_target(char *path, struct setting_target *target)
{
	char *dot = strrchr(path, '.');
	*target = (struct setting_target){SETTING_PROCESS, NULL, dot ? dot + 1 : path};
	if (!dot)
		return true;
	*dot = '\0';
	if (strcmp(path, "machine") == 0)
		target->scope = SETTING_MACHINE;
	else if (strcmp(path, "kernel") == 0)
		target->scope = SETTING_KERNEL;
	else if (strncmp(path, "processes.", 10) == 0)
		target->process = path + 10;
	else
		return false;
	return true;
}

static bool apply_text(const struct setting *setting, void *base, const char *text, struct why *why)
{
	uint64_t *field = (uint64_t *)(void *)((char *)base + setting->field);
	if (setting->type == SETTING_SIZE && value_digits(text, strlen(text), field))
		return true;
	return set_text(setting, base, text, why);
}

static enum status apply_to_processes(struct document *document, const struct setting_target *target,
				      const struct setting *setting, const char *assignment, const char *text,
				      struct error *error)
{
	struct why why;
	bool found = false;
	for (unsigned i = 0; i < document->process_count; i++) {
		struct document_process *process = &document->processes[i];
		if (target->process && strcmp(process->name, target->process) != 0)
			continue;
		found = true;
		if (!apply_text(setting, process, text, &why))
			return bad_setting(error, assignment, why.text);
	}
	if (found || !target->process)
		return STATUS_OK;
	const char *names[DOCUMENT_MAX_PROCESSES];
	for (unsigned i = 0; i < document->process_count; i++)
		names[i] = document->processes[i].name;
	why_set(&why, "the document has no process \"%s\"; did you mean \"%s\"?", quoted(target->process).text,
		names[nearest_name(target->process, names, document->process_count)]);
	return bad_setting(error, assignment, why.text);
}

enum status document_set(struct document *document, const char *assignment, struct error *error)
{
	enum { LONGEST = 256 };
	char path[LONGEST];
	struct why why;
	struct setting_target target;
	const char *equals = strchr(assignment, '=');
	if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(path))
		return bad_setting(error, assignment, "expected KEY=VALUE, as in machine.memory=64MiB");
	memcpy(path, assignment, (size_t)(equals - assignment));
	path[equals - assignment] = '\0';
	if (!parse_target(path, &target))
		return bad_setting(error, assignment,
				   "settings are called machine.KEY, kernel.KEY, processes.NAME.KEY, or KEY for all "
				   "processes");
	const struct setting *setting = find_setting(target.scope, target.key);
	if (!setting)
		return unknown_setting(error, assignment, target.scope, target.key);
	enum status status = STATUS_OK;
	void *base = target.scope == SETTING_MACHINE ? (void *)&document->machine : (void *)&document->kernel;
	if (target.scope == SETTING_PROCESS)
		status = apply_to_processes(document, &target, setting, assignment, equals + 1, error);
	else if (!apply_text(setting, base, equals + 1, &why))
		status = bad_setting(error, assignment, why.text);
	if (status == STATUS_OK)
		document->digest = digest_bytes(document->digest, assignment, strlen(assignment) + 1);
	return status;
}

/* ---- document_settings ---- */

static void visit_setting(const struct setting *setting, const char *prefix, const void *base,
			  document_setting_fn *visit, void *self)
{
	char key[128];
	struct value_text value;
	uint64_t number = 0;
	if (setting->type != SETTING_CHOICE)
		memcpy(&number, (const char *)base + setting->field, sizeof(number));
	(void)snprintf(key, sizeof(key), "%s%s", prefix, setting->name);
	if (setting->type == SETTING_CHOICE)
		(void)snprintf(value.text, sizeof(value.text), "%s", setting->choice_name(get_choice(setting, base)));
	else if (setting->type == SETTING_ADDRESS)
		(void)snprintf(value.text, sizeof(value.text), "0x%" PRIx64, number);
	else if (setting->type == SETTING_NUMBER)
		(void)snprintf(value.text, sizeof(value.text), "%" PRIu64, number);
	else if (setting->type == SETTING_ADJUSTMENT)
		(void)snprintf(value.text, sizeof(value.text), "%" PRId64, (int64_t)number);
	else
		value = value_size_text(number);
	visit(self, key, value.text, setting->text);
}

void document_settings(const struct document *document, document_setting_fn *visit, void *self)
{
	for (unsigned i = 0; setting_at(i); i++) {
		if (setting_at(i)->scope == SETTING_MACHINE)
			visit_setting(setting_at(i), "machine.", &document->machine, visit, self);
		else if (setting_at(i)->scope == SETTING_KERNEL)
			visit_setting(setting_at(i), "kernel.", &document->kernel, visit, self);
	}
	for (unsigned p = 0; p < document->process_count; p++) {
		char prefix[96];
		(void)snprintf(prefix, sizeof(prefix), "processes.%s.", document->processes[p].name);
		for (unsigned i = 0; setting_at(i); i++) {
			if (setting_at(i)->scope == SETTING_PROCESS)
				visit_setting(setting_at(i), prefix, &document->processes[p], visit, self);
		}
	}
}
