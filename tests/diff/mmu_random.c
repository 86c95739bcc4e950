/* Compares the MMU with the slow walk of tests/support on random cases: in every paging mode and for several widths of
 * physical addresses, random tables, control registers, privilege and access. Results, error codes and the entries
 * afterwards must agree. Usage: mmu_random [CASES [SEED]]. Prints the seed, and last `N passed, M failed`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/rng.h"
#include "faultline/status.h"
#include "machine_private.h"
#include "slow_walk.h"

enum { DEFAULT_CASES = 200000, DEFAULT_SEED = 1, TABLE_FRAMES = 16, MAX_PLAN = SLOW_MAX_PATH + 3, MAX_COMPLAINTS = 20 };

static const uint8_t widths[] = {32, 36, 39, 40, 46, 52};

enum { WIDTHS = sizeof(widths) };

static const struct mode {
	const char *name;
	enum slow_mode slow;
	uint64_t cr4, efer;
	unsigned levels, entry_bytes;
} modes[] = {
    {"32-bit", SLOW_32BIT, 0, 0, 2, 4},
    {"pae", SLOW_PAE, CR4_PAE, 0, 3, 8},
    {"4-level", SLOW_4LEVEL, CR4_PAE, EFER_LME, 4, 8},
    {"5-level", SLOW_5LEVEL, CR4_PAE | CR4_LA57, EFER_LME, 5, 8},
};

enum { MODES = sizeof(modes) / sizeof(modes[0]) };

/* A machine stays in its mode. */
struct subject {
	const struct mode *mode;
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct physmem *mem;
	struct cpu_profile profile;
};

static void subject_init(struct subject *subject, const struct mode *mode, uint8_t maxphyaddr)
{
	subject->mode = mode;
	subject->profile = *cpu_profile_find("textbook");
	subject->profile.maxphyaddr = maxphyaddr;
	struct machine_config config = {.memory_bytes = 2 * MIB, .profile = &subject->profile};
	subject->arena = arena_new(machine_reserve_bytes(&config) + MIB);
	if (!subject->arena) {
		(void)fprintf(stderr, "mmu_random: the host refuses the address space of a machine\n");
		exit(2);
	}
	bus_init(&subject->bus);
	subject->machine = machine_new(subject->arena, &subject->bus, &config);
	subject->mem = machine_memory(subject->machine);
	machine_write_efer(subject->machine, mode->efer);
	machine_write_cr4(subject->machine, mode->cr4);
	machine_write_cr0(subject->machine, CR0_PE | CR0_PG);
}

/* ---- one case ---- */

struct planned {
	uint64_t pa, word;
};

struct test_case {
	uint64_t va;
	char kind;
	uint64_t cr3;
	struct slow_state state;
	unsigned count;
	struct planned plan[MAX_PLAN]; /* entries, written in this order */
};

static bool chance(struct rng *rng, unsigned one_in)
{
	return rng_below(rng, one_in) == 0;
}

static uint64_t bit_if(bool set, unsigned bit)
{
	return (uint64_t)set << bit;
}

static uint64_t random_va(struct rng *rng, const struct mode *mode)
{
	unsigned width = mode->levels < 4 ? 32 : 12 + 9 * mode->levels;
	uint64_t va = rng_next(rng) >> (64 - width);
	if (mode->levels < 4)
		return va;
	if (chance(rng, 16))
		return va | rng_next(rng) << (width - 1);
	return (uint64_t)((int64_t)(va << (64 - width)) >> (64 - width));
}

static uint64_t random_entry(struct rng *rng, const struct subject *subject, unsigned level, uint64_t next)
{
	const struct mode *mode = subject->mode;
	uint64_t word = bit_if(!chance(rng, 24), 0) | bit_if(!chance(rng, 4), 1) | bit_if(!chance(rng, 4), 2);
	word |= rng_next(rng) & 0xf78; /* whatever else the low bits may be: PWT to AVL, without PS */
	bool large = (level == 2 || level == 3) && chance(rng, 4);
	bool leaf = large || level == 1;
	word |= bit_if(large || (level == 1 && chance(rng, 2)), 7);
	if (leaf && !chance(rng, 4))
		next = (rng_next(rng) >> (64 - subject->profile.maxphyaddr)) & ~(uint64_t)0x1fffff;
	if (large && level == 3)
		next &= ~(GIB - 1);
	word |= next;
	if (mode->entry_bytes == 4 && large && chance(rng, 2))
		word |= 1u << (13 + rng_below(rng, 8)); /* an address above 4 GiB: PSE-36 */
	if (mode->entry_bytes == 8) {
		word |= bit_if(chance(rng, 12), 63);
		word |= mode->levels > 3 ? rng_next(rng) & 0x7ff0000000000000 : 0;
	}
	if (mode->levels == 3 && level == 3)
		word &= ~(uint64_t)0x80000000000001e6;
	if (chance(rng, 10))
		word ^= (uint64_t)1 << rng_below(rng, mode->entry_bytes * 8);
	return mode->entry_bytes == 4 ? word & UINT32_MAX : word;
}

