/* The simulated kernel against the host's: random sequences of memory calls, brk included, and accesses on one small
 * region. After each step are compared: the result or errno, the minor faults that getrusage counts, what mincore says,
 * and the region's part of /proc/self/smaps: areas, rights, flags, and what is resident of them. A difference is
 * shrunk.
 *
 * usage: vma_native [SEQUENCES [FIRST_SEED [SUBJECT]]]
 *
 * With `huge` all lengths are multiples of a quarter of a huge page, and MADV_HUGEPAGE means something. With `hugetlb`
 * most mappings are of MAP_HUGETLB, and the free and promised pages of the pool are compared, too: the host must have
 * one of 8 pages or more that nobody uses (vm.nr_hugepages). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "vma/sequence.h"

enum { SKIPPED = 77, LEAST_POOL = 8 };

struct pair {
	struct native *native;
	struct outcomes theirs, ours;
};

/* How many huge pages fit into what is mapped elsewhere depends on where that is. */
static bool same_faults(const struct outcome *a, const struct outcome *b, enum subject subject)
{
	return a->faults == b->faults || (subject == SUBJECT_HUGE && a->result == RESULT_ELSEWHERE);
}

static bool same_outcome(const struct outcome *a, const struct outcome *b, enum subject subject)
{
	return a->result == b->result && same_faults(a, b, subject) && memcmp(a->core, b->core, sizeof(a->core)) == 0 &&
	       strcmp(a->smaps, b->smaps) == 0;
}

/* The first step with two outcomes; count: there is none. */
static unsigned first_difference(struct pair *pair, const struct sequence *sequence)
{
	pair->theirs.sequence = pair->ours.sequence = *sequence;
	if (!native_run(pair->native, &pair->theirs)) {
		(void)printf("the native process died\n");
		exit(1);
	}
	simulated_run(&pair->ours);
	unsigned step = 0;
	while (step < sequence->count && same_outcome(&pair->theirs.of[step], &pair->ours.of[step], sequence->subject))
		step++;
	return step;
}

static void without(struct sequence *sequence, unsigned step)
{
	memmove(&sequence->steps[step], &sequence->steps[step + 1],
		(sequence->count - step - 1) * sizeof(sequence->steps[0]));
	sequence->count--;
}

/* Leaves out whatever is not needed for a difference. */
static void shrink(struct pair *pair, struct sequence *sequence)
{
	unsigned first = first_difference(pair, sequence);
	sequence->count = first < sequence->count ? first + 1 : sequence->count;
	for (unsigned i = sequence->count; i-- > 0;) {
		struct sequence shorter = *sequence;
		without(&shorter, i);
		unsigned at = first_difference(pair, &shorter);
		if (at == shorter.count)
			continue;
		shorter.count = at + 1;
		*sequence = shorter;
		i = i < sequence->count ? i : sequence->count;
	}
}

static void print_outcome(const char *who, const struct outcome *outcome)
{
	(void)printf("%s: ", who);
	if (outcome->result == RESULT_ELSEWHERE)
		(void)printf("outside of the region");
	else if (outcome->result == RESULT_SIGNAL)
		(void)printf("a signal");
	else if (outcome->result < 0)
		(void)printf("%s", linux_errno_name((int)-outcome->result));
	else
		(void)printf("0x%" PRIx64, (uint64_t)outcome->result);
	(void)printf(", %" PRIu64 " minor faults\n", outcome->faults);
}

/* Lines of the one that the other does not have at that place. */
static void print_smaps(const struct outcome *theirs, const struct outcome *ours)
{
	const char *a = theirs->smaps, *b = ours->smaps;
	while (*a || *b) {
		size_t la = strcspn(a, "\n"), lb = strcspn(b, "\n");
		if (la != lb || strncmp(a, b, la) != 0)
			(void)printf("  native    %.*s\n  simulated %.*s\n", (int)la, a, (int)lb, b);
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
	}
}

