/* Random machine code of ring 3, executed by the host's processor and by the simulated one: registers, flags, memory
 *and exceptions must be the same. What the SDM leaves undefined is not compared.
 *
 *	code_native [SECONDS [SEED]]
 *
 * Prints the seed, differences with the code that makes them, and last `N passed, M failed`. Exit 0: the same; 1: a
 * difference; 77: this host cannot do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare_machine.h"
#include "code_generator.h"
#include "native_code.h"

enum { SKIPPED = 77, MAX_FAILURES = 10, CASES_BETWEEN_LOOKS = 256, INSTRUCTIONS = 10, STEPS = 4096 };

#define COMPARED_FLAGS                                                                                                 \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF | RFLAGS_DF | RFLAGS_AC | RFLAGS_ID)
#define FRAMES_CODE BARE_PAGES
#define FRAMES_DATA (BARE_PAGES + NATIVE_CODE_BYTES)
#define FRAMES_STACK (FRAMES_DATA + NATIVE_DATA_BYTES)

/* Both sides, and what the simulated one is asked to begin with. */
struct pair {
	struct native *native;
	struct bare_machine bare;
	struct gate {
		struct pair *pair;
		unsigned vector;
	} gates[32];
	struct native_state simulated;
	struct generated generated;
	uint8_t data[NATIVE_DATA_BYTES], stack[NATIVE_STACK_BYTES];
};

static const struct code_places places = {NATIVE_CODE, NATIVE_DATA, NATIVE_DATA_BYTES};

/* ---- the simulated side ---- */

static uint64_t frame_word(const struct pair *pair, unsigned index)
{
	uint64_t rsp = pair->bare.cpu->gpr[GPR_RSP];
	return physmem_load64(pair->bare.mem, paddr(rsp - BARE_KERNEL + 8u * index));
}

static void record(void *self)
{
	const struct gate *gate = self;
	struct pair *pair = gate->pair;
	struct native_state *state = &pair->simulated;
	bool has_error = gate->vector == VECTOR_STACK || gate->vector == VECTOR_PROTECTION ||
			 gate->vector == VECTOR_PAGE_FAULT || gate->vector == VECTOR_ALIGNMENT;
	memcpy(state->gpr, pair->bare.cpu->gpr, sizeof(state->gpr));
	state->vector = gate->vector;
	state->error = has_error ? frame_word(pair, 0) : 0;
	state->rip = frame_word(pair, has_error ? 1 : 0);
	state->rflags = frame_word(pair, has_error ? 3 : 2);
	state->gpr[GPR_RSP] = frame_word(pair, has_error ? 4 : 3);
	state->cr2 = pair->bare.cpu->cr2;
}

static void map_pages(struct bare_machine *bare, uint64_t va, uint64_t pa, uint64_t bytes, uint64_t rights)
{
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		(void)bare_map(bare, vaddr(va + at), 1, (pa + at) | rights);
}

static void boot(struct pair *pair)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	const uint64_t user = PTE_PRESENT | PTE_USER;
	bare_machine_init(&pair->bare, &config);
	map_pages(&pair->bare, NATIVE_CODE, FRAMES_CODE, NATIVE_CODE_BYTES, user);
	map_pages(&pair->bare, NATIVE_DATA, FRAMES_DATA, NATIVE_DATA_BYTES, user | PTE_WRITABLE | PTE_NO_EXECUTE);
	map_pages(&pair->bare, NATIVE_STACK, FRAMES_STACK, NATIVE_STACK_BYTES, user | PTE_WRITABLE | PTE_NO_EXECUTE);
	for (unsigned vector = 0; vector < 32; vector++) {
		pair->gates[vector] = (struct gate){pair, vector};
		bare_gate(&pair->bare, vector, vector == VECTOR_BREAKPOINT ? 3 : 0, record, &pair->gates[vector]);
	}
}

static void copy_in(struct physmem *mem, uint64_t pa, const uint8_t *from, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		physmem_write(mem, paddr(pa + at), from + at, PAGE_BYTES);
}

static bool same_memory(const struct physmem *mem, uint64_t pa, const uint8_t *native, uint64_t bytes)
{
	uint8_t page[PAGE_BYTES];
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		physmem_read(mem, paddr(pa + at), page, PAGE_BYTES);
		if (memcmp(page, native + at, PAGE_BYTES) != 0)
			return false;
	}
	return true;
}

