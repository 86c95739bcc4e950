/* Random sequences, and how they are written down. */
#include "sequence.h"

#include <inttypes.h>
#include <string.h>

static const int numbers[STEP_KINDS] = {
#define X(id, op, number) [STEP_##id] = (number),
    STEP_LIST(X)
#undef X
};

static const char *const ops[STEP_KINDS] = {
#define X(id, op, number) [STEP_##id] = (op),
    STEP_LIST(X)
#undef X
};

int step_number(const struct vma_step *step)
{
	return numbers[step->kind];
}

uint64_t step_mapped(const struct vma_step *step)
{
	uint64_t bytes = step->kind == STEP_MMAP ? step->length : step->new_length;
	return step->kind == STEP_MMAP && (step->flags & LINUX_MAP_HUGETLB) ? (bytes + HUGE_BYTES - 1) & -HUGE_BYTES
									    : bytes;
}

void step_arguments(const struct vma_step *step, uint64_t vec, uint64_t args[6])
{
	memset(args, 0, 6 * sizeof(*args));
	args[0] = step->at;
	args[1] = step->length;
	switch (step->kind) {
	case STEP_MMAP:
		args[2] = step->prot;
		args[3] = step->flags;
		args[4] = UINT64_MAX;
		break;
	case STEP_MREMAP:
		args[2] = step->new_length;
		args[3] = step->flags;
		args[4] = step->to;
		break;
	case STEP_MPROTECT:
		args[2] = step->prot;
		break;
	case STEP_MINCORE:
		args[2] = vec;
		break;
	case STEP_MADVISE:
	case STEP_MSYNC:
	case STEP_MLOCK2:
		args[2] = step->flags;
		break;
	case STEP_MLOCKALL:
		args[0] = step->flags;
		break;
	case STEP_MUNMAP:
	case STEP_MLOCK:
	case STEP_BRK:
	case STEP_MUNLOCK:
	case STEP_MUNLOCKALL:
	case STEP_READ:
	case STEP_WRITE:
	case STEP_KINDS:
		break;
	}
}

/* ---- chance ---- */

static bool one_in(struct rng *rng, uint64_t n)
{
	return rng_below(rng, n) == 0;
}

/* Mostly in the lower part, so that steps meet. */
static uint64_t some_unit(struct rng *rng)
{
	return rng_below(rng, one_in(rng, 4) ? REGION_UNITS : 20);
}

static uint64_t some_length(struct rng *rng, uint64_t unit)
{
	/* Not so long that a range would reach what else the process has. */
	static const uint64_t odd[] = {0, 1, 4097, UINT64_MAX, UINT64_MAX - 4096};
	if (one_in(rng, 40))
		return odd[rng_below(rng, sizeof(odd) / sizeof(*odd))];
	return unit * (1 + rng_below(rng, one_in(rng, 5) ? REGION_UNITS / 2 : 8));
}

static uint64_t some_address(struct rng *rng, uint64_t unit)
{
	return REGION + some_unit(rng) * unit + (one_in(rng, 60) ? 16 : 0);
}

static uint64_t some_prot(struct rng *rng)
{
	static const uint64_t prots[] = {3, 3, 3, 1, 1, 0, 5, 7, 2, 4};
	return prots[rng_below(rng, sizeof(prots) / sizeof(*prots))] | (one_in(rng, 100) ? 0x40 : 0);
}

static uint64_t some_map_flags(struct rng *rng)
{
	static const uint64_t extras[] = {LINUX_MAP_NORESERVE, LINUX_MAP_POPULATE, LINUX_MAP_LOCKED,
					  LINUX_MAP_GROWSDOWN, LINUX_MAP_STACK,    LINUX_MAP_NONBLOCK};
	uint64_t flags = LINUX_MAP_ANONYMOUS | (one_in(rng, 6) ? LINUX_MAP_SHARED : LINUX_MAP_PRIVATE);
	if (!one_in(rng, 12))
		flags |= one_in(rng, 6) ? LINUX_MAP_FIXED_NOREPLACE : LINUX_MAP_FIXED;
	while (one_in(rng, 4))
		flags |= extras[rng_below(rng, sizeof(extras) / sizeof(*extras))];
	if (one_in(rng, 80))
		flags ^= LINUX_MAP_PRIVATE;
	return one_in(rng, 80) ? flags & ~(uint64_t)LINUX_MAP_ANONYMOUS : flags;
}

