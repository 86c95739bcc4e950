/* faultline list: what there is to choose from. Every table is an expansion of the list that the program itself uses.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "faultline/bus.h"
#include "faultline/document.h"
#include "faultline/heap.h"
#include "faultline/insn.h"
#include "faultline/kernel.h"
#include "faultline/op.h"
#include "faultline/policy.h"
#include "faultline/report.h"
#include "faultline/stat.h"
#include "lessons.h"
#include "list_profiles.h"
#include "words.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* ---- workloads ---- */

static void list_keys(struct report *report)
{
	static const struct report_column columns[] = {
	    {"keys", "keys"}, {"command", "command"}, {"text", "what it does"}};
	report_table_begin(report, "keys", "Keys of faultline tui", columns, COUNT_OF(columns));
	for (unsigned i = 0; tui_key(i); i++) {
		report_cell_text(report, tui_key(i)->keys);
		report_cell_text(report, tui_key(i)->command);
		report_cell_text(report, tui_key(i)->text);
	}
	report_table_end(report);
}

static void list_workloads(struct report *report)
{
	static const struct report_column columns[] = {{"file", "file"}, {"description", "what it shows"}};
	struct lessons lessons;
	lessons_find(&lessons);
	if (lessons.count == 0) {
		report_textf(report, "workloads", NULL, "No workloads here: %s", lessons_places());
	} else {
		report_table_begin(report, "workloads", "Workloads", columns, COUNT_OF(columns));
		for (unsigned i = 0; i < lessons.count; i++) {
			report_cell_text(report, lessons.list[i].path);
			report_cell_text(report, lessons.list[i].description);
		}
		report_table_end(report);
	}
	lessons_release(&lessons);
}

/* ---- the others ---- */

static void list_allocators(struct report *report)
{
	static const struct report_column columns[] = {
	    {"name", "name"}, {"summary", "what it is"}, {"source", "model of"}};
	report_table_begin(report, "allocators", "Allocators: libc=NAME", columns, COUNT_OF(columns));
	for (unsigned i = 0; heap_registry[i]; i++) {
		report_cell_text(report, heap_registry[i]->name);
		report_cell_text(report, heap_registry[i]->summary);
		report_cell_text(report, heap_registry[i]->source);
	}
	report_table_end(report);
}

static bool is_textbook_fit(const struct heap_ops *ops)
{
	size_t length = strlen(ops->name);
	return length > 4 && strcmp(ops->name + length - 4, "-fit") == 0;
}

static void policy_row(struct report *report, const char *decides, const char *setting, const char *name,
		       const char *text)
{
	report_cell_text(report, decides);
	report_cell_textf(report, "%s=%s", setting, name);
	report_cell_text(report, text);
}

static void list_replacement(struct report *report)
{
	static const struct report_column columns[] = {
	    {"name", "name"}, {"kind", "kind"}, {"text", "how"}, {"source", "described in"}};
	report_table_begin(report, "replacement", "Page replacement", columns, COUNT_OF(columns));
	for (unsigned i = 0; policy_registry[i]; i++) {
		report_cell_text(report, policy_registry[i]->name);
		report_cell_text(report, policy_kind_name(policy_registry[i]->kind));
		report_cell_text(report, policy_registry[i]->summary);
		report_cell_text(report, policy_registry[i]->source);
	}
	report_table_end(report);
}

static void list_policies(struct report *report)
{
	static const struct report_column columns[] = {
	    {"decides", "decides about"}, {"setting", "setting"}, {"text", "how"}};
	report_table_begin(report, "policies", "Policies", columns, COUNT_OF(columns));
	for (unsigned i = 0; heap_registry[i]; i++) {
		if (is_textbook_fit(heap_registry[i]))
			policy_row(report, "placement", "libc", heap_registry[i]->name, heap_registry[i]->summary);
	}
#define X(id, name, text) policy_row(report, "TLB replacement", "machine.tlb_replacement", name, text);
	TLB_REPLACEMENT_LIST(X)
#undef X
#define X(id, name, text) policy_row(report, "overcommit", "kernel.overcommit", #name, text);
	OVERCOMMIT_LIST(X)
#undef X
	report_table_end(report);
	list_replacement(report);
}

