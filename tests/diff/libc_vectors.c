/* Replays op lists and compares every operation with what the real C library and kernel did: the address returned, the
 * usable size, the minor faults, errno, and each memory system call. The format is that of the recordings' README.
 *
 * usage: libc_vectors FILE.ops[.gz]...   (FILE.expected[.gz] lies beside it)
 * For each file that differs: the first difference, both sides. Last line: N passed, M failed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "faultline/heap.h"
#include "faultline/world.h"

enum { LINE_BYTES = 4096, PATH_BYTES = 1024 };

/* A live piece of a mapping. Pieces lie in a list sorted by address, highest first: new ones mostly go to its end. */
struct piece {
	uint64_t start, end;
	uint64_t origin; /* where the mapping was created */
	uint64_t number;
};

/* The two sides of one file. Invariant: call_* describe the call in progress between its two events. */
struct comparison {
	const char *path;
	struct world *world;
	gzFile expected;
	uint64_t break_start, ceiling;
	struct piece *pieces;
	size_t piece_count, piece_capacity;
	uint64_t mappings;

	char calls[LINE_BYTES];
	uint64_t call_args[4];
	uint64_t faults_before;
	uint64_t call_counts[SYSCALL_COUNT];

	uint64_t operations, agreeing;
	bool differs;
};

/* ---- addresses as the recordings write them ---- */

struct address {
	char text[64];
};

