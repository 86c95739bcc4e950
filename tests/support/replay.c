#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/heap.h"
#include "faultline/walk.h"
#include "faultline/world.h"
#include "pieces.h"

enum { LINE_BYTES = 4096 };

/* Invariant: call_args describe the call in progress between its two events. */
struct replay {
	struct world *world;
	replay_line_fn *fn;
	void *self;
	bool views;
	char view_line[LINE_BYTES];
	uint64_t break_start, ceiling;
	struct pieces pieces;

	char calls[LINE_BYTES];
	uint64_t call_args[4];
	uint64_t call_counts[SYSCALL_COUNT];
	uint64_t faults_before;
	uint64_t operations;
};

/* ---- addresses as the recordings write them ---- */

struct address {
	char text[64];
};

static struct address address_text(const struct replay *replay, uint64_t address)
{
	struct address out;
	const struct piece *piece = pieces_find(&replay->pieces, address);
	if (address == 0)
		(void)snprintf(out.text, sizeof(out.text), "0");
	else if (piece)
		(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "+0x%" PRIx64, piece->number,
			       address - piece->origin);
	else if (address >= replay->break_start)
		(void)snprintf(out.text, sizeof(out.text), "H+0x%" PRIx64, address - replay->break_start);
	else
		(void)snprintf(out.text, sizeof(out.text), "H-0x%" PRIx64, replay->break_start - address);
	return out;
}

/* ---- system calls, from their events ---- */

static struct address new_mapping_text(struct replay *replay, uint64_t address, uint64_t bytes)
{
	struct address out;
	uint64_t number = pieces_add(&replay->pieces, address, bytes);
	(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "@T-0x%" PRIx64, number, replay->ceiling - address);
	return out;
}

static struct address mremap_result(struct replay *replay, uint64_t result)
{
	const uint64_t *a = replay->call_args;
	if (result != a[0]) {
		pieces_remove(&replay->pieces, a[0], a[1]);
		return new_mapping_text(replay, result, a[2]);
	}
	struct piece *piece = pieces_find(&replay->pieces, result);
	if (piece)
		piece->end = result + ((a[2] + 4095) & ~(uint64_t)4095);
	return address_text(replay, result);
}

static struct address result_text(struct replay *replay, enum syscall_index call, int64_t result)
{
	struct address out;
	const uint64_t *a = replay->call_args;
	if (result < 0 && result >= -4095) {
		(void)snprintf(out.text, sizeof(out.text), "E%" PRId64, -result);
		return out;
	}
	if (call == SYSCALL_BRK)
		return address_text(replay, (uint64_t)result);
	if (call == SYSCALL_MMAP)
		return new_mapping_text(replay, (uint64_t)result, a[1]);
	if (call == SYSCALL_MREMAP)
		return mremap_result(replay, (uint64_t)result);
	if (call == SYSCALL_MUNMAP)
		pieces_remove(&replay->pieces, a[0], a[1]);
	(void)snprintf(out.text, sizeof(out.text), "%" PRId64, result);
	return out;
}

/* What stands between the parentheses; the first argument is an address everywhere. */
static void print_arguments(const struct replay *replay, enum syscall_index call, char *out, size_t room)
{
	const uint64_t *a = replay->call_args;
	struct address at = address_text(replay, a[0]);
	if (call == SYSCALL_BRK)
		(void)snprintf(out, room, "%s", at.text);
	else if (call == SYSCALL_MMAP)
		(void)snprintf(out, room, "%s,0x%" PRIx64 ",%" PRIu64 ",0x%" PRIx64, at.text, a[1], a[2], a[3]);
	else if (call == SYSCALL_MREMAP)
		(void)snprintf(out, room, "%s,0x%" PRIx64 ",0x%" PRIx64 ",%" PRIu64, at.text, a[1], a[2], a[3]);
	else if (call == SYSCALL_MUNMAP)
		(void)snprintf(out, room, "%s,0x%" PRIx64, at.text, a[1]);
	else
		(void)snprintf(out, room, "%s,0x%" PRIx64 ",%" PRIu64, at.text, a[1], a[2]);
}

static const enum syscall_index recorded_calls[] = {SYSCALL_BRK,    SYSCALL_MMAP,    SYSCALL_MUNMAP,
						    SYSCALL_MREMAP, SYSCALL_MADVISE, SYSCALL_MPROTECT};
enum { RECORDED_CALLS = sizeof(recorded_calls) / sizeof(recorded_calls[0]) };

static void on_return(struct replay *replay, const char *name, int64_t result)
{
	char arguments[256];
	unsigned i = 0;
	while (i < RECORDED_CALLS && strcmp(syscall_info(recorded_calls[i])->name, name) != 0)
		i++;
	if (i == RECORDED_CALLS)
		return;
	size_t used = strlen(replay->calls);
	print_arguments(replay, recorded_calls[i], arguments, sizeof(arguments));
	(void)snprintf(replay->calls + used, sizeof(replay->calls) - used, " %s(%s)=%s", name, arguments,
		       result_text(replay, recorded_calls[i], result).text);
	replay->call_counts[recorded_calls[i]]++;
}

