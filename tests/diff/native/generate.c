#include "generate.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/rng.h"

enum { MAX_LIVE = 512, MAX_THREADS = 20, TEXT_BYTES = 1 << 18 };

/* What the program may do and how often: letters of the op list, each as often as it stands there. `w` is a touch of a
 * random part, `d` and `p` are D and P on blocks, `!` a call that must fail, `x` a word that ruins the heap. */
struct regime {
	const char *name;
	const char *letters;
	const char *sizes; /* s tiny, f fastbin, t tcache, l large, p pages, h near the mmap threshold, m megabytes */
	const char *head;  /* G and O lines to choose from: * a random one */
};

static const struct regime regimes[] = {
    {"tcache", "mmmmmmmffffffffcww", "sstt", ""},
    {"fastbin", "mmmmmmfffffffcrw", "ff", ""},
    {"small", "mmmmmmmffffffcraw", "sttt", ""},
    {"large", "mmmmmmffffffcrraw", "tlll", ""},
    {"toptrim", "mmmmmfffffcrww", "tpph", ""},
    {"mmap", "mmmmfffffcw", "ph hm", "*"},
    {"mmapdyn", "mmmmmffffffcrw", "hhmm", ""},
    {"realloc", "mmrrrrrrffcw", "stlph", ""},
    {"remap", "mmrrrrrrfwww", "hmm", ""},
    {"memalign", "maaaaaffffrcw", "stlph", ""},
    {"trim", "mmmmmffffffcaTw", "stlp", ""},
    {"mallopt", "mmmmmmffffffOcarTw", "stlph", "*"},
    {"sbrk", "mmmmmfffffBcarw", "stlp", ""},
    {"kernel", "MMMUUDDPPwwwwwmfr", "ph", ""},
    {"calloc", "cccccccfffffffmTw", "stlph", ""},
    {"dontneed", "mmmmffffddpprwwwca", "lphm", ""},
    {"tunables", "mmmmmmffffffcarTw", "stlph", "G"},
    {"errors", "mmmmffff!!carw", "stlph", ""},
    {"mixed", "mmmmmmffffffccaarrTOBMUDPdpwww!", "sftlphm", "*"},
    {"lifetimes", "mmmmmmffffffcrw", "stl", ""},
    {"ruin", "mmmmmmfffffffcraTx", "sstl", "*"},
    {"ruin", "mmmmffffcrrax", "tllph", ""},
    {"perturb", "mmmmmffffcarw", "stlph", "O"},
};

struct block {
	uint64_t id, bytes;
	bool mapping, restricted; /* not to be touched: parts of it are gone or protected */
};

struct generator {
	struct rng rng;
	const struct regime *regime;
	char *text;
	size_t used;
	struct block live[MAX_LIVE];
	unsigned count;
	uint64_t next_id;
	bool threaded;
	bool thread_runs[MAX_THREADS];
	unsigned thread; /* of the next operation */
};

static uint64_t below(struct generator *g, uint64_t bound)
{
	return rng_below(&g->rng, bound);
}

