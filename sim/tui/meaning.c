#include "meaning.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/phrase.h"

/* What lies behind each kind of event, in a sentence that stands after the event's own; and what it is
 * called in the story ribbon: "" if it is not in it, "*" if the event itself has the word.
 * X(ID, stage, text) */
#define MEANING_LIST(X)                                                                                                \
	X(OP_START, "*", "The next operation of the script begins, in ring 3.")                                        \
	X(OP_END, "done", "The operation is over; the next one is read from the script.")                              \
	X(LIBC_CALL, "", "This is an ordinary function call: ring 3 throughout, the kernel knows nothing of it.")      \
	X(LIBC_RETURN, "", "What it hands out is an address, not memory: a frame comes at the first touch.")           \
	X(LIBC_SEARCH, "search",                                                                                       \
	  "Lists of free chunks live in the program's own memory; looking at them costs no system call.")              \
	X(LIBC_SPLIT, "split", "What is too large is cut: the rest stays free, with a header of its own.")             \
	X(LIBC_COALESCE, "coalesce", "Free neighbours become one chunk, so that large requests can be served again.")  \
	X(LIBC_PLACE, "", "A freed chunk waits in a list of the library; the kernel still counts it as used.")         \
	X(LIBC_GROW, "ask the kernel", "No free chunk fits: only the kernel can promise more addresses.")              \
	X(LIBC_SHRINK, "give back", "The library gives back what it does not expect to need soon.")                    \
	X(SYSCALL, "*", "The program cannot change its address space itself: it asks, and the kernel decides.")        \
	X(SYSCALL_RETURN, "", "The kernel has decided; SYSRET takes the answer back to ring 3 in RAX.")                \
	X(VMA_ADD, "VMA appears", "A promise: these addresses are valid now. No frame stands behind them yet.")        \
	X(VMA_CHANGE, "VMA changes", "A promise has changed; the page tables follow only where there were entries.")   \
	X(VMA_REMOVE, "VMA goes", "The promise is withdrawn; a touch from now on is a SIGSEGV.")                       \
	X(BREAK, "break moves", "The end of the heap is a number in the kernel; moving it moves no memory.")           \
	X(FAULT, "", "The fault was legal: the VMA allowed it, so the kernel kept its promise late.")                  \
	X(FRAME_ALLOC, "frame", "Here RAM is really taken, one frame at a time.")                                      \
	X(FRAME_FREE, "frame free", "The frame can be given to anybody now.")                                          \
	X(PTE_SET, "PTE written", "From now on the MMU can finish a walk for this page.")                              \
	X(PTE_CLEAR, "PTE cleared", "A walk for this page stops here from now on; TLBs must forget it too.")           \
	X(SIGNAL, "signal", "No VMA allows what was tried: the kernel delivers a signal instead of a frame.")          \
	X(PROCESS_START, "process starts", "A new address space: its own tables, sharing only the kernel's half.")     \
	X(PROCESS_EXIT, "process ends", "Frames, tables and VMAs are given back, whatever the program had forgotten.") \
	X(SWITCH, "switch", "CR3 now points at another set of tables: the same addresses mean other memory.")          \
	X(OOM, "OOM", "Promises were larger than RAM, and now somebody came for all of them.")                         \
	X(RING, "*", "The privilege level changes only through a gate that the kernel has set up.")                    \
	X(PUSH, "", "The processor saves where it was, so that IRET can resume the interrupted instruction.")          \
	X(TLB_MISS, "TLB miss", "No TLB holds this page: the processor walks the tables in RAM by itself.")            \
	X(WALK, "", "Each level uses nine bits of the address as an index; the last entry names the frame.")           \
	X(TLB_FILL, "TLB fill", "The finished walk is remembered: the next access to this page costs no walk.")        \
	X(TLB_FLUSH, "", "A remembered walk may be wrong now, so it is dropped.")                                      \
	X(EXCEPTION, "*", "The instruction cannot go on; the processor asks the kernel through the IDT.")              \
	X(INSTRUCTION, "instruction", "What a ring may execute is checked by the processor itself.")                   \
	X(BOOT, "boot", "The kernel builds its own tables, loads CR3 and turns paging on.")                            \
	X(ACCESS, "touch", "An address is only a number until the MMU has translated it.")                             \
	X(SHOOTDOWN, "shootdown", "The other processors may still hold the old translation in their TLBs.")

static const char *meaning_of(unsigned kind)
{
	static const char *const texts[EVENT_COUNT] = {
#define X(id, stage, text) [EVENT_##id] = text,
	    MEANING_LIST(X)
#undef X
	};
	return texts[kind] ? texts[kind] : "";
}

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