static void some_mremap(struct rng *rng, struct vma_step *step, uint64_t unit)
{
	step->new_length = one_in(rng, 3) ? step->length : some_length(rng, unit);
	step->new_length = one_in(rng, 100) ? 0x7ffffffff000 : step->new_length;
	step->flags = one_in(rng, 3) ? 0 : LINUX_MREMAP_MAYMOVE;
	if (one_in(rng, 2))
		step->flags = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED;
	if (one_in(rng, 6)) {
		step->flags |= LINUX_MREMAP_DONTUNMAP;
		step->new_length = one_in(rng, 10) ? step->new_length : step->length;
	}
	if (one_in(rng, 40))
		step->flags = rng_below(rng, 16);
	step->to = some_address(rng, unit);
}

#define X(id, value, text) (value),
static const uint64_t advices[] = {MADV_LIST(X)};
#undef X

static uint64_t some_flags(struct rng *rng, enum step_kind kind)
{
	if (kind == STEP_MADVISE) {
		static const uint64_t frequent[] = {LINUX_MADV_DONTNEED, LINUX_MADV_FREE, LINUX_MADV_POPULATE_READ,
						    LINUX_MADV_POPULATE_WRITE};
		if (one_in(rng, 60))
			return 200; /* nothing is called so */
		return one_in(rng, 2) ? advices[rng_below(rng, sizeof(advices) / sizeof(*advices))]
				      : frequent[rng_below(rng, 4)];
	}
	if (kind == STEP_MLOCKALL) /* MCL_CURRENT would lock the test itself */
		return one_in(rng, 2) ? LINUX_MCL_FUTURE : LINUX_MCL_FUTURE | LINUX_MCL_ONFAULT;
	return rng_below(rng, kind == STEP_MLOCK2 ? 3 : 8);
}

static enum step_kind some_kind(struct rng *rng)
{
	static const uint8_t weights[STEP_KINDS] = {
	    [STEP_MMAP] = 14,   [STEP_MUNMAP] = 5, [STEP_MREMAP] = 9,  [STEP_MPROTECT] = 10, [STEP_MADVISE] = 12,
	    [STEP_MLOCK] = 3,   [STEP_MLOCK2] = 2, [STEP_MUNLOCK] = 3, [STEP_MLOCKALL] = 1,  [STEP_MUNLOCKALL] = 1,
	    [STEP_MINCORE] = 3, [STEP_BRK] = 6,    [STEP_MSYNC] = 1,   [STEP_READ] = 12,     [STEP_WRITE] = 18,
	};
	uint64_t ticket = rng_below(rng, 100);
	for (unsigned kind = 0; kind < STEP_KINDS; kind++) {
		if (ticket < weights[kind])
			return (enum step_kind)kind;
		ticket -= weights[kind];
	}
	return STEP_MMAP;
}

static void some_step(struct rng *rng, struct vma_step *step, uint64_t unit)
{
	step->kind = some_kind(rng);
	step->at = some_address(rng, unit);
	step->length = some_length(rng, unit);
	step->prot = some_prot(rng);
	if (step->kind == STEP_MMAP) {
		step->flags = some_map_flags(rng);
		step->length = one_in(rng, 100) ? 0x7ffffffff000 : step->length;
		if (one_in(rng, 60))
			step->at = one_in(rng, 2) ? 0 : 0x7ffffffff000;
	} else if (step->kind == STEP_MREMAP) {
		some_mremap(rng, step, unit);
	} else {
		step->flags = some_flags(rng, step->kind);
	}
	if (step->kind == STEP_MPROTECT && one_in(rng, 30))
		step->prot |= LINUX_PROT_GROWSDOWN;
	if (step->kind == STEP_BRK)
		step->at = REGION_BREAK - 4096 + 512 * rng_below(rng, one_in(rng, 4) ? 350 : 100);
	if (step->kind == STEP_MINCORE) {
		step->at = REGION + some_unit(rng) * unit;
		step->length = 4096 * (1 + rng_below(rng, 16));
	}
}