static void line(struct generator *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line(struct generator *g, const char *format, ...)
{
	va_list args;
	if (TEXT_BYTES - g->used < 256)
		return;
	if (g->thread != 0)
		g->used += (size_t)sprintf(g->text + g->used, "@%u ", g->thread);
	va_start(args, format);
	g->used += (size_t)vsnprintf(g->text + g->used, 200, format, args);
	va_end(args);
	g->text[g->used++] = '\n';
	g->text[g->used] = '\0';
}

/* ---- sizes ---- */

static uint64_t near(struct generator *g, uint64_t middle, uint64_t spread)
{
	return middle - spread + below(g, 2 * spread + 1);
}

static uint64_t random_size(struct generator *g)
{
	const char *sizes = g->regime->sizes;
	switch (sizes[below(g, strlen(sizes))]) {
	case 's':
		return below(g, 72);
	case 'f':
		return 16 * below(g, 9) + below(g, 9);
	case 't':
		return below(g, 8) == 0 ? near(g, 1032, 24) : below(g, 1100);
	case 'l':
		return 1000 + below(g, below(g, 2) ? 4000 : 40000);
	case 'p':
		return 4096 * (1 + below(g, 24)) + below(g, 64) - 32;
	case 'h':
		return below(g, 3) == 0 ? near(g, 128 << 10, 64) : 60000 + below(g, 240000);
	case 'm':
		return below(g, 4) == 0 ? near(g, (uint64_t)(1 + below(g, 3)) << 21, 48) : 300000 + below(g, 5000000);
	default:
		return below(g, 3000);
	}
}

static uint64_t absurd_size(struct generator *g)
{
	switch (below(g, 5)) {
	case 0:
		return (uint64_t)1 << 63;
	case 1:
		return UINT64_MAX - below(g, 100);
	case 2:
		return ((uint64_t)1 << 63) - 1 - below(g, 8192);
	case 3:
		return ((uint64_t)1 << 47) + below(g, 1 << 20);
	default:
		return ((uint64_t)1 << 48) + below(g, (uint64_t)1 << 60);
	}
}

/* ---- blocks ---- */

static void add_block(struct generator *g, uint64_t bytes, bool mapping)
{
	g->live[g->count++] = (struct block){g->next_id++, bytes, mapping, false};
}

static void remove_block(struct generator *g, unsigned index)
{
	g->live[index] = g->live[--g->count];
}

/* A block, or a mapping; false: there is none. Recent ones are chosen more often. */
static bool choose(struct generator *g, bool mapping, unsigned *out)
{
	for (unsigned tries = 0; tries < 8 && g->count > 0; tries++) {
		unsigned recent = g->count < 8 ? g->count : 8;
		*out = (unsigned)(below(g, 3) == 0 ? g->count - 1 - below(g, recent) : below(g, g->count));
		if (g->live[*out].mapping == mapping)
			return true;
	}
	return false;
}

static void allocate(struct generator *g, char letter)
{
	uint64_t bytes = random_size(g);
	uint64_t count;
	if (g->count == MAX_LIVE)
		return;
	if (letter == 'm') {
		line(g, "m %" PRIu64 " %" PRIu64, g->next_id, bytes);
	} else if (letter == 'c') {
		count = below(g, 2) ? 1 : 1 + below(g, 40);
		bytes = count == 1 ? bytes : bytes / count;
		line(g, "c %" PRIu64 " %" PRIu64 " %" PRIu64, g->next_id, count, bytes);
		bytes *= count;
	} else {
		uint64_t align = (uint64_t)1 << (3 + below(g, below(g, 4) ? 10 : 18));
		if (below(g, 10) == 0)
			align += below(g, 100);
		line(g, "a %" PRIu64 " %" PRIu64 " %" PRIu64, g->next_id, align, bytes);
	}
	add_block(g, bytes, false);
}

static void release(struct generator *g)
{
	unsigned i;
	if (below(g, 60) == 0) {
		line(g, "f 0");
		return;
	}
	if (!choose(g, false, &i))
		return;
	if (g->live[i].restricted)
		return;
	line(g, "f %" PRIu64, g->live[i].id);
	remove_block(g, i);
}

static void reallocate(struct generator *g)
{
	unsigned i;
	uint64_t bytes = random_size(g);
	if (!choose(g, false, &i) || g->live[i].restricted)
		return;
	if (below(g, 3) == 0)
		bytes = near(g, g->live[i].bytes + 64, 64);
	if (below(g, 60) == 0) {
		line(g, "r %" PRIu64 " %" PRIu64 " 0", g->live[i].id, g->next_id++);
		remove_block(g, i);
		return;
	}
	line(g, "r %" PRIu64 " %" PRIu64 " %" PRIu64, g->live[i].id, g->next_id, bytes + (bytes == 0));
	g->live[i].id = g->next_id++;
	g->live[i].bytes = bytes + (bytes == 0);
}

/* A part of the block: all, its start, its end, or something in it. */
static void part(struct generator *g, const struct block *block, uint64_t *offset, uint64_t *length)
{
	*offset = below(g, 3) == 0 ? 0 : below(g, block->bytes);
	*length = below(g, 3) == 0 ? block->bytes - *offset : 1 + below(g, block->bytes - *offset);
}

static void touch(struct generator *g)
{
	unsigned i;
	uint64_t offset, length;
	bool mapping = below(g, 2) == 0;
	if ((!choose(g, mapping, &i) && !choose(g, !mapping, &i)) || g->live[i].restricted || g->live[i].bytes == 0)
		return;
	part(g, &g->live[i], &offset, &length);
	if (length > (uint64_t)1 << 21 && below(g, 8) != 0)
		length = (uint64_t)1 << 21;
	line(g, "%c %" PRIu64 " %" PRIu64 " %" PRIu64, below(g, 3) ? 't' : 'l', g->live[i].id, offset, length);
}

static void drop_pages(struct generator *g, bool mapping)
{
	unsigned i;
	uint64_t offset, length;
	if (!choose(g, mapping, &i) || g->live[i].restricted || g->live[i].bytes == 0)
		return;
	part(g, &g->live[i], &offset, &length);
	line(g, "D %" PRIu64 " %" PRIu64 " %" PRIu64, g->live[i].id, offset, length);
}

/* Protects a part and gives it back; between both nobody touches it. */
static void protect(struct generator *g, bool mapping)
{
	unsigned i;
	uint64_t offset, length;
	if (!choose(g, mapping, &i) || g->live[i].restricted || g->live[i].bytes == 0)
		return;
	part(g, &g->live[i], &offset, &length);
	line(g, "P %" PRIu64 " %" PRIu64 " %" PRIu64 " %d", g->live[i].id, offset, length, below(g, 2) ? 1 : 0);
	line(g, "P %" PRIu64 " %" PRIu64 " %" PRIu64 " 3", g->live[i].id, offset, length);
}

static void map(struct generator *g)
{
	uint64_t bytes = 4096 * (1 + below(g, 60));
	if (below(g, 4) == 0)
		bytes = (uint64_t)(1 + below(g, 4)) << 21;
	if (g->count == MAX_LIVE)
		return;
	line(g, "M %" PRIu64 " %" PRIu64, g->next_id, bytes);
	add_block(g, bytes, true);
}

static void unmap(struct generator *g)
{
	unsigned i;
	if (!choose(g, true, &i))
		return;
	uint64_t pages = (g->live[i].bytes + 4095) / 4096;
	uint64_t first = below(g, 2) ? 0 : below(g, pages);
	uint64_t count = below(g, 2) ? pages - first : 1 + below(g, pages - first);
	/* Of what is left nothing is used any more: others may move into the hole. */
	line(g, "U %" PRIu64 " %" PRIu64 " %" PRIu64, g->live[i].id, first * 4096, count * 4096);
	remove_block(g, i);
}

static void move_break(struct generator *g)
{
	static const int64_t steps[] = {0, 16, 100, 4096, 65536, 100000};
	int64_t step = steps[below(g, 6)];
	line(g, "B %" PRId64, step);
	if (step && below(g, 2))
		line(g, "B %" PRId64, -step);
}

static void set_parameter(struct generator *g)
{
	static const char *const lines[] = {
	    "O 1 0",      "O 1 64",      "O 1 80",       "O 1 128", "O 1 160",   "O 1 161",    "O -1 0",
	    "O -1 65536", "O -1 200000", "O -1 -1",      "O -2 0",  "O -2 4096", "O -2 70000", "O -2 1000000",
	    "O -3 4096",  "O -3 65536",  "O -3 1000000", "O -3 -1", "O -4 0",    "O -4 3",     "O -4 65536",
	    "O -6 90",    "O -6 0",      "O -6 511",     "O -5 1",  "O -7 3",    "O -8 4",     "O 99 1"};
	line(g, "%s", lines[below(g, sizeof(lines) / sizeof(lines[0]))]);
}

static void set_tunable(struct generator *g)
{
	static const char *const lines[] = {"perturb=90",
					    "tcache_count=0",
					    "tcache_count=1",
					    "tcache_count=30",
					    "tcache_count=65535",
					    "tcache_max=0",
					    "tcache_max=64",
					    "tcache_max=500",
					    "tcache_max=1032",
					    "tcache_max=5000",
					    "mxfast=0",
					    "mxfast=48",
					    "mxfast=160",
					    "mxfast=400",
					    "top_pad=0",
					    "top_pad=8192",
					    "trim_threshold=0",
					    "trim_threshold=400000",
					    "mmap_max=0",
					    "mmap_max=2",
					    "mmap_threshold=8192",
					    "mmap_threshold=1000000",
					    "tcache_unsorted_limit=1",
					    "tcache_unsorted_limit=3",
					    "arena_max=1",
					    "arena_max=2",
					    "arena_test=1"};
	line(g, "G glibc.malloc.%s", lines[below(g, sizeof(lines) / sizeof(lines[0]))]);
}

static void must_fail(struct generator *g)
{
	unsigned i;
	uint64_t bytes = absurd_size(g);
	switch (below(g, 5)) {
	case 0:
		line(g, "m %" PRIu64 " %" PRIu64, g->next_id++, bytes);
		break;
	case 1:
		line(g, "c %" PRIu64 " %" PRIu64 " %" PRIu64, g->next_id++, (uint64_t)3, bytes);
		break;
	case 2:
		line(g, "a %" PRIu64 " %" PRIu64 " %" PRIu64, g->next_id++, (uint64_t)64, bytes);
		break;
	case 3:
		line(g, "a %" PRIu64 " %" PRIu64 " 100", g->next_id++, ((uint64_t)1 << 62) * (1 + below(g, 3)) + 1);
		break;
	default:
		if (choose(g, false, &i) && !g->live[i].restricted)
			line(g, "r %" PRIu64 " %" PRIu64 " %" PRIu64, g->live[i].id, g->next_id++, bytes);
		break;
	}
}

/* Near the start of a block, or behind its end, where the allocator keeps what it knows. */
static void ruin(struct generator *g)
{
	static const int64_t places[] = {-16, -8, -8, -8, 0, 8, 16, 24};
	static const uint64_t words[] = {0,      1,       8,          0x10,       0x11,           0x20,  0x21,
					 0x31,   0x28,    0x91,       0x410,      0x411,          0x421, 0x1001,
					 0x2003, 0x21001, 0x7fffffff, UINT64_MAX, UINT64_MAX - 15};
	/* Of a heap of another arena; of more than 32 bits. */
	static const uint64_t rarer[] = {0x25, 0x35, 0x95, 0x415, 0x21005, 0x100000021, 0x100000091};
	unsigned i;
	if (!choose(g, false, &i) || g->live[i].restricted || below(g, 4) != 0)
		return;
	int64_t at = places[below(g, 8)];
	if (below(g, 2))
		at += (int64_t)((g->live[i].bytes + 8 + 15) & ~(uint64_t)15);
	uint64_t word = words[below(g, sizeof(words) / sizeof(words[0]))];
	if (below(g, 4) == 0)
		word = rarer[below(g, sizeof(rarer) / sizeof(rarer[0]))];
	else if (below(g, 6) == 0)
		word = rng_next(&g->rng);
	line(g, "w %" PRIu64 " %" PRId64 " %" PRIu64, g->live[i].id, at, word);
}

/* ---- threads ---- */

static void change_thread(struct generator *g)
{
	unsigned number = (unsigned)below(g, MAX_THREADS);
	unsigned likely = (unsigned)below(g, 4);
	if (below(g, 3))
		number = likely;
	if (!g->thread_runs[number]) {
		if (below(g, 3) == 0) {
			line(g, "C %u", number);
			g->thread_runs[number] = true;
		}
	} else if (number != 0 && number != g->thread && below(g, 8) == 0) {
		line(g, "J %u", number);
		g->thread_runs[number] = false;
	} else {
		g->thread = number;
	}
}

/* ---- the list ---- */

static void step(struct generator *g)
{
	const char *letters = g->regime->letters;
	char letter = letters[below(g, strlen(letters))];
	if (g->threaded && below(g, 6) == 0)
		change_thread(g);
	/* Programs do not only grow. */
	if (strchr("mca", letter) && below(g, MAX_LIVE) < g->count)
		letter = 'f';
	switch (letter) {
	case 'm':
	case 'c':
	case 'a':
		allocate(g, letter);
		break;
	case 'f':
		for (uint64_t i = below(g, 12) ? 1 : 1 + below(g, 12); i > 0; i--)
			release(g);
		break;
	case 'r':
		reallocate(g);
		break;
	case 'w':
		touch(g);
		break;
	case 'd':
	case 'D':
		drop_pages(g, letter == 'D');
		break;
	case 'p':
	case 'P':
		protect(g, letter == 'P');
		break;
	case 'M':
		map(g);
		break;
	case 'U':
		unmap(g);
		break;
	case 'x':
		ruin(g);
		break;
	case 'B':
		move_break(g);
		break;
	case 'T':
		line(g, "T %" PRIu64, below(g, 3) ? (uint64_t)0 : below(g, 200000));
		break;
	case 'O':
		set_parameter(g);
		break;
	default:
		must_fail(g);
		break;
	}
}

static void begin(struct generator *g)
{
	char head = g->regime->head[0];
	if (head == 'G' || (head == '*' && below(g, 4) == 0)) {
		for (uint64_t i = 1 + below(g, 3); i > 0; i--)
			set_tunable(g);
	}
	if (head == 'O' && below(g, 2))
		line(g, "O -6 %" PRIu64, below(g, 256));
	if (head == '*' && below(g, 2))
		set_parameter(g);
}

/* Another regime's sizes, or its operations: mixtures that the recordings do not have. */
static const struct regime *mixture(struct generator *g, struct regime *room)
{
	const unsigned count = sizeof(regimes) / sizeof(regimes[0]);
	*room = regimes[below(g, count)];
	if (below(g, 2)) {
		room->sizes = regimes[below(g, count)].sizes;
		room->head = regimes[below(g, count)].head;
	}
	return room;
}

char *generate_list(uint64_t seed, bool threads)
{
	struct generator g = {.rng = rng_seeded(seed), .text = malloc(TEXT_BYTES), .next_id = 1, .threaded = threads};
	struct regime room;
	if (!g.text)
		abort();
	g.regime = mixture(&g, &room);
	g.thread_runs[0] = true;
	line(&g, "# seed %" PRIu64 " regime %s", seed, g.regime->name);
	begin(&g);
	uint64_t steps = 20 + below(&g, below(&g, 4) == 0 ? 1500 : 200);
	for (uint64_t i = 0; i < steps; i++)
		step(&g);
	return g.text;
}
