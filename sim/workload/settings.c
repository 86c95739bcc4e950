/* Settings of the machine, the kernel and a process, as one table: read from the document, overridden by
 * document_set, listed by document_settings, described by the schema. */
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "document_private.h"
#include "faultline/heap.h"
#include "faultline/profile.h"
#include "value.h"

static const char *profile_name(unsigned index)
{
	const struct cpu_profile *profile = cpu_profile_at(index);
	return profile ? profile->name : NULL;
}

static void set_profile(void *base, unsigned index)
{
	((struct document_machine *)base)->profile = cpu_profile_at(index);
}

static unsigned get_profile(const void *base)
{
	unsigned index = 0;
	while (cpu_profile_at(index) != ((const struct document_machine *)base)->profile)
		index++;
	return index;
}

/* The default first. */
static const enum paging_mode paging_choices[] = {PAGING_4LEVEL, PAGING_5LEVEL, PAGING_PAE, PAGING_32BIT};

static const char *paging_name(unsigned index)
{
	return index < sizeof(paging_choices) / sizeof(*paging_choices) ? paging_mode_info(paging_choices[index])->name
									: NULL;
}

static void set_paging(void *base, unsigned index)
{
	((struct document_machine *)base)->paging = paging_choices[index];
}

static unsigned get_paging(const void *base)
{
	unsigned index = 0;
	while (paging_choices[index] != ((const struct document_machine *)base)->paging)
		index++;
	return index;
}

static const char *replacement_name(unsigned index)
{
	return index < TLB_REPLACEMENT_COUNT ? tlb_replacement_name((enum tlb_replacement)index) : NULL;
}

static void set_replacement(void *base, unsigned index)
{
	((struct document_machine *)base)->tlb_replacement = (enum tlb_replacement)index;
}

static unsigned get_replacement(const void *base)
{
	return (unsigned)((const struct document_machine *)base)->tlb_replacement;
}

static const char *overcommit_word(unsigned index)
{
	static const char *const words[OVERCOMMIT_COUNT] = {
#define X(id, name, text) [OVERCOMMIT_##id] = #name,
	    OVERCOMMIT_LIST(X)
#undef X
	};
	return index < OVERCOMMIT_COUNT ? words[index] : NULL;
}

static void set_overcommit(void *base, unsigned index)
{
	((struct kernel_config *)base)->overcommit = (enum overcommit)index;
}

static unsigned get_overcommit(const void *base)
{
	return (unsigned)((const struct kernel_config *)base)->overcommit;
}

static const char *libc_name(unsigned index)
{
	return heap_registry[index] ? heap_registry[index]->name : NULL;
}

static void set_libc(void *base, unsigned index)
{
	((struct document_process *)base)->libc = heap_registry[index];
}

static unsigned get_libc(const void *base)
{
	unsigned index = 0;
	while (heap_registry[index] != ((const struct document_process *)base)->libc)
		index++;
	return index;
}

#define PROCESS_SIZE(key, member, about)                                                                               \
	{                                                                                                              \
		.scope = SETTING_PROCESS, .name = (key), .type = SETTING_SIZE,                                         \
		.field = offsetof(struct document_process, spec.member), .text = (about)                               \
	}

#define KERNEL_NUMBER(key, kind, member, about)                                                                        \
	{                                                                                                              \
		.scope = SETTING_KERNEL, .name = (key), .type = (kind),                                                \
		.field = offsetof(struct kernel_config, member), .text = (about)                                       \
	}