static void on_event(void *self, const struct event *event)
{
	struct replay *replay = self;
	if (event->kind == EVENT_SYSCALL)
		memcpy(replay->call_args, &event->arg[1], sizeof(replay->call_args));
	else
		on_return(replay, event_arg_text(event, 0), (int64_t)event->arg[1]);
}

/* ---- operations ---- */

/* malloc_usable_size by looking: the size field in front of the block, less the header; glibc's malloc.c keeps the
 * IS_MMAPPED flag in bit 1. */
static void print_block(const struct replay *replay, uint64_t block, char *out, size_t room)
{
	const struct user *user = world_heap(replay->world, 0)->user;
	uint64_t word = 0;
	uint64_t next = 0;
	struct address at = address_text(replay, block);
	if (block == 0) {
		(void)snprintf(out, room, "%s -", at.text);
		return;
	}
	bool there = user_peek64(user, block - 8, &word);
	uint64_t size = word & ~(uint64_t)7;
	bool mapped = (word & 2) != 0;
	/* The chunk behind says whether this one is in use. */
	bool used = mapped || (there && user_peek64(user, block - 8 + size, &next) && (next & 1) != 0);
	(void)snprintf(out, room, "%s %" PRIu64, at.text, used ? size - (mapped ? 16 : 8) : 0);
}

static void print_result(const struct replay *replay, const struct world_operation *operation, char *out, size_t room)
{
	enum op_kind kind = operation->op->kind;
	if (kind == OP_FREE || kind == OP_READ || kind == OP_WRITE)
		(void)snprintf(out, room, "- -");
	else if (kind == OP_MALLOC || kind == OP_CALLOC || kind == OP_REALLOC || kind == OP_ALIGNED_ALLOC)
		print_block(replay, operation->result, out, room);
	else if (kind == OP_PTHREAD_CREATE || kind == OP_PTHREAD_JOIN)
		(void)snprintf(out, room, "%" PRId64 " -", (int64_t)operation->result);
	else if ((kind == OP_MMAP || kind == OP_SBRK) && operation->result != UINT64_MAX)
		(void)snprintf(out, room, "%s -", address_text(replay, operation->result).text);
	else
		(void)snprintf(out, room, "%" PRId64 " -", (int64_t)operation->result);
}

static void on_operation(void *self, const struct world_operation *operation)
{
	struct replay *replay = self;
	char text[2 * LINE_BYTES];
	char what[160];
	char result[128];
	char error[16] = "";
	uint64_t faults = world_process(replay->world, 0)->stats.minor_faults;
	print_result(replay, operation, result, sizeof(result));
	if (operation->error_number != 0)
		(void)snprintf(error, sizeof(error), " E%d", operation->error_number);
	(void)snprintf(text, sizeof(text), "%s %" PRIu64 "%s%s", result, faults - replay->faults_before, error,
		       replay->calls);
	(void)snprintf(what, sizeof(what), "%s ", op_info(operation->op->kind)->name);
	op_detail(operation->op, what + strlen(what), sizeof(what) - strlen(what));
	replay->operations++;
	replay->faults_before = faults;
	replay->calls[0] = '\0';
	replay->fn(replay->self, &(struct replay_line){text, what, operation->op->line});
}

/* ---- the lines at the end ---- */

static void say(struct replay *replay, const char *text)
{
	replay->fn(replay->self, &(struct replay_line){text, "", 0});
}

static void say_calls(struct replay *replay)
{
	char text[512] = "# calls";
	for (unsigned i = 0; i < RECORDED_CALLS; i++) {
		size_t used = strlen(text);
		(void)snprintf(text + used, sizeof(text) - used, " %s=%" PRIu64, syscall_info(recorded_calls[i])->name,
			       replay->call_counts[recorded_calls[i]]);
	}
	say(replay, text);
}

static void say_mallinfo(struct replay *replay)
{
	const struct heap *heap = world_heap(replay->world, 0);
	struct heap_mallinfo info = {0};
	char text[512];
	if (heap->ops->mallinfo)
		heap->ops->mallinfo(heap, &info);
	(void)snprintf(text, sizeof(text),
		       "# mallinfo2 arena=%" PRIu64 " ordblks=%" PRIu64 " smblks=%" PRIu64 " hblks=%" PRIu64
		       " hblkhd=%" PRIu64 " fsmblks=%" PRIu64 " uordblks=%" PRIu64 " fordblks=%" PRIu64
		       " keepcost=%" PRIu64,
		       info.arena, info.ordblks, info.smblks, info.hblks, info.hblkhd, info.fsmblks, info.uordblks,
		       info.fordblks, info.keepcost);
	say(replay, text);
}