/* Where the walk will look, if nothing on the way is broken. */
static void plan_tables(struct rng *rng, const struct subject *subject, struct test_case *test)
{
	const struct mode *mode = subject->mode;
	unsigned bits = mode->entry_bytes == 4 ? 10 : 9;
	uint64_t table = (1 + rng_below(rng, TABLE_FRAMES)) << 12;
	test->cr3 = table | (rng_next(rng) & 0x18);
	test->count = 0;
	if (mode->levels == 3) {
		table |= rng_below(rng, 128) << 5;
		test->cr3 |= table;
		for (unsigned i = 0; i < 4; i++)
			test->plan[test->count++] = (struct planned){table + i * 8, rng_next(rng) & ~(uint64_t)1};
	}
	for (unsigned level = mode->levels; level > 0; level--) {
		uint64_t next = (1 + rng_below(rng, TABLE_FRAMES)) << 12;
		uint64_t index = test->va >> (12 + bits * (level - 1)) & ((1u << bits) - 1);
		if (mode->levels == 3 && level == 3)
			index &= 3;
		test->plan[test->count++] = (struct planned){table + index * mode->entry_bytes,
							     random_entry(rng, subject, level, next)};
		table = next;
	}
}

static void plan_state(struct rng *rng, const struct subject *subject, struct test_case *test)
{
	uint64_t coins = rng_next(rng);
	test->state = (struct slow_state){
	    .mode = subject->mode->slow,
	    .cr3 = test->cr3,
	    .maxphyaddr = subject->profile.maxphyaddr,
	    .wp = coins & 1,
	    .nxe = coins & 0x406,
	    .smep = coins & 8,
	    .smap = coins & 16,
	    .pse = coins & 96,
	    .pke = coins & 128,
	    .pks = coins & 2048,
	    .ac = coins & 256,
	    .user_mode = coins & 512,
	    .pkru = (uint32_t)rng_next(rng),
	    .pkrs = (uint32_t)rng_next(rng),
	};
	test->kind = "rwx"[rng_below(rng, 3)];
}

static void write_plan(const struct subject *subject, const struct test_case *test)
{
	for (unsigned i = 0; i < test->count; i++)
		physmem_write(subject->mem, paddr(test->plan[i].pa), &test->plan[i].word, subject->mode->entry_bytes);
}

static void read_plan(const struct subject *subject, const struct test_case *test, uint64_t out[MAX_PLAN])
{
	memset(out, 0, MAX_PLAN * sizeof(*out));
	for (unsigned i = 0; i < test->count; i++)
		physmem_read(subject->mem, paddr(test->plan[i].pa), &out[i], subject->mode->entry_bytes);
}

static void erase_plan(const struct subject *subject, const struct test_case *test)
{
	const uint64_t zero = 0;
	for (unsigned i = 0; i < test->count; i++)
		physmem_write(subject->mem, paddr(test->plan[i].pa), &zero, subject->mode->entry_bytes);
}

/* Table-less, so that no register load meets a bad PDPTE; then the registers of the case. */
static void load_registers(const struct subject *subject, const struct test_case *test)
{
	struct machine *machine = subject->machine;
	struct cpu *cpu = machine_cpu(machine);
	const struct slow_state *state = &test->state;
	BUG_ON(!control_load_cr3(machine, 0));
	BUG_ON(!control_load_efer(machine, subject->mode->efer | bit_if(state->nxe, 11)));
	BUG_ON(!control_load_cr0(machine, CR0_PE | CR0_PG | bit_if(state->wp, 16)));
	BUG_ON(!control_load_cr4(machine, subject->mode->cr4 | bit_if(state->pse, 4) | bit_if(state->smep, 20) |
					      bit_if(state->smap, 21) | bit_if(state->pke, 22) |
					      bit_if(state->pks, 24)));
	machine_write_pkru(machine, state->pkru);
	machine_write_pkrs(machine, state->pkrs);
	cpu->cpl = state->user_mode ? 3 : (uint8_t)(test->va % 3);
	cpu->rflags = RFLAGS_FIXED | bit_if(state->ac, 18);
}