static void list_devices(struct report *report)
{
	static const struct report_column columns[] = {
	    {"name", "name"},           {"read_us", "read us"},       {"write_us", "write us"},
	    {"read_mb_s", "read MB/s"}, {"write_mb_s", "write MB/s"}, {"source", "source"}};
	report_table_begin(report, "devices", "Block devices: kernel.disk=NAME, kernel.swap_device=NAME", columns,
			   COUNT_OF(columns));
	for (unsigned i = 0; i < BLOCK_KIND_COUNT; i++) {
		const struct block_kind_info *info = block_kind_info((enum block_kind)i);
		report_cell_text(report, info->name);
		report_cell_number(report, info->read_us);
		report_cell_number(report, info->write_us);
		report_cell_number(report, info->read_rate);
		report_cell_number(report, info->write_rate);
		report_cell_text(report, info->source);
	}
	report_table_end(report);
}

static void key_names(enum op_kind kind, char *out, size_t room)
{
	unsigned count;
	const struct op_key *keys = op_keys(kind, &count);
	size_t used = 0;
	out[0] = '\0';
	for (unsigned i = 0; i < count && used < room; i++) {
		int length = snprintf(out + used, room - used, "%s%s%s%s", i ? " " : "", keys[i].required ? "" : "[",
				      keys[i].name, keys[i].required ? "" : "]");
		used += (size_t)length;
	}
}

static void list_ops(struct report *report)
{
	static const struct report_column columns[] = {
	    {"group", "group"}, {"op", "op"}, {"text", "what it does"}, {"keys", "keys ([may be left out])"}};
	report_table_begin(report, "ops", "Operations of a script", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < OP_KIND_COUNT; i++) {
		const struct op_info *info = op_info((enum op_kind)i);
		char keys[512];
		key_names((enum op_kind)i, keys, sizeof(keys));
		report_cell_text(report, op_group_name(info->group));
		report_cell_text(report, info->name);
		report_cell_text(report, info->text);
		report_cell_text(report, keys);
	}
	report_table_end(report);
}

static void list_instructions(struct report *report)
{
	static const struct report_column columns[] = {{"name", "name"},
						       {"operand", "operand"},
						       {"effect", "what it does"},
						       {"who", "who may"},
						       {"page", "SDM volume 2"}};
	static const struct report_column plain[] = {{"name", "name"}, {"page", "SDM volume 2"}};
	report_table_begin(report, "instructions", "Instructions by name: {\"op\": \"instruction\", \"name\": NAME}",
			   columns, COUNT_OF(columns));
	for (unsigned i = 0; i < INSN_COUNT; i++) {
		const struct insn_info *info = insn_info((enum insn)i);
		report_cell_text(report, info->name);
		report_cell_text(report, info->operand);
		report_cell_text(report, info->effect);
		report_cell_text(report, insn_who_text(info->who));
		report_cell_text(report, info->page);
	}
	report_table_end(report);
	report_table_begin(report, "code", "Instructions of machine code, besides those", plain, COUNT_OF(plain));
	for (unsigned i = INSN_LAST_NAMED + 1; i < INSN_ALL; i++) {
		report_cell_text(report, insn_info((enum insn)i)->name);
		report_cell_text(report, insn_info((enum insn)i)->page);
	}
	report_table_end(report);
}

static void list_events(struct report *report)
{
	static const struct report_column columns[] = {
	    {"layer", "layer"}, {"event", "event"}, {"fields", "fields"}, {"sentence", "what it says"}};
	report_table_begin(report, "events", "Events", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < EVENT_COUNT; i++) {
		const struct event_info *info = event_info((enum event_kind)i);
		report_cell_text(report, layer_name(info->layer));
		report_cell_text(report, info->name);
		report_cell_text(report, info->fields);
		report_cell_text(report, info->sentence);
	}
	report_table_end(report);
}