/* A huge page of which a part has been written after MADV_FREE stays once, when Linux wants it to go. */
static void avoid_rewritten_pages(struct sequence *sequence)
{
	bool frees = false;
	for (unsigned i = 0; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		frees = frees || (step->kind == STEP_MADVISE && step->flags == LINUX_MADV_FREE);
		if (frees && step->kind == STEP_MADVISE && step->flags == LINUX_MADV_PAGEOUT)
			step->flags = LINUX_MADV_COLD;
	}
}

/* The native process has transparent huge pages turned off: it refuses. */
static void avoid_collapse(struct sequence *sequence)
{
	for (unsigned i = 0; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		if (step->kind == STEP_MADVISE && step->flags == LINUX_MADV_COLLAPSE)
			step->flags = LINUX_MADV_NORMAL;
	}
}

/* With RLIMIT_DATA brk counts the program's variables too, which the two programs do not have in common. */
static void avoid_variables(struct sequence *sequence)
{
	for (unsigned i = 0; i < sequence->count; i++) {
		if (sequence->steps[i].kind == STEP_BRK)
			sequence->data_room = 0;
	}
}

/* A mapping that MREMAP_DONTUNMAP leaves behind is unlocked; its pages, for Linux, are not. MADV_PAGEOUT would show. */
static void avoid_half_locked_pages(struct sequence *sequence)
{
	bool keeps = false;
	for (unsigned i = 0; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		keeps = keeps || (step->kind == STEP_MREMAP && (step->flags & LINUX_MREMAP_DONTUNMAP));
		if (keeps && step->kind == STEP_MADVISE && step->flags == LINUX_MADV_PAGEOUT)
			step->flags = LINUX_MADV_COLD;
	}
}

/* Limits and the heap count in pages: they are left out. The steps from the first one on that are not for large pages
 * become accesses. */
static void be_about_large_pages(struct sequence *sequence, struct rng *rng, unsigned first)
{
	sequence->as_room = sequence->data_room = 0;
	sequence->lock_pages = 2048;
	for (unsigned i = first; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		if (step->kind == STEP_BRK || step->kind == STEP_MINCORE || step->kind == STEP_MSYNC ||
		    step->kind == STEP_MLOCKALL || (step->kind == STEP_MMAP && one_in(rng, 2)))
			step->kind = one_in(rng, 3) ? STEP_READ : STEP_WRITE;
	}
}

/* Begins with memory that is advised to have huge pages, and touches more of it. */
static void welcome_huge_pages(struct sequence *sequence, struct rng *rng)
{
	const uint64_t unit = subject_unit(sequence->subject), length = (16 + rng_below(rng, 32)) * unit;
	sequence->steps[0] = (struct vma_step){.kind = STEP_MMAP,
					       .at = REGION,
					       .length = length,
					       .prot = LINUX_PROT_READ | LINUX_PROT_WRITE,
					       .flags = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED};
	sequence->steps[1] = (struct vma_step){.kind = STEP_MADVISE,
					       .at = REGION + rng_below(rng, 3) * unit,
					       .length = length - rng_below(rng, 3) * unit,
					       .flags = LINUX_MADV_HUGEPAGE};
	be_about_large_pages(sequence, rng, 2);
	for (unsigned i = 2; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		if (step->kind == STEP_MMAP) /* huge pages of shared memory are not simulated */
			step->flags = (step->flags & ~(uint64_t)LINUX_MAP_SHARED) | LINUX_MAP_PRIVATE;
		if (step->kind == STEP_MADVISE && one_in(rng, 6))
			step->flags = LINUX_MADV_COLLAPSE;
	}
	avoid_rewritten_pages(sequence);
}

static uint64_t mostly_aligned(struct rng *rng, uint64_t bytes)
{
	bool far = bytes >= region_end(SUBJECT_HUGETLB); /* somewhere else there is what both do not have */
	return far || one_in(rng, 8) ? bytes : bytes - bytes % HUGE_BYTES;
}

