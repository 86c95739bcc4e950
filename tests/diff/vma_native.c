/* The simulated kernel against the host's: random sequences of memory calls, brk included, and accesses on one small
 * region. After each step are compared: the result or errno, the minor faults that getrusage counts, what mincore says,
 * and the region's part of /proc/self/smaps: areas, rights, flags, and what is resident of them. A difference is
 * shrunk.
 *
 * usage: vma_native [SEQUENCES [FIRST_SEED [huge]]]
 *
 * With `huge` all lengths are multiples of a quarter of a huge page, and MADV_HUGEPAGE means something. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vma/sequence.h"

enum { SKIPPED = 77 };

struct pair {
	struct native *native;
	struct outcomes theirs, ours;
};

/* How many huge pages fit into what is mapped elsewhere depends on where that is. */
static bool same_faults(const struct outcome *a, const struct outcome *b, uint64_t unit)
{
	return a->faults == b->faults || (unit == UNIT_HUGE && a->result == RESULT_ELSEWHERE);
}

static bool same_outcome(const struct outcome *a, const struct outcome *b, uint64_t unit)
{
	return a->result == b->result && same_faults(a, b, unit) && memcmp(a->core, b->core, sizeof(a->core)) == 0 &&
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
	while (step < sequence->count && same_outcome(&pair->theirs.of[step], &pair->ours.of[step], sequence->unit))
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

/* How often somebody on the host wanted a huge page and did not get one. */
static uint64_t host_fallbacks(void)
{
	char line[128];
	uint64_t count = 0;
	FILE *file = fopen("/proc/vmstat", "r");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "thp_fault_fallback ", 19) == 0)
			count = strtoull(line + 19, NULL, 10);
	}
	if (file)
		(void)fclose(file);
	return count;
}

int main(int argc, char **argv)
{
	uint64_t count = argument(argc, argv, 1, 100), first = argument(argc, argv, 2, 1), bad = 0;
	const uint64_t most_reports = 5, unit = argc > 3 ? UNIT_HUGE : UNIT_SMALL;
	struct pair *pair = calloc(1, sizeof(*pair));
	if (!pair)
		return 1;
	pair->native = unit == UNIT_SMALL || host_has_huge_pages() ? native_start(unit) : NULL;
	if (!pair->native) {
		(void)printf("SKIPPED: this is no Linux on x86-64 with a free region and MADV_HUGEPAGE, or a sanitizer "
			     "is in the way; "
			     "nothing was compared\n");
		free(pair);
		return SKIPPED;
	}
	(void)printf("%" PRIu64 " sequences from seed %" PRIu64 "\n", count, first);
	for (uint64_t seed = first; seed < first + count && bad < most_reports; seed++) {
		struct sequence sequence;
		uint64_t fallbacks = host_fallbacks();
		sequence_make(&sequence, seed, unit);
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