static void report(struct pair *pair, struct sequence *sequence)
{
	shrink(pair, sequence);
	unsigned at = first_difference(pair, sequence);
	(void)printf("seed %" PRIu64 ": the last step of this script differs\n", sequence->seed);
	sequence_print(sequence, stdout);
	if (at == sequence->count) {
		(void)printf("(not every time)\n");
		return;
	}
	print_outcome("native   ", &pair->theirs.of[at]);
	print_outcome("simulated", &pair->ours.of[at]);
	if (memcmp(pair->theirs.of[at].core, pair->ours.of[at].core, REGION_UNITS) != 0)
		(void)printf("mincore differs\n");
	print_smaps(&pair->theirs.of[at], &pair->ours.of[at]);
}

static uint64_t argument(int argc, char **argv, int index, uint64_t fallback)
{
	return argc > index ? strtoull(argv[index], NULL, 0) : fallback;
}

/* Huge pages are to be had for the asking. */
static bool host_has_huge_pages(void)
{
	char text[64] = "";
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	if (!file)
		return false;
	bool asked = fgets(text, sizeof(text), file) && strstr(text, "[madvise]");
	(void)fclose(file);
	return asked;
}

/* The number behind a word of a file of /proc; 0: there is none. */
static uint64_t host_number(const char *path, const char *word)
{
	char line[128];
	uint64_t number = 0;
	FILE *file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, word, strlen(word)) == 0)
			number = strtoull(line + strlen(word), NULL, 10);
	}
	if (file)
		(void)fclose(file);
	return number;
}

/* How often somebody on the host wanted a huge page and did not get one. */
static uint64_t host_fallbacks(void)
{
	return host_number("/proc/vmstat", "thp_fault_fallback ");
}

/* Pages of 2 MiB in the host's pool that nobody has been promised; 0: somebody uses them. */
static uint64_t host_pool(void)
{
	const char *path = "/proc/meminfo";
	uint64_t total = host_number(path, "HugePages_Total:"), free = host_number(path, "HugePages_Free:");
	uint64_t pool = free - host_number(path, "HugePages_Rsvd:");
	bool plain = free == total && host_number(path, "Hugepagesize:") == HUGE_BYTES / 1024 &&
		     host_number("/proc/sys/vm/nr_overcommit_hugepages", "") == 0;
	return plain ? pool : 0;
}

static enum subject subject_argument(int argc, char **argv, int index)
{
#define X(id, name)                                                                                                    \
	if (argc > index && strcmp(argv[index], name) == 0)                                                            \
		return SUBJECT_##id;
	SUBJECT_LIST(X)
#undef X
	return SUBJECT_SMALL;
}

static struct native *start(enum subject subject)
{
	if ((subject == SUBJECT_HUGE && !host_has_huge_pages()) ||
	    (subject == SUBJECT_HUGETLB && host_pool() < LEAST_POOL))
		return NULL;
	return native_start(subject);
}

int main(int argc, char **argv)
{
	uint64_t count = argument(argc, argv, 1, 100), first = argument(argc, argv, 2, 1), bad = 0;
	const uint64_t most_reports = 5;
	const enum subject subject = subject_argument(argc, argv, 3);
	struct pair *pair = calloc(1, sizeof(*pair));
	if (!pair)
		return 1;
	pair->native = start(subject);
	if (!pair->native) {
		(void)printf("SKIPPED: this is no Linux on x86-64 with a free region and the huge pages for it, or a "
			     "sanitizer is in the way; nothing was compared\n");
		free(pair);
		return SKIPPED;
	}
	const enum zero_page zero_page = host_zero_page();
	(void)printf("%" PRIu64 " sequences from seed %" PRIu64 ", the page of zeroes is %s\n", count, first,
		     zero_page == ZERO_PAGE_SHARED ? "shared" : "forbidden");
	for (uint64_t seed = first; seed < first + count && bad < most_reports; seed++) {
		struct sequence sequence;
		uint64_t fallbacks = host_fallbacks();
		sequence_make(&sequence, seed, subject);
		sequence.zero_page = zero_page;
		sequence.pool = host_pool();
		if (first_difference(pair, &sequence) == sequence.count || host_fallbacks() != fallbacks)
			continue;
		bad++;
		report(pair, &sequence);
	}
	(void)printf("%" PRIu64 " sequences differ\n", bad);
	native_stop(pair->native);
	free(pair);
	return bad ? 1 : 0;
}