static const struct setting settings[] = {
    {.scope = SETTING_MACHINE,
     .name = "memory",
     .type = SETTING_SIZE,
     .field = offsetof(struct document_machine, memory_bytes),
     .text = "RAM; a multiple of 4 KiB"},
    {.scope = SETTING_MACHINE,
     .name = "cpu",
     .type = SETTING_CHOICE,
     .choice_name = profile_name,
     .set_choice = set_profile,
     .get_choice = get_profile,
     .text = "processor profile: TLBs, caches of the walk, latencies"},
    {.scope = SETTING_MACHINE,
     .name = "cpus",
     .type = SETTING_NUMBER,
     .field = offsetof(struct document_machine, cpus),
     .text = "processors, 1 to 64; a process runs on CPU (its index mod cpus), its thread n on the n-th after it"},
    {.scope = SETTING_MACHINE,
     .name = "paging",
     .type = SETTING_CHOICE,
     .choice_name = paging_name,
     .set_choice = set_paging,
     .get_choice = get_paging,
     .text = "paging mode"},
    {.scope = SETTING_MACHINE,
     .name = "tlb_replacement",
     .type = SETTING_CHOICE,
     .choice_name = replacement_name,
     .set_choice = set_replacement,
     .get_choice = get_replacement,
     .text = "which entry of a full set of a TLB makes way"},
    {.scope = SETTING_KERNEL,
     .name = "overcommit",
     .type = SETTING_CHOICE,
     .choice_name = overcommit_word,
     .set_choice = set_overcommit,
     .get_choice = get_overcommit,
     .text = "vm.overcommit_memory: which promises of memory are refused"},
    KERNEL_NUMBER("overcommit_ratio", SETTING_NUMBER, overcommit_ratio,
		  "vm.overcommit_ratio, for never: percent of RAM"),
    KERNEL_NUMBER("max_map_count", SETTING_NUMBER, max_map_count, "vm.max_map_count: most VMAs of a process"),
    KERNEL_NUMBER("fault_around", SETTING_SIZE, fault_around_bytes,
		  "fault_around_bytes: pages of a file mapped by one fault"),
    {.scope = SETTING_PROCESS,
     .name = "libc",
     .type = SETTING_CHOICE,
     .choice_name = libc_name,
     .set_choice = set_libc,
     .get_choice = get_libc,
     .text = "the allocator behind malloc"},
    {.scope = SETTING_PROCESS,
     .name = "cores",
     .type = SETTING_SIZE,
     .field = offsetof(struct document_process, cores),
     .text = "what get_nprocs() says: glibc makes at most 8 arenas for each; 0: 1"},
    PROCESS_SIZE("text", text_bytes, "bytes of code; 0: 16 KiB"),
    PROCESS_SIZE("rodata", rodata_bytes, "bytes of constants; 0: 8 KiB"),
    PROCESS_SIZE("data", data_bytes, "bytes of initialised variables; 0: 8 KiB"),
    PROCESS_SIZE("bss", bss_bytes, "bytes of zero-initialised variables; 0: 8 KiB"),
    PROCESS_SIZE("stack_limit", stack_limit, "RLIMIT_STACK; 0: 8 MiB"),
    PROCESS_SIZE("memlock_limit", memlock_limit, "RLIMIT_MEMLOCK; 0: 8 MiB"),
    PROCESS_SIZE("as_limit", as_limit, "RLIMIT_AS; 0: none"),
    PROCESS_SIZE("data_limit", data_limit, "RLIMIT_DATA; 0: none"),
    {.scope = SETTING_PROCESS,
     .name = "aslr_seed",
     .type = SETTING_NUMBER,
     .field = offsetof(struct document_process, spec.aslr_seed),
     .text = "addresses are randomised from this seed; 0: they are not"},
    {.scope = SETTING_PROCESS,
     .name = "start_brk",
     .type = SETTING_ADDRESS,
     .field = offsetof(struct document_process, spec.start_brk),
     .text = "the first program break; 0x0: the page behind bss"},
    {.scope = SETTING_PROCESS,
     .name = "mmap_ceiling",
     .type = SETTING_ADDRESS,
     .field = offsetof(struct document_process, spec.mmap_ceiling),
     .text = "upper end of the area of mappings, what is above it is taken; 0x0: below the stack and its gap"},
};

enum { SETTINGS = sizeof(settings) / sizeof(*settings) };