static void list_stats(struct report *report)
{
	static const char *const kinds[] = {[STAT_TOTAL] = "total", [STAT_LEVEL] = "level", [STAT_PEAK] = "peak"};
	static const struct report_column columns[] = {
	    {"name", "name"}, {"kind", "kind"}, {"unit", "unit"}, {"text", "what it counts"}};
	report_table_begin(report, "stats", "Statistics", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < STAT_COUNT; i++) {
		const struct stat_info *info = stat_info((enum stat)i);
		report_cell_text(report, info->name);
		report_cell_text(report, kinds[info->kind]);
		report_cell_text(report, info->unit);
		report_cell_text(report, info->text);
	}
	report_table_end(report);
}

/* ---- the command ---- */

static const struct topic {
	const char *name;
	const char *text;
	void (*list)(struct report *report);
} topics[] = {
    {"workloads", "the shipped lessons", list_workloads},
    {"keys", "the keys of faultline tui", list_keys},
    {"allocators", "C libraries: libc=NAME", list_allocators},
    {"policies", "who decides what, and how", list_policies},
    {"profiles", "processors: machine.cpu=NAME", list_profiles},
    {"devices", "block devices: kernel.disk=NAME, kernel.swap_device=NAME", list_devices},
    {"ops", "operations of a script", list_ops},
    {"instructions", "what the processor executes: op instruction, op code", list_instructions},
    {"events", "what --events, --story and --perfetto tell", list_events},
    {"stats", "what --stats prints and `expect` may ask for", list_stats},
};

static void list_topics(struct report *report)
{
	static const struct report_column columns[] = {{"topic", "topic"}, {"text", "what it lists"}};
	report_table_begin(report, "topics", "faultline list TOPIC", columns, COUNT_OF(columns));
	for (unsigned i = 0; i < COUNT_OF(topics); i++) {
		report_cell_text(report, topics[i].name);
		report_cell_text(report, topics[i].text);
	}
	report_table_end(report);
}

static const struct topic *find_topic(const char *name)
{
	for (unsigned i = 0; i < COUNT_OF(topics); i++) {
		if (strcmp(topics[i].name, name) == 0)
			return &topics[i];
	}
	return NULL;
}

static enum status no_such_topic(const char *name)
{
	const char *names[COUNT_OF(topics)];
	struct error error;
	for (unsigned i = 0; i < COUNT_OF(topics); i++)
		names[i] = topics[i].name;
	const char *nearest = nearest_word(name, names, COUNT_OF(topics));
	(void)error_set(
	    &error, STATUS_BAD_INPUT,
	    "there is no list of \"%s\"%s%s%s; there are workloads, allocators, policies, profiles, devices, "
	    "ops, instructions, events, stats and keys",
	    name, nearest ? ": did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	return complain(&error);
}

/* The topics of these names; without one, what topics there are. */
static enum status run(const struct command *command, const struct command_line *line)
{
	(void)command;
	for (unsigned i = 0; i < line->operand_count; i++) {
		if (!find_topic(line->operands[i]))
			return no_such_topic(line->operands[i]);
	}
	struct report *report = report_new(stdout, REPORT_TEXT);
	for (unsigned i = 0; i < line->operand_count; i++)
		find_topic(line->operands[i])->list(report);
	if (line->operand_count == 0)
		list_topics(report);
	report_free(report);
	return STATUS_OK;
}

static const struct option options[] = {{0}};

const struct command command_list = {
    .name = "list",
    .operands = "[TOPIC]...",
    .summary = "print what there is to choose from",
    .text = "Prints what there is to choose from. The topics are workloads, allocators, policies, profiles, devices, "
	    "ops, instructions, events, stats and keys; without one, it says what each of them lists.",
    .options = options,
    .run = run,
};