static size_t piece_index(const struct comparison *c, uint64_t address)
{
	size_t low = 0;
	size_t high = c->piece_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (c->pieces[middle].start > address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct address address_text(const struct comparison *c, uint64_t address)
{
	struct address out;
	size_t at = piece_index(c, address);
	if (address == 0)
		(void)snprintf(out.text, sizeof(out.text), "0");
	else if (at < c->piece_count && address < c->pieces[at].end)
		(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "+0x%" PRIx64, c->pieces[at].number,
			       address - c->pieces[at].origin);
	else if (address >= c->break_start)
		(void)snprintf(out.text, sizeof(out.text), "H+0x%" PRIx64, address - c->break_start);
	else
		(void)snprintf(out.text, sizeof(out.text), "H-0x%" PRIx64, c->break_start - address);
	return out;
}

static void insert_piece(struct comparison *c, struct piece piece)
{
	if (c->piece_count == c->piece_capacity) {
		c->piece_capacity = c->piece_capacity ? c->piece_capacity * 2 : 64;
		c->pieces = realloc(c->pieces, c->piece_capacity * sizeof(*c->pieces));
		if (!c->pieces)
			abort();
	}
	size_t at = piece_index(c, piece.start);
	memmove(&c->pieces[at + 1], &c->pieces[at], (c->piece_count - at) * sizeof(*c->pieces));
	c->pieces[at] = piece;
	c->piece_count++;
}

static void remove_range(struct comparison *c, uint64_t start, uint64_t end)
{
	size_t kept = 0;
	struct piece behind = {0};
	for (size_t i = 0; i < c->piece_count; i++) {
		struct piece piece = c->pieces[i];
		if (piece.end > start && piece.start < end) {
			if (piece.end > end)
				behind = (struct piece){end, piece.end, piece.origin, piece.number};
			piece.end = start;
			if (piece.start >= piece.end)
				continue;
		}
		c->pieces[kept++] = piece;
	}
	c->piece_count = kept;
	if (behind.end != 0)
		insert_piece(c, behind);
}

static uint64_t whole_pages(uint64_t bytes)
{
	return (bytes + 4095) & ~(uint64_t)4095;
}

/* ---- system calls, from their events ---- */

static void add_text(struct comparison *c, const char *text)
{
	size_t used = strlen(c->calls);
	(void)snprintf(c->calls + used, sizeof(c->calls) - used, "%s", text);
}

static struct address new_mapping_text(struct comparison *c, uint64_t address, uint64_t bytes)
{
	struct address out;
	c->mappings++;
	insert_piece(c, (struct piece){address, address + whole_pages(bytes), address, c->mappings});
	(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "@T-0x%" PRIx64, c->mappings, c->ceiling - address);
	return out;
}

static struct address mremap_result(struct comparison *c, uint64_t result)
{
	const uint64_t *a = c->call_args;
	if (result != a[0]) {
		remove_range(c, a[0], a[0] + whole_pages(a[1]));
		return new_mapping_text(c, result, a[2]);
	}
	size_t at = piece_index(c, result);
	if (at < c->piece_count)
		c->pieces[at].end = result + whole_pages(a[2]);
	return address_text(c, result);
}

static struct address result_text(struct comparison *c, enum syscall_index call, int64_t result)
{
	struct address out;
	const uint64_t *a = c->call_args;
	if (result < 0 && result >= -4095) {
		(void)snprintf(out.text, sizeof(out.text), "E%" PRId64, -result);
		return out;
	}
	if (call == SYSCALL_BRK)
		return address_text(c, (uint64_t)result);
	if (call == SYSCALL_MMAP)
		return new_mapping_text(c, (uint64_t)result, a[1]);
	if (call == SYSCALL_MREMAP)
		return mremap_result(c, (uint64_t)result);
	if (call == SYSCALL_MUNMAP)
		remove_range(c, a[0], a[0] + whole_pages(a[1]));
	(void)snprintf(out.text, sizeof(out.text), "%" PRId64, result);
	return out;
}

static enum syscall_index call_named(const char *name)
{
	unsigned i = 0;
	while (i < SYSCALL_UNKNOWN && strcmp(syscall_info((enum syscall_index)i)->name, name) != 0)
		i++;
	return (enum syscall_index)i;
}

static void add_call(struct comparison *c, enum syscall_index call, int64_t result)
{
	char text[256];
	const uint64_t *a = c->call_args;
	struct address at = address_text(c, a[0]);
	if (call == SYSCALL_BRK)
		(void)snprintf(text, sizeof(text), " brk(%s)", at.text);
	else if (call == SYSCALL_MMAP)
		(void)snprintf(text, sizeof(text), " mmap(%s,0x%" PRIx64 ",%" PRIu64 ",0x%" PRIx64 ")", at.text, a[1],
			       a[2], a[3]);
	else if (call == SYSCALL_MREMAP)
		(void)snprintf(text, sizeof(text), " mremap(%s,0x%" PRIx64 ",0x%" PRIx64 ",%" PRIu64 ")", at.text, a[1],
			       a[2], a[3]);
	else if (call == SYSCALL_MUNMAP)
		(void)snprintf(text, sizeof(text), " munmap(%s,0x%" PRIx64 ")", at.text, a[1]);
	else
		(void)snprintf(text, sizeof(text), " %s(%s,0x%" PRIx64 ",%" PRIu64 ")", syscall_info(call)->name,
			       at.text, a[1], a[2]);
	add_text(c, text);
	add_text(c, "=");
	add_text(c, result_text(c, call, result).text);
	c->call_counts[call]++;
}

static void on_event(void *self, const struct event *event)
{
	struct comparison *c = self;
	if (event->kind == EVENT_SYSCALL) {
		memcpy(c->call_args, &event->arg[1], sizeof(c->call_args));
		return;
	}
	enum syscall_index call = call_named(event_arg_text(event, 0));
	if (call != SYSCALL_WRITE && call != SYSCALL_EXIT && call != SYSCALL_TGKILL)
		add_call(c, call, (int64_t)event->arg[1]);
}

/* ---- operations ---- */

/* malloc_usable_size by looking: the size field in front of the block, less the header; glibc's malloc.c keeps the
 * IS_MMAPPED flag in bit 1. */
static void print_usable(const struct comparison *c, uint64_t block, char *out, size_t room)
{
	uint64_t size = 0;
	(void)snprintf(out, room, "-");
	if (block != 0 && user_peek64(world_heap(c->world, 0)->user, block - 8, &size))
		(void)snprintf(out, room, "%" PRIu64, (size & ~(uint64_t)7) - (size & 2 ? 16 : 8));
}

static void print_result(const struct comparison *c, const struct world_operation *operation, char *out, size_t room)
{
	char usable[32] = "-";
	char result[64];
	enum op_kind kind = operation->op->kind;
	if (kind == OP_FREE || kind == OP_READ || kind == OP_WRITE) {
		(void)snprintf(result, sizeof(result), "-");
	} else if (operation->result == UINT64_MAX) {
		(void)snprintf(result, sizeof(result), "-1");
	} else if (op_info(kind)->group == OP_GROUP_LIBC && kind != OP_MALLOC_TRIM && kind != OP_MALLOPT) {
		(void)snprintf(result, sizeof(result), "%s", address_text(c, operation->result).text);
		print_usable(c, operation->result, usable, sizeof(usable));
	} else if (kind == OP_MMAP || kind == OP_SBRK) {
		(void)snprintf(result, sizeof(result), "%s", address_text(c, operation->result).text);
	} else {
		(void)snprintf(result, sizeof(result), "%" PRId64, (int64_t)operation->result);
	}
	(void)snprintf(out, room, "%s %s", result, usable);
}

/* The next line of the recording that is not a comment; "" behind the last. */
static void next_expected(struct comparison *c, char line[LINE_BYTES])
{
	do {
		if (!gzgets(c->expected, line, LINE_BYTES)) {
			line[0] = '\0';
			return;
		}
	} while (line[0] == '#');
	line[strcspn(line, "\n")] = '\0';
}

static void compare_line(struct comparison *c, const char *what, uint32_t line, const char *expected,
			 const char *actual)
{
	if (strcmp(expected, actual) == 0) {
		c->agreeing++;
		return;
	}
	if (!c->differs)
		printf("%s:%u: %s\n  expected %s\n  actual   %s\n", c->path, line, what, expected, actual);
	c->differs = true;
}

static void on_operation(void *self, const struct world_operation *operation)
{
	struct comparison *c = self;
	char expected[LINE_BYTES];
	char actual[2 * LINE_BYTES];
	char result[128];
	char error[16] = "";
	char what[128];
	uint64_t faults = world_process(c->world, 0)->stats.minor_faults;
	print_result(c, operation, result, sizeof(result));
	if (operation->error_number != 0)
		(void)snprintf(error, sizeof(error), " E%d", operation->error_number);
	(void)snprintf(actual, sizeof(actual), "%s %" PRIu64 "%s%s", result, faults - c->faults_before, error,
		       c->calls);
	next_expected(c, expected);
	(void)snprintf(what, sizeof(what), "%s ", op_info(operation->op->kind)->name);
	op_detail(operation->op, what + strlen(what), sizeof(what) - strlen(what));
	compare_line(c, what, operation->op->line, expected, actual);
	c->operations++;
	c->faults_before = faults;
	c->calls[0] = '\0';
}

/* ---- files ---- */

static gzFile open_expected(const char *path)
{
	char expected[PATH_BYTES];
	const char *end = strstr(path, ".ops");
	if (!end)
		return NULL;
	(void)snprintf(expected, sizeof(expected), "%.*s.expected%s", (int)(end - path), path, end + 4);
	return gzopen(expected, "rb");
}

static bool begin(struct comparison *c, struct document **document)
{
	struct error error;
	c->expected = open_expected(c->path);
	if (!c->expected) {
		printf("%s: there is no .expected file beside it\n", c->path);
		return false;
	}
	if (document_load(c->path, document, &error) != STATUS_OK ||
	    world_new(*document, &c->world, &error) != STATUS_OK) {
		printf("%s\n", error.text);
		return false;
	}
	c->break_start = (*document)->processes[0].spec.start_brk.v;
	c->ceiling = (*document)->processes[0].spec.mmap_ceiling.v;
	return true;
}

/* True when every operation agrees and the list ran to its end. */
static bool compare_file(const char *path)
{
	struct comparison c = {.path = path};
	struct document *document = NULL;
	struct error error = {0};
	char rest[LINE_BYTES];
	bool good = begin(&c, &document);
	if (good) {
		bus_subscribe(world_bus(c.world), EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_SYSCALL_RETURN), on_event,
			      &c);
		world_set_operation_hook(c.world, on_operation, &c);
		good = world_run(c.world, &error) == STATUS_OK && !c.differs;
		if (error.text[0])
			printf("%s\n", error.text);
		next_expected(&c, rest);
		if (rest[0]) {
			printf("%s: the recording goes on behind the last operation: %s\n", path, rest);
			good = false;
		}
		printf("%s: %" PRIu64 " of %" PRIu64 " operations agree\n", path, c.agreeing, c.operations);
	}
	world_free(c.world);
	document_free(document);
	if (c.expected)
		(void)gzclose(c.expected);
	free(c.pieces);
	return good;
}

int main(int argc, char **argv)
{
	unsigned passed = 0;
	unsigned failed = 0;
	for (int i = 1; i < argc; i++) {
		if (compare_file(argv[i]))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