/* A page fault in full: what the VMA says against what the tables say. */
static void explain_fault(struct scene *scene)
{
	const struct translation *t = &scene->translation;
	const struct translation_area *vma = &t->vma;
	scene->why[0] = '\0';
	if (!scene->has_address || !t->alive)
		return;
	const struct translation_access *access = &t->access[scene->access];
	if (!vma->exists)
		append(scene->why,
		       "No VMA holds 0x%" PRIx64 ": nothing was promised there, so the kernel will send SIGSEGV.",
		       scene->address.v);
	else if (!access->allowed && (access->error_code & 1) == 0)
		append(scene->why, "0x%" PRIx64 " lies in the VMA %s, but its entry has P=0: no frame yet.",
		       scene->address.v, vma->name[0] ? vma->name : "(anonymous)");
	else
		append(scene->why, "0x%" PRIx64 " lies in the VMA %s and has a frame; the access is a %s.",
		       scene->address.v, vma->name[0] ? vma->name : "(anonymous)",
		       phrase_fault_words(access->error_code).text);
	append(scene->why, " The MMU cannot finish, so it traps.");
}

static void first_upper(char *text)
{
	if (text[0] >= 'a' && text[0] <= 'z')
		text[0] = (char)(text[0] - 'a' + 'A');
}

static void fill_why(struct scene *scene)
{
	scene->why[0] = '\0';
	if (!scene->event) {
		append(scene->why,
		       "Nothing has happened yet: the machine is about to boot. s or Right steps, c runs, ? helps.");
		return;
	}
	if (scene->event->kind == EVENT_EXCEPTION && strcmp(event_arg_text(scene->event, 0), "#PF") == 0) {
		explain_fault(scene);
		if (scene->why[0])
			return;
	}
	append(scene->why, "%s", scene->now->sentence);
	first_upper(scene->why);
	append(scene->why, ". %s", meaning_of(scene->event->kind));
}

/* ---- next ---- */

enum { NEXT_EVENTS = 4 };

static void fill_next(struct scene *scene)
{
	scene->next[0] = '\0';
	for (uint64_t i = 1; i <= NEXT_EVENTS; i++) {
		const struct travel_record *record = travel_record(scene->travel, scene->position + i);
		if (!record)
			break;
		append(scene->next, "%s%s", i > 1 ? " -> " : "", record->sentence);
	}
	if (!scene->next[0])
		append(scene->next, "this was the last event");
	else
		append(scene->next, "  (s = do it)");
}

void meaning_fill(struct scene *scene)
{
	fill_why(scene);
	fill_next(scene);
}

/* ---- the ribbon ---- */

static const char *stage_of(unsigned kind)
{
	static const char *const stages[EVENT_COUNT] = {
#define X(id, stage, text) [EVENT_##id] = stage,
	    MEANING_LIST(X)
#undef X
	};
	return stages[kind] ? stages[kind] : "";
}

bool meaning_is_stage(unsigned kind)
{
	return stage_of(kind)[0] != '\0';
}

/* "malloc buf 100 KiB", "#PF, error code ...", "the kernel serves brk(...": one word of it. Text arguments are not
 * used: the record may lie in the future. */
static struct stage word_of(const struct travel_record *record)
{
	static const char serves[] = "the kernel serves ";
	struct stage stage;
	const char *word = record->sentence;
	if (strncmp(word, serves, sizeof(serves) - 1) == 0)
		word += sizeof(serves) - 1;
	(void)snprintf(stage.text, sizeof(stage.text), "%.*s", (int)strcspn(word, " ,("), word);
	return stage;
}

/* Without a record only what is known of every event: an exception that ends as a page fault was one. */
static const char *distant_word(const struct travel *travel, uint64_t number, unsigned kind)
{
	static const uint64_t ends = EVENT_BIT(EVENT_FAULT) | EVENT_BIT(EVENT_SIGNAL) | EVENT_BIT(EVENT_EXCEPTION) |
				     EVENT_BIT(EVENT_OP_END);
	if (kind == EVENT_SYSCALL)
		return "system call";
	if (kind != EVENT_EXCEPTION)
		return "operation";
	return travel_kind(travel, travel_known_after(travel, number, ends)) == EVENT_FAULT ? "#PF" : "exception";
}

struct stage meaning_stage(const struct travel *travel, uint64_t number)
{
	struct stage stage;
	unsigned kind = travel_kind(travel, number);
	const char *word = stage_of(kind);
	const struct travel_record *record = travel_record(travel, number);
	if (kind == EVENT_RING)
		(void)snprintf(stage.text, sizeof(stage.text), "ring %u-%u", travel_ring(travel, number - 1),
			       travel_ring(travel, number));
	else if (word[0] == '*' && record)
		return word_of(record);
	else
		(void)snprintf(stage.text, sizeof(stage.text), "%s",
			       word[0] == '*' ? distant_word(travel, number, kind) : word);
	return stage;
}