/* Most mappings are of MAP_HUGETLB, and most addresses those of a page of it. */
static void use_pool(struct sequence *sequence, struct rng *rng)
{
	static const uint64_t sizes[] = {0, 0, 0, 21, 21, 12, 22};
	be_about_large_pages(sequence, rng, 0);
	for (unsigned i = 0; i < sequence->count; i++) {
		struct vma_step *step = &sequence->steps[i];
		step->at = mostly_aligned(rng, step->at);
		step->length = mostly_aligned(rng, step->length + (one_in(rng, 2) ? HUGE_BYTES : 0));
		step->to = mostly_aligned(rng, step->to);
		step->new_length = one_in(rng, 2) ? step->length : mostly_aligned(rng, step->new_length);
		if (step->kind == STEP_MMAP && !one_in(rng, 6))
			step->flags |= LINUX_MAP_HUGETLB | sizes[rng_below(rng, 7)] << LINUX_MAP_HUGE_SHIFT;
		if (step->kind == STEP_MADVISE && one_in(rng, 4))
			step->flags = LINUX_MADV_REMOVE;
	}
	avoid_collapse(sequence);
}

void sequence_make(struct sequence *sequence, uint64_t seed, enum subject subject)
{
	struct rng rng = rng_seeded(seed);
	*sequence = (struct sequence){.subject = subject, .seed = seed, .lock_pages = 2048};
	if (one_in(&rng, 6))
		sequence->as_room = 8 + rng_below(&rng, 60);
	if (one_in(&rng, 8))
		sequence->data_room = 8 + rng_below(&rng, 40);
	if (one_in(&rng, 3))
		sequence->lock_pages = rng_below(&rng, 40);
	sequence->count = 6 + (unsigned)rng_below(&rng, MOST_STEPS - 6);
	for (unsigned i = 0; i < sequence->count; i++)
		some_step(&rng, &sequence->steps[i], subject_unit(subject));
	avoid_half_locked_pages(sequence);
	avoid_variables(sequence);
	if (subject == SUBJECT_HUGE)
		welcome_huge_pages(sequence, &rng);
	else if (subject == SUBJECT_HUGETLB)
		use_pool(sequence, &rng);
	else
		avoid_collapse(sequence);
}

/* ---- text ---- */

static bool begins(const char *line, const char *word)
{
	return strncmp(line, word, strlen(word)) == 0;
}

static void add_line(char *text, const char *line, size_t length)
{
	size_t used = strlen(text);
	if (used + length + 2 >= SMAPS_BYTES)
		return;
	memcpy(text + used, line, length);
	strcpy(text + used + length, "\n");
}

void smaps_add_line(char *text, const char *line, size_t length)
{
	if (begins(line, "Referenced:") || begins(line, "LazyFree:"))
		return;
	/* "start-end perms offset device inode name": the first three. */
	bool header = memchr(line, '-', length < 20 ? length : 20) &&
		      memchr(line, ':', length < 20 ? length : 20) == NULL;
	size_t kept = length;
	unsigned blanks = 0;
	for (size_t i = 0; header && i < length && blanks < 3; i++) {
		blanks += line[i] == ' ';
		kept = i;
	}
	add_line(text, line, kept);
}

void pool_text(char *text, uint64_t free, uint64_t promised)
{
	char line[80];
	int length = snprintf(line, sizeof(line), "pool: %" PRIu64 " free, %" PRIu64 " promised", free, promised);
	add_line(text, line, (size_t)length);
}

static void put_words(FILE *out, const char *key, uint64_t value, const char *const *names, const uint64_t *values,
		      unsigned count)
{
	bool any = false;
	for (unsigned i = 0; i < count; i++) {
		if (values[i] ? (value & values[i]) != values[i] : value != 0)
			continue;
		(void)fprintf(out, "%s%s", any ? "|" : ", \"", any ? "" : key);
		(void)fprintf(out, "%s%s", any ? "" : "\": \"", names[i]);
		any = true;
	}
	if (any)
		(void)fprintf(out, "\"");
}