/* False: the machine stopped; it says why. */
static bool simulate(struct pair *pair, const struct native_state *from)
{
	struct bare_machine *bare = &pair->bare;
	struct run_until never = {.rip = UINT64_MAX, .steps = STEPS};
	uint64_t steps;
	copy_in(bare->mem, FRAMES_CODE, native_code(pair->native), NATIVE_CODE_BYTES);
	copy_in(bare->mem, FRAMES_DATA, pair->data, NATIVE_DATA_BYTES);
	copy_in(bare->mem, FRAMES_STACK, pair->stack, NATIVE_STACK_BYTES);
	bare_enter_ring3(bare, from->rip, from->gpr[GPR_RSP]);
	memcpy(bare->cpu->gpr, from->gpr, sizeof(from->gpr));
	bare->cpu->rflags = from->rflags;
	if (machine_run(bare->machine, &never, &steps) == RUN_LOST)
		return true;
	const char *why = "it runs on and on";
	(void)machine_stopped(bare->machine, &why);
	printf("the simulated machine: %s\n", why);
	return false;
}

/* ---- cases ---- */

static void fill(struct rng *rng, uint8_t *out, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at += 8) {
		uint64_t word = rng_next(rng);
		memcpy(out + at, &word, 8);
	}
}

static void make_case(struct pair *pair, struct rng *rng, struct native_state *state)
{
	static const unsigned pointers[] = {GPR_RBX, GPR_RBP, GPR_RSI, GPR_RDI, GPR_R12, GPR_R13};
	code_generate(rng, &places, 1 + (unsigned)rng_below(rng, INSTRUCTIONS), &pair->generated);
	uint8_t *code = native_code(pair->native);
	memset(code, 0xcc, NATIVE_CODE_BYTES);
	/* Sometimes over the end of the code: the fetch faults in the middle of an instruction. */
	uint64_t start = rng_below(rng, 16) ? 64 : NATIVE_CODE_BYTES - rng_below(rng, pair->generated.bytes + 1);
	uint64_t room = NATIVE_CODE_BYTES - start;
	memcpy(code + start, pair->generated.code, pair->generated.bytes < room ? pair->generated.bytes : room);
	fill(rng, pair->data, NATIVE_DATA_BYTES);
	const uint64_t end = NATIVE_CODE + 16; /* an INT3: where a RET may go */
	for (unsigned i = 0; i < NATIVE_STACK_BYTES; i += 8)
		memcpy(pair->stack + i, &end, 8);
	*state = (struct native_state){.rip = NATIVE_CODE + start};
	for (unsigned i = 0; i < 16; i++)
		state->gpr[i] = rng_next(rng) >> (rng_below(rng, 4) * 16);
	for (unsigned i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		state->gpr[pointers[i]] = NATIVE_DATA + rng_below(rng, NATIVE_DATA_BYTES);
	state->gpr[GPR_R8] = rng_below(rng, 64);
	state->gpr[GPR_RSP] = NATIVE_STACK + NATIVE_STACK_BYTES / 2 + rng_below(rng, 64);
	state->rflags = (rng_next(rng) & (COMPARED_FLAGS & ~(RFLAGS_AC | RFLAGS_ID))) | RFLAGS_IF | RFLAGS_FIXED;
}

/* ---- comparison ---- */

static unsigned instruction_at(const struct pair *pair, const struct native_state *from, uint64_t rip)
{
	unsigned index = 0;
	while (index + 1 < pair->generated.count && from->rip + pair->generated.start[index + 1] <= rip)
		index++;
	return index;
}

static bool has_return(const struct generated *generated)
{
	for (unsigned i = 0; i < generated->count; i++) {
		if (strcmp(generated->name[i], "ret") == 0)
			return true;
	}
	return false;
}

static uint64_t undefined_flags(const struct pair *pair, const struct native_state *from,
				const struct native_state *after)
{
	uint64_t last = from->rip + pair->generated.bytes - 1; /* the INT3 */
	if (after->rip == (after->vector == VECTOR_BREAKPOINT ? last + 1 : last))
		return pair->generated.undefined;
	/* A RET may have led to anywhere from anywhere, also back. */
	if (has_return(&pair->generated))
		return COMPARED_FLAGS;
	return pair->generated.undefined_before[instruction_at(pair, from, after->rip)];
}

/* Linux says of addresses of its own half that they are present, whatever they are. */
static uint64_t shown_error(const struct native_state *state)
{
	return state->vector == VECTOR_PAGE_FAULT && state->cr2 >> 47 ? state->error | FAULT_PRESENT : state->error;
}

static bool is_same(const struct pair *pair, const struct native_state *from, const struct native_state *native)
{
	const struct native_state *simulated = &pair->simulated;
	uint64_t flags = COMPARED_FLAGS & ~undefined_flags(pair, from, native);
	bool page_fault = native->vector == VECTOR_PAGE_FAULT;
	return memcmp(native->gpr, simulated->gpr, sizeof(native->gpr)) == 0 && native->rip == simulated->rip &&
	       ((native->rflags ^ simulated->rflags) & flags) == 0 && native->vector == simulated->vector &&
	       (!page_fault || (shown_error(native) == shown_error(simulated) && native->cr2 == simulated->cr2)) &&
	       same_memory(pair->bare.mem, FRAMES_DATA, native_data(pair->native), NATIVE_DATA_BYTES) &&
	       same_memory(pair->bare.mem, FRAMES_STACK, native_stack(pair->native), NATIVE_STACK_BYTES);
}

static void print_state(const char *who, const struct native_state *state)
{
	printf("  %s: vector %llu error 0x%llx cr2 0x%llx rip 0x%llx rflags 0x%llx\n   ", who,
	       (unsigned long long)state->vector, (unsigned long long)state->error, (unsigned long long)state->cr2,
	       (unsigned long long)state->rip, (unsigned long long)state->rflags);
	for (unsigned i = 0; i < 16; i++)
		printf(" %llx", (unsigned long long)state->gpr[i]);
	printf("\n");
}

static void print_difference(const struct pair *pair, const struct native_state *from,
			     const struct native_state *native)
{
	printf("difference in:");
	for (unsigned i = 0; i < pair->generated.count; i++) {
		unsigned end = i + 1 < pair->generated.count ? pair->generated.start[i + 1] : pair->generated.bytes - 1;
		printf(" %s ", pair->generated.name[i]);
		for (unsigned at = pair->generated.start[i]; at < end; at++)
			printf("%02x", pair->generated.code[at]);
	}
	printf("\n");
	print_state("before   ", from);
	print_state("host     ", native);
	print_state("simulated", &pair->simulated);
}

/* Where a RET to an address that is not canonical is noticed differs from vendor to vendor, and so does which of its
 * two operands CMPS reads first. */
static bool is_vendors(const struct pair *pair, const struct native_state *from, const struct native_state *native)
{
	const char *name = pair->generated.name[instruction_at(pair, from, native->rip)];
	if (native->vector == VECTOR_PROTECTION && strcmp(name, "ret") == 0)
		return true;
	return native->vector != VECTOR_BREAKPOINT && native->rip == pair->simulated.rip &&
	       strncmp(name, "cmps", 4) == 0;
}

enum verdict { SAME, DIFFERENT, BROKEN };

static bool run_native(struct pair *pair, const struct native_state *from, struct native_state *after)
{
	memcpy(native_data(pair->native), pair->data, NATIVE_DATA_BYTES);
	memcpy(native_stack(pair->native), pair->stack, NATIVE_STACK_BYTES);
	*after = *from;
	return native_run(pair->native, after);
}

static enum verdict run_case(struct pair *pair, struct rng *rng)
{
	struct native_state from, after;
	make_case(pair, rng, &from);
	if (!run_native(pair, &from, &after) || !simulate(pair, &from)) {
		print_difference(pair, &from, &from);
		return BROKEN;
	}
	if (is_vendors(pair, &from, &after) || is_same(pair, &from, &after))
		return SAME;
	/* A virtual machine's monitor may slip once in a million times: what counts is what the host says twice. */
	if (run_native(pair, &from, &after) && is_same(pair, &from, &after))
		return SAME;
	print_difference(pair, &from, &after);
	return DIFFERENT;
}

static void run(struct pair *pair, unsigned long seconds, uint64_t seed)
{
	unsigned long counts[2] = {0, 0};
	time_t end = time(NULL) + (time_t)seconds;
	struct rng rng = rng_seeded(seed);
	enum verdict verdict = SAME;
	while (verdict != BROKEN && counts[DIFFERENT] < MAX_FAILURES && time(NULL) < end) {
		for (unsigned i = 0; i < CASES_BETWEEN_LOOKS && verdict != BROKEN; i++) {
			verdict = run_case(pair, &rng);
			counts[verdict != SAME]++;
		}
	}
	printf("seed %llu: %lu passed, %lu failed\n", (unsigned long long)seed, counts[SAME], counts[DIFFERENT]);
	native_free(pair->native);
	bare_machine_release(&pair->bare);
	free(pair);
	exit(counts[DIFFERENT] != 0);
}

int main(int argc, char **argv)
{
	unsigned long seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : 2;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	const char *why;
	struct pair *pair = calloc(1, sizeof(*pair));
	if (!pair)
		return 2;
	pair->native = native_new(&why);
	if (!pair->native) {
		printf("SKIPPED: code_native was NOT run: %s\n", why);
		free(pair);
		return SKIPPED;
	}
	boot(pair);
	run(pair, seconds, seed);
}