/* A text comes in pieces; each line is told by itself. */
static void add_view_text(void *self, const char *text, size_t length)
{
	struct replay *replay = self;
	for (size_t i = 0; i < length; i++) {
		size_t used = strlen(replay->view_line);
		if (text[i] != '\n') {
			(void)snprintf(replay->view_line + used, LINE_BYTES - used, "%c", text[i]);
			continue;
		}
		say(replay, replay->view_line);
		(void)snprintf(replay->view_line, LINE_BYTES, "# | ");
	}
}

static void say_views(struct replay *replay)
{
	const struct heap *heap = world_heap(replay->world, 0);
	(void)snprintf(replay->view_line, LINE_BYTES, "# | ");
	(void)heap_view_print(heap, HEAP_VIEW_MALLOC_STATS, add_view_text, replay);
	(void)heap_view_print(heap, HEAP_VIEW_MALLOC_INFO, add_view_text, replay);
}

struct present {
	uint64_t pages, zero;
};

static struct present count_pages(const struct replay *replay, uint64_t start, uint64_t end)
{
	const struct world *world = replay->world;
	const struct process *process = world_process(world, 0);
	struct paging paging = mmu_paging(machine_mmu_const(world_machine(world)));
	struct present present = {0, 0};
	paging.root = process_page_table(process);
	for (const struct vma *vma = process_vma_after(process, vaddr(start)); vma && vma->start.v < end;
	     vma = vma->next) {
		uint64_t at = vma->start.v > start ? vma->start.v : start;
		for (; at < vma->end.v && at < end; at += PAGE_BYTES) {
			struct walk walk;
			walk_peek(machine_memory_const(world_machine(world)), &paging, vaddr(at), &walk);
			if (walk.outcome != WALK_MAPPED)
				continue;
			const struct frame *frame = frame_peek(kernel_frames(world_kernel(world)),
							       pfn(walk.page.v / PAGE_BYTES));
			present.pages++;
			present.zero += frame && frame->use == FRAME_ZERO;
		}
	}
	return present;
}

static void say_present(struct replay *replay)
{
	char text[256];
	uint64_t end = process_break(world_process(replay->world, 0)).v;
	struct present heap = count_pages(replay, replay->break_start, end);
	struct present mapped = count_pages(replay, page_ceil(end), replay->ceiling);
	(void)snprintf(text, sizeof(text),
		       "# present_pages heap=%" PRIu64 " heap_zero=%" PRIu64 " mapped=%" PRIu64 " mapped_zero=%" PRIu64,
		       heap.pages, heap.zero, mapped.pages, mapped.zero);
	say(replay, text);
}

static void say_end(struct replay *replay)
{
	char text[256];
	const struct process *process = world_process(replay->world, 0);
	(void)snprintf(text, sizeof(text), "# end ops=%" PRIu64 " minor_faults=%" PRIu64, replay->operations,
		       process->stats.minor_faults);
	say(replay, text);
	say_calls(replay);
	(void)snprintf(text, sizeof(text), "# break %s", address_text(replay, process_break(process).v).text);
	say(replay, text);
	say_mallinfo(replay);
	if (replay->views)
		say_views(replay);
	say_present(replay);
}

/* A process that was killed is no failure of the replay: "died SIGNAL MESSAGE". */
static bool say_death(struct replay *replay)
{
	char text[512];
	const struct process *process = world_process(replay->world, 0);
	if (!process || !process->death.dead || process->death.signal == 0)
		return false;
	(void)snprintf(text, sizeof(text), "died %u%s%s", process->death.signal, process->message[0] ? " " : "",
		       process->message);
	say(replay, text);
	return true;
}

static enum status run(struct replay *replay, const struct document *document, struct error *error)
{
	enum status status = world_new(document, &replay->world, error);
	if (status != STATUS_OK)
		return status;
	replay->break_start = document->processes[0].spec.start_brk.v;
	replay->ceiling = document->processes[0].spec.mmap_ceiling.v;
	bus_subscribe(world_bus(replay->world), EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_SYSCALL_RETURN), on_event,
		      replay);
	world_set_operation_hook(replay->world, on_operation, replay);
	status = world_run(replay->world, error);
	if (status == STATUS_OK)
		say_end(replay);
	else if (say_death(replay))
		status = STATUS_OK;
	world_free(replay->world);
	pieces_release(&replay->pieces);
	return status;
}

enum status replay_op_list(const char *path, const char *const settings[], bool views, replay_line_fn *fn, void *self,
			   struct error *error)
{
	struct document *document = NULL;
	struct replay *replay = calloc(1, sizeof(*replay));
	if (!replay)
		return error_set(error, STATUS_HOST, "%s: the host has no memory", path);
	replay->fn = fn;
	replay->self = self;
	replay->views = views;
	enum status status = document_load(path, &document, error);
	for (; status == STATUS_OK && *settings; settings++)
		status = document_set(document, *settings, error);
	if (status == STATUS_OK)
		status = run(replay, document, error);
	document_free(document);
	free(replay);
	return status;
}