#define WORDS(out, key, value, list, prefix)                                                                           \
	do {                                                                                                           \
		static const char *const names[] = {list(prefix##_NAME)};                                              \
		static const uint64_t values[] = {list(VALUE)};                                                        \
		put_words(out, key, value, names, values, sizeof(values) / sizeof(*values));                           \
	} while (0)
#define VALUE(id, value, text) (value),
#define PROT_NAME(id, value, text) "PROT_" #id,
#define MAP_NAME(id, value, text) "MAP_" #id,
#define MREMAP_NAME(id, value, text) "MREMAP_" #id,
#define MLOCK_NAME(id, value, text) "MLOCK_" #id,
#define MCL_NAME(id, value, text) "MCL_" #id,
#define MS_NAME(id, value, text) "MS_" #id,

static void put_advice(FILE *out, uint64_t advice)
{
#define X(id, value, text)                                                                                             \
	if (advice == (value))                                                                                         \
		(void)fprintf(out, ", \"advice\": \"MADV_" #id "\"");
	MADV_LIST(X)
#undef X
}

static void put_range(const struct vma_step *step, FILE *out)
{
	bool access = step->kind == STEP_READ || step->kind == STEP_WRITE;
	if (step->kind == STEP_MMAP)
		(void)fprintf(out, ", \"id\": \"m\"");
	if (step->kind == STEP_MLOCKALL || step->kind == STEP_MUNLOCKALL)
		return;
	(void)fprintf(out, ", \"at\": {\"addr\": \"0x%" PRIx64 "\"}", step->at);
	if (!access && step->kind != STEP_BRK)
		(void)fprintf(out, ", \"length\": \"0x%" PRIx64 "\"", step->length);
}

void step_print(const struct vma_step *step, FILE *out)
{
	(void)fprintf(out, "{\"op\": \"%s\"", ops[step->kind]);
	put_range(step, out);
	if (step->kind == STEP_MMAP || step->kind == STEP_MPROTECT)
		WORDS(out, "prot", step->prot, PROT_LIST, PROT);
	if (step->kind == STEP_MMAP)
		WORDS(out, "flags", step->flags, MAP_FLAG_LIST, MAP);
	if (step->kind == STEP_MREMAP) {
		(void)fprintf(out, ", \"new_length\": \"0x%" PRIx64 "\", \"to\": {\"addr\": \"0x%" PRIx64 "\"}",
			      step->new_length, step->to);
		WORDS(out, "flags", step->flags, MREMAP_FLAG_LIST, MREMAP);
	}
	if (step->kind == STEP_MADVISE)
		put_advice(out, step->flags);
	if (step->kind == STEP_MLOCK2)
		WORDS(out, "flags", step->flags, MLOCK_FLAG_LIST, MLOCK);
	if (step->kind == STEP_MLOCKALL)
		WORDS(out, "flags", step->flags, MCL_LIST, MCL);
	if (step->kind == STEP_MSYNC)
		WORDS(out, "flags", step->flags, MS_LIST, MS);
	if (step->kind == STEP_MINCORE)
		(void)fprintf(out, ", \"vec\": {\"segment\": \"bss\"}");
	(void)fprintf(out, "}");
}

void sequence_print(const struct sequence *sequence, FILE *out)
{
	(void)fprintf(out, "{ \"faultline\": 1, \"name\": \"vma-native-%" PRIu64 "\", \"script\": [\n", sequence->seed);
	if (sequence->zero_page == ZERO_PAGE_FORBIDDEN)
		(void)fprintf(out, "  (with kernel.zero_page=forbidden)\n");
	if (sequence->subject == SUBJECT_HUGE)
		(void)fprintf(out, "  (with kernel.thp=madvise)\n");
	if (sequence->subject == SUBJECT_HUGETLB)
		(void)fprintf(out, "  (with kernel.hugepages=%" PRIu64 ")\n", sequence->pool);
	if (sequence->lock_pages != 2048)
		(void)fprintf(out,
			      "  {\"op\": \"setrlimit\", \"resource\": \"RLIMIT_MEMLOCK\", \"soft\": %" PRIu64 "},\n",
			      sequence->lock_pages * 4096);
	for (unsigned i = 0; i < sequence->count; i++) {
		(void)fprintf(out, "  ");
		step_print(&sequence->steps[i], out);
		(void)fprintf(out, "%s\n", i + 1 < sequence->count ? "," : "");
	}
	(void)fprintf(out, "] }\n");
	if (sequence->as_room || sequence->data_room)
		(void)fprintf(out,
			      "RLIMIT_AS: %" PRIu64 " pages more than at the start, RLIMIT_DATA: %" PRIu64
			      " (0: no limit)\n",
			      sequence->as_room, sequence->data_room);
}
