#include "meaning.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/story.h"
#include "reason.h"

/* ---- why ---- */

static void append(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(char *out, const char *format, ...)
{
	size_t used = strlen(out);
	va_list args;
	va_start(args, format);
	(void)vsnprintf(out + used, SCENE_TEXT - used, format, args);
	va_end(args);
}

/* Why the processor refused: what stands in the tables. */
static void explain_refusal(struct scene *scene, uint64_t error)
{
	const struct translation *t = &scene->translation;
	const struct walk_rights *rights = &t->walk.rights;
	if (t->walk.outcome == WALK_RESERVED)
		append(scene->why, "is reached by an entry with a reserved bit set.");
	else if (t->absent.swapped)
		append(scene->why, "was swapped out: its entry has P=0 and says slot %" PRIu64 ".", t->absent.slot);
	else if (t->absent.kept)
		append(scene->why, "has P=0 in its entry, though a frame is kept: PROT_NONE.");
	else if (t->walk.outcome == WALK_NOT_PRESENT)
		append(scene->why, "lies in VMA %s, but its entry has P=0: %s.",
		       t->vma.name[0] ? t->vma.name : "(anonymous)", t->vma.file ? "not mapped" : "no frame yet");
	else if (!rights->user)
		append(scene->why, "is mapped, but with U/S=0 on its path: only ring 0 may.");
	else if ((error & FAULT_WRITE) && !rights->writable)
		append(scene->why, "is mapped, but with R/W=0 on its path, and this is a write.");
	else if ((error & FAULT_FETCH) && rights->no_execute)
		append(scene->why, "is mapped, but with NX=1 on its path, and this is a fetch.");
	else
		append(scene->why, "is allowed by the tables: a TLB had an old entry.");
}

/* A page fault in full: what stands in the tables, and what the kernel will say to it. */
static void explain_fault(struct scene *scene)
{
	const struct translation *t = &scene->translation;
	uint64_t error = scene->event->arg[1];
	scene->why[0] = '\0';
	if (!scene->has_address || !t->alive || scene->shown->pid != scene->event->pid)
		return;
	enum fault_cause verdict = process_fault_verdict(scene->shown, scene->address, (uint32_t)error);
	bool nowhere = !t->vma.exists && !(error & FAULT_PRESENT);
	append(scene->why, "0x%" PRIx64 " ", scene->address.v);
	if (nowhere && verdict == FAULT_CAUSE_STACK_GROWTH)
		append(scene->why, "lies right below the stack: its VMA grows down to there.");
	else if (nowhere)
		append(scene->why, "lies in no VMA: nothing was promised there, SIGSEGV follows.");
	else
		explain_refusal(scene, error);
	if (!nowhere && verdict == FAULT_CAUSE_SEGV_MAPERR)
		append(scene->why, " No VMA of the process: SIGSEGV follows.");
	if (!nowhere && verdict == FAULT_CAUSE_SEGV_ACCERR)
		append(scene->why, " The VMA forbids it, too: SIGSEGV follows.");
	append(scene->why, " The MMU cannot finish, so it traps.");
}

/* The point, then the event in its own words where there is room for both. */
static void explain_event(struct scene *scene)
{
	char reason[SCENE_TEXT];
	story_fill(travel_fields(scene->travel), scene->event, reason_of(scene).text, reason, sizeof(reason));
	if (scene->event->kind == EVENT_NOTE)
		append(scene->why, "%s", reason);
	else if (reason[0])
		append(scene->why, "%s (%s)", reason, scene->now->sentence);
	else
		append(scene->why, "%s.", scene->now->sentence);
}

static void fill_why(struct scene *scene)
{
	scene->why[0] = '\0';
	if (!scene->event) {
		append(scene->why,
		       "Nothing has happened yet: the machine is about to boot. s or Right steps, c runs, ? helps.");
		return;
	}
	if (scene->event->kind == EVENT_EXCEPTION && strcmp(event_arg_text(scene->event, 0), "#PF") == 0)
		explain_fault(scene);
	if (!scene->why[0])
		explain_event(scene);
}

/* ---- words ---- */

static const char *stage_of(unsigned kind)
{
	return kind < EVENT_COUNT ? reason_of_kind((enum event_kind)kind)->stage : "";
}

bool meaning_is_stage(unsigned kind)
{
	return stage_of(kind)[0] != '\0';
}

bool meaning_is_fixed(unsigned kind)
{
	return meaning_is_stage(kind) && stage_of(kind)[0] != '*';
}

static struct stage named(const char *word, size_t length)
{
	struct stage stage = {0};
	memcpy(stage.text, word, length < sizeof(stage.text) ? length : sizeof(stage.text) - 1);
	return stage;
}

/* "malloc buf 100 KiB", "#PF, error code ...", "an interrupt at ...", "the kernel serves brk(...": one word of it. Text
 * arguments are not used: the record may lie in the future. */
static struct stage word_of(const struct travel_record *record)
{
	static const char *const before[] = {"the kernel serves ", "an "};
	const char *word = record->sentence;
	for (unsigned i = 0; i < sizeof(before) / sizeof(*before); i++) {
		if (strncmp(word, before[i], strlen(before[i])) == 0)
			word += strlen(before[i]);
	}
	return named(word, strcspn(word, " ,("));
}

/* ---- next ---- */

enum { NEXT_EVENTS = 14 };

/* A thing to come, in two or three words. */
static void say_step(const struct scene *scene, const struct travel_record *record, char *out)
{
	unsigned kind = record->event.kind;
	const char *step = reason_of_kind((enum event_kind)kind)->step;
	if (step[0] != '*')
		story_fill(travel_fields(scene->travel), &record->event, step, out, SCENE_TEXT);
	else if (meaning_is_stage(kind))
		(void)snprintf(out, SCENE_TEXT, "%s", meaning_stage(scene->travel, record->event.number).text);
	else
		(void)snprintf(out, SCENE_TEXT, "%s", word_of(record).text);
}

static void append_step(char *out, const char *step, unsigned times)
{
	append(out, "%s%s", out[0] ? " -> " : "", step);
	if (times > 1)
		append(out, " x%u", times);
}

/* Up to the end of the operation; what is the same several times in a row is said once. */
static void fill_next(struct scene *scene)
{
	char step[SCENE_TEXT] = "";
	unsigned times = 0;
	scene->next[0] = '\0';
	for (uint64_t number = scene->position + 1; number <= scene->position + NEXT_EVENTS; number++) {
		const struct travel_record *record = travel_record(scene->travel, number);
		char text[SCENE_TEXT];
		if (!record || (record->event.kind == EVENT_OP_START && times > 0))
			break;
		say_step(scene, record, text);
		if (times > 0 && strcmp(text, step) != 0) {
			append_step(scene->next, step, times);
			times = 0;
		}
		memcpy(step, text, sizeof(step));
		times++;
	}
	if (times > 0)
		append_step(scene->next, step, times);
	else
		append(scene->next, "this was the last event");
}

void meaning_fill(struct scene *scene)
{
	fill_why(scene);
	fill_next(scene);
}

/* ---- the ribbon ---- */

/* Without a record only what is known of every event: what ends as a page fault was one, else it may also have been an
 * interrupt. */
static const char *distant_word(const struct travel *travel, uint64_t number, unsigned kind)
{
	static const uint64_t ends = EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_SIGNAL) | EVENT_BIT(EVENT_EXCEPTION) |
				     EVENT_BIT(EVENT_OP_END);
	if (kind == EVENT_SYSCALL)
		return "system call";
	if (kind != EVENT_EXCEPTION)
		return "operation";
	return travel_kind(travel, travel_known_after(travel, number, ends)) == EVENT_FAULT ? "#PF" : "trap";
}

struct stage meaning_stage(const struct travel *travel, uint64_t number)
{
	unsigned kind = travel_kind(travel, number);
	const char *word = stage_of(kind);
	const struct travel_record *record = travel_record(travel, number);
	if (word[0] == '*' && record)
		return word_of(record);
	if (word[0] == '*')
		word = distant_word(travel, number, kind);
	struct stage stage = named(word, strlen(word));
	if (kind == EVENT_RING)
		(void)snprintf(stage.text, sizeof(stage.text), "%s %u-%u", word, travel_ring(travel, number - 1),
			       travel_ring(travel, number));
	return stage;
}