static struct slow_result access_mmu(const struct subject *subject, const struct test_case *test)
{
	enum access_kind kind = test->kind == 'r' ? ACCESS_READ : test->kind == 'w' ? ACCESS_WRITE : ACCESS_FETCH;
	struct paddr pa;
	struct fault fault;
	struct slow_result result = {.ok = true};
	if (mmu_access(machine_mmu(subject->machine), vaddr(test->va), kind, &pa, &fault)) {
		result.pa = pa.v;
		return result;
	}
	BUG_ON(fault.va.v != test->va);
	return (struct slow_result){.vector = fault.vector, .error_code = fault.error_code};
}

static void complain(const struct subject *subject, const struct test_case *test, uint64_t number,
		     const struct slow_result *expected, const struct slow_result *got)
{
	printf("case %" PRIu64 ", %s, MAXPHYADDR %u: %c 0x%" PRIx64 ": expected ok %d pa 0x%" PRIx64
	       " vector %u error %u, got ok %d pa 0x%" PRIx64 " vector %u error %u, or the entries differ:",
	       number, subject->mode->name, subject->profile.maxphyaddr, test->kind, test->va, expected->ok,
	       expected->pa, expected->vector, expected->error_code, got->ok, got->pa, got->vector, got->error_code);
	for (unsigned i = 0; i < test->count; i++)
		printf(" 0x%" PRIx64 "=0x%" PRIx64, test->plan[i].pa, test->plan[i].word);
	printf("\n");
}

/* What the cases came to, so that a generator that makes only one kind is seen. */
struct tally {
	uint64_t mapped, not_present, reserved, denied, by_key, protection;
};

static void count_outcome(struct tally *tally, const struct slow_result *result)
{
	if (result->ok)
		tally->mapped++;
	else if (result->vector != VECTOR_PAGE_FAULT)
		tally->protection++;
	else if (!(result->error_code & FAULT_PRESENT))
		tally->not_present++;
	else if (result->error_code & FAULT_RESERVED)
		tally->reserved++;
	else if (result->error_code & FAULT_PROTECTION_KEY)
		tally->by_key++;
	else
		tally->denied++;
}

/* False: the two disagree. */
static bool run_case(const struct subject *subject, struct rng *rng, uint64_t number, struct tally *tally)
{
	struct test_case test = {.va = random_va(rng, subject->mode)};
	uint64_t slow_entries[MAX_PLAN], entries[MAX_PLAN];
	struct slow_result expected = {.vector = 13}, got = {.vector = 13};
	plan_tables(rng, subject, &test);
	plan_state(rng, subject, &test);
	load_registers(subject, &test);
	write_plan(subject, &test);
	bool slow_loads = subject->mode->slow != SLOW_PAE || slow_load_pdptes(subject->mem, &test.state);
	bool loads = control_load_cr3(subject->machine, test.cr3);
	if (slow_loads)
		expected = slow_walk(subject->mem, &test.state, test.va, test.kind);
	read_plan(subject, &test, slow_entries);
	write_plan(subject, &test);
	mmu_drop_all(machine_mmu(subject->machine), "a case begins");
	if (loads)
		got = access_mmu(subject, &test);
	read_plan(subject, &test, entries);
	bool same = loads == slow_loads && expected.ok == got.ok && expected.pa == got.pa &&
		    expected.vector == got.vector && expected.error_code == got.error_code &&
		    memcmp(entries, slow_entries, sizeof(entries)) == 0;
	count_outcome(tally, &expected);
	if (!same)
		complain(subject, &test, number, &expected, &got);
	erase_plan(subject, &test);
	return same;
}

int main(int argc, char **argv)
{
	uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 0) : DEFAULT_CASES;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : DEFAULT_SEED;
	struct subject subjects[MODES * WIDTHS];
	struct rng rng = rng_seeded(seed);
	struct tally tally = {0};
	uint64_t failed = 0;
	printf("%" PRIu64 " cases, seed %" PRIu64 "\n", cases, seed);
	for (unsigned i = 0; i < MODES * WIDTHS; i++)
		subject_init(&subjects[i], &modes[i / WIDTHS], widths[i % WIDTHS]);
	for (uint64_t i = 0; i < cases && failed < MAX_COMPLAINTS; i++)
		failed += !run_case(&subjects[i % (MODES * WIDTHS)], &rng, i, &tally);
	for (unsigned i = 0; i < MODES * WIDTHS; i++)
		arena_free(subjects[i].arena);
	printf("mapped %" PRIu64 ", not present %" PRIu64 ", reserved bit %" PRIu64 ", denied %" PRIu64
	       ", by key %" PRIu64 ", #GP %" PRIu64 "\n",
	       tally.mapped, tally.not_present, tally.reserved, tally.denied, tally.by_key, tally.protection);
	printf("%" PRIu64 " passed, %" PRIu64 " failed\n", cases - failed, failed);
	return failed != 0;
}
