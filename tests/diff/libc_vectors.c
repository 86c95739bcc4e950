/* Compares the simulated C library and kernel with what the real ones did, operation by operation: the address
 * returned, the usable size, the minor faults, errno, each memory system call; and the state at the end.
 *
 * usage: libc_vectors FILE...
 * FILE.ops[.gz] is replayed and compared with the FILE.expected[.gz] that follows it, or that lies beside it.
 * Of a file that differs, the first difference is shown, both sides. Last line: N passed, M failed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "replay.h"

enum { LINE_BYTES = 8192, PATH_BYTES = 4096 };

struct comparison {
	const char *path;
	gzFile expected;
	char line[LINE_BYTES];   /* of the recording */
	char before[LINE_BYTES]; /* the last that agreed */
	uint64_t number;         /* of `line` in the recording */
	uint64_t compared, differing;
};

/* ---- names of files ---- */

/* Where ".ops" or ".expected" begins, at the end or before ".gz"; NULL: neither. */
static const char *ending(const char *path, const char *suffix)
{
	size_t length = strlen(path);
	size_t wanted = strlen(suffix);
	if (length > 3 && strcmp(path + length - 3, ".gz") == 0)
		length -= 3;
	return length > wanted && strncmp(path + length - wanted, suffix, wanted) == 0 ? path + length - wanted : NULL;
}

static bool exists(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file)
		(void)fclose(file);
	return file != NULL;
}

/* The recording beside the list, whichever of both is compressed. */
static bool find_beside(const char *path, char out[PATH_BYTES])
{
	const char *end = ending(path, ".ops");
	static const char *const suffixes[] = {".expected", ".expected.gz"};
	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(out, PATH_BYTES, "%.*s%s", (int)(end - path), path, suffixes[i]);
		if (exists(out))
			return true;
	}
	return false;
}

/* NAME.ops and NAME.expected, wherever they lie. */
static bool same_name(const char *list, const char *expected)
{
	const char *a = strrchr(list, '/') ? strrchr(list, '/') + 1 : list;
	const char *b = strrchr(expected, '/') ? strrchr(expected, '/') + 1 : expected;
	size_t length = (size_t)(ending(list, ".ops") - a);
	return (size_t)(ending(expected, ".expected") - b) == length && strncmp(a, b, length) == 0;
}

/* ---- comparing ---- */

/* Comments of the recording that are no lines of the end. */
static bool is_comment(const char *line)
{
	static const char *const ends[] = {"# end ", "# calls ", "# break ", "# mallinfo2 ", "# present_pages "};
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strncmp(line, ends[i], strlen(ends[i])) == 0)
			return false;
	}
	return line[0] == '#';
}

/* The next line of the recording; "" behind the last. */
static void advance(struct comparison *c)
{
	do {
		c->number++;
		if (!gzgets(c->expected, c->line, LINE_BYTES)) {
			c->line[0] = '\0';
			return;
		}
	} while (is_comment(c->line));
	c->line[strcspn(c->line, "\r\n")] = '\0';
}

static void show(const struct comparison *c, const struct replay_line *actual)
{
	if (actual->operation[0])
		printf("%s:%u: operation %" PRIu64 ": %s\n", c->path, actual->line, c->compared + 1, actual->operation);
	else
		printf("%s: at the end\n", c->path);
	if (c->before[0])
		printf("  both before  %s\n", c->before);
	printf("  expected     %s\n  actual       %s\n", c->line[0] ? c->line : "nothing: the recording ends here",
	       actual->text);
}

static void compare_line(void *self, const struct replay_line *actual)
{
	struct comparison *c = self;
	advance(c);
	/* Not every recording has all lines of the end. */
	if (actual->text[0] == '#' && c->line[0] == '\0')
		return;
	if (strcmp(c->line, actual->text) == 0) {
		(void)snprintf(c->before, sizeof(c->before), "%s", c->line);
	} else {
		if (c->differing == 0)
			show(c, actual);
		c->differing++;
	}
	c->compared++;
}

/* True when every line agrees and the list ran to its end. */
static bool compare_file(const char *path, const char *expected)
{
	struct comparison c = {.path = path};
	struct error error = {0};
	c.expected = gzopen(expected, "rb");
	if (!c.expected) {
		printf("%s: cannot be opened\n", expected);
		return false;
	}
	bool good = replay_op_list(path, (const char *[]){NULL}, false, compare_line, &c, &error) == STATUS_OK;
	if (!good)
		printf("%s\n", error.text);
	if (good && c.line[0] != '\0')
		advance(&c);
	if (good && c.line[0] != '\0') {
		printf("%s: the recording goes on behind the end: %s\n", path, c.line);
		good = false;
	}
	printf("%s: %" PRIu64 " of %" PRIu64 " lines agree\n", path, c.compared - c.differing, c.compared);
	(void)gzclose(c.expected);
	return good && c.differing == 0;
}

/* ---- the command line ---- */

/* In any order: a recording belongs to the list of its name; one of another name to the list just before it. */
struct arguments {
	char **path;
	int count;
};

static bool has_list(const struct arguments *all, const char *expected)
{
	for (int i = 0; i < all->count; i++) {
		if (ending(all->path[i], ".ops") && same_name(all->path[i], expected))
			return true;
	}
	return false;
}

static const char *find_recording(const struct arguments *all, int list, char beside[PATH_BYTES])
{
	const char *path = all->path[list];
	for (int i = 0; i < all->count; i++) {
		if (ending(all->path[i], ".expected") && same_name(path, all->path[i]))
			return all->path[i];
	}
	if (list + 1 < all->count && ending(all->path[list + 1], ".expected") && !has_list(all, all->path[list + 1]))
		return all->path[list + 1];
	return find_beside(path, beside) ? beside : NULL;
}

static bool compare_list(const struct arguments *all, int list)
{
	char beside[PATH_BYTES];
	const char *expected = find_recording(all, list, beside);
	if (!expected)
		printf("%s: there is no recording: give FILE.expected[.gz] behind it, or put it beside it\n",
		       all->path[list]);
	return expected && compare_file(all->path[list], expected);
}

/* A recording is used by its list, or by the list before it. */
static bool is_usable(const struct arguments *all, int i)
{
	if (ending(all->path[i], ".expected") &&
	    (has_list(all, all->path[i]) || (i > 0 && ending(all->path[i - 1], ".ops"))))
		return true;
	printf("%s: expected FILE.ops or FILE.ops.gz, and FILE.expected[.gz] behind it if it does not lie beside it\n",
	       all->path[i]);
	return false;
}

int main(int argc, char **argv)
{
	const struct arguments all = {argv + 1, argc - 1};
	unsigned passed = 0;
	unsigned failed = 0;
	for (int i = 0; i < all.count; i++) {
		bool list = ending(all.path[i], ".ops") != NULL;
		if (list && compare_list(&all, i))
			passed++;
		else if (list || !is_usable(&all, i))
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed == 0 && passed > 0 ? 0 : 1;
}