static const char *const scope_names[SETTING_SCOPE_COUNT] = {"machine", "kernel", "process"};

const char *setting_scope_name(enum setting_scope scope)
{
	return scope_names[scope];
}

const struct setting *setting_at(unsigned index)
{
	return index < SETTINGS ? &settings[index] : NULL;
}

unsigned setting_names(enum setting_scope scope, const char **names)
{
	unsigned count = 0;
	for (unsigned i = 0; i < SETTINGS; i++) {
		if (settings[i].scope == scope)
			names[count++] = settings[i].name;
	}
	return count;
}

static const struct setting *find_setting(enum setting_scope scope, const char *name)
{
	for (unsigned i = 0; i < SETTINGS; i++) {
		if (settings[i].scope == scope && strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

static bool set_by_name(const struct setting *setting, void *base, const char *text, struct why *why)
{
	enum { MOST = 64 };
	const char *names[MOST];
	unsigned count = 0;
	for (; count < MOST && setting->choice_name(count); count++) {
		names[count] = setting->choice_name(count);
		if (strcmp(names[count], text) == 0) {
			setting->set_choice(base, count);
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

static bool set_text(const struct setting *setting, void *base, const char *text, struct why *why)
{
	uint64_t *field = (uint64_t *)(void *)((char *)base + setting->field);
	switch (setting->type) {
	case SETTING_SIZE:
		return value_size(text, strlen(text), field, why);
	case SETTING_NUMBER:
		if (value_digits(text, strlen(text), field))
			return true;
		return why_set(why, "\"%s\" is no %s; expected a whole number from 0 up", quoted(text).text,
			       setting->name);
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
	if (cJSON_IsNumber(node) && (setting->type == SETTING_SIZE || setting->type == SETTING_NUMBER)) {
		int64_t number = 0;
		size_t length = 0;
		const char *literal = json_source_number(&loader->source, node, &length);
		if (!value_whole(literal, length, &number, &why))
			return loader_fail(loader, node, LOADER_VALUE, "%s", why.text);
		if (number < 0)
			return loader_fail(loader, node, LOADER_VALUE, "\"%s\" cannot be negative; allowed is %s", name,
					   op_type_text(OP_TYPE_SIZE));
		*(uint64_t *)(void *)((char *)base + setting->field) = (uint64_t)number;
		return true;
	}
	if (setting->type == SETTING_NUMBER)
		return loader_fail(loader, node, LOADER_VALUE, "\"%s\" cannot be %s; expected a whole number from 0 up",
				   name, loader_found(loader, node).text);
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
	const char *names[SETTINGS];
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
		(void)snprintf(value.text, sizeof(value.text), "%s", setting->choice_name(setting->get_choice(base)));
	else if (setting->type == SETTING_ADDRESS)
		(void)snprintf(value.text, sizeof(value.text), "0x%" PRIx64, number);
	else if (setting->type == SETTING_NUMBER)
		(void)snprintf(value.text, sizeof(value.text), "%" PRIu64, number);
	else
		value = value_size_text(number);
	visit(self, key, value.text, setting->text);
}

void document_settings(const struct document *document, document_setting_fn *visit, void *self)
{
	for (unsigned i = 0; i < SETTINGS; i++) {
		if (settings[i].scope == SETTING_MACHINE)
			visit_setting(&settings[i], "machine.", &document->machine, visit, self);
		else if (settings[i].scope == SETTING_KERNEL)
			visit_setting(&settings[i], "kernel.", &document->kernel, visit, self);
	}
	for (unsigned p = 0; p < document->process_count; p++) {
		char prefix[96];
		(void)snprintf(prefix, sizeof(prefix), "processes.%s.", document->processes[p].name);
		for (unsigned i = 0; i < SETTINGS; i++) {
			if (settings[i].scope == SETTING_PROCESS)
				visit_setting(&settings[i], prefix, &document->processes[p], visit, self);
		}
	}
}
