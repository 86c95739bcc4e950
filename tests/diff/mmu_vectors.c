/* Replays MMU vectors: files of one JSON object a line, plain or gzip, each a processor state, the paging-structure
 * entries in RAM, one access, and what the processor must do. Prints the ids that fail with expected and actual value,
 * and last `N passed, M failed`. Exit 0: all passed; 1: some failed; 2: a file cannot be read. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <zlib.h>

#include "faultline/arena.h"
#include "faultline/bus.h"
#include "faultline/machine.h"

enum { MAX_ENTRIES = 8, TEXT_BYTES = 160, LINE_BYTES = 1 << 16 };

struct totals {
	unsigned long passed, failed;
};

struct entry {
	unsigned level;
	struct paddr pa;
	uint64_t value;
};

struct mode;

struct mmu_case {
	const char *id;
	const struct mode *mode; /* NULL: unknown */
	const cJSON *json;
	unsigned entry_count;
	struct entry before[MAX_ENTRIES], after[MAX_ENTRIES];
	unsigned other_count;
	struct entry other[MAX_ENTRIES]; /* PDPTEs that the access does not use */
	uint32_t a_unspecified;          /* bit per level */
};

static uint64_t number_of(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
	if (cJSON_IsString(item))
		return strtoull(item->valuestring, NULL, 16);
	return cJSON_IsNumber(item) ? (uint64_t)item->valuedouble : 0;
}

static const char *text_of(const cJSON *json, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
	return text ? text : "";
}

/* How the control registers stand in each mode of the vectors. */
static const struct mode {
	const char *name;
	uint64_t cr4, efer;
	unsigned entry_bytes;
} modes[] = {
    {"32bit", 0, 0, 4},
    {"pae", CR4_PAE, 0, 8},
    {"4level", CR4_PAE, EFER_LME, 8},
    {"5level", CR4_PAE | CR4_LA57, EFER_LME, 8},
};

static const struct mode *mode_of(const char *name)
{
	for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	}
	return NULL;
}

static unsigned read_entries(const cJSON *json, const char *key, struct entry *out)
{
	unsigned count = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, key))
	{
		if (count == MAX_ENTRIES)
			break;
		out[count++] = (struct entry){(unsigned)number_of(item, "level"), paddr(number_of(item, "pa")),
					      number_of(item, "value")};
	}
	return count;
}

static void read_vector(const cJSON *json, struct mmu_case *out)
{
	*out = (struct mmu_case){.id = text_of(json, "id"), .mode = mode_of(text_of(json, "mode")), .json = json};
	out->entry_count = read_entries(json, "entries_before", out->before);
	out->other_count = read_entries(json, "other_pdptes", out->other);
	(void)read_entries(json, "entries_after", out->after);
	const cJSON *level;
	cJSON_ArrayForEach(level, cJSON_GetObjectItemCaseSensitive(json, "a_unspecified"))
	{
		out->a_unspecified |= 1u << (unsigned)level->valuedouble;
	}
}

static uint64_t flag(const cJSON *json, const char *key, uint64_t bit)
{
	return number_of(json, key) ? bit : 0;
}

/* Turns the machine into the processor of the vector: paging on (with tables that map nothing), then CR3 loaded, which
 * PAE paging may refuse; all caches empty, the ring entered. False: refused. */
static bool set_state(struct machine *machine, const struct mmu_case *vector)
{
	const cJSON *json = vector->json;
	uint64_t cr4 = vector->mode->cr4 | flag(json, "smep", CR4_SMEP) | flag(json, "smap", CR4_SMAP) |
		       flag(json, "pse", CR4_PSE) | flag(json, "pge", CR4_PGE) | flag(json, "pke", CR4_PKE);
	machine_write_efer(machine, vector->mode->efer | flag(json, "nxe", EFER_NXE));
	machine_write_cr4(machine, cr4);
	machine_write_cr0(machine, CR0_PE | CR0_PG | flag(json, "cr0_wp", CR0_WP));
	if (!machine_instruction(machine, INSN_MOV_TO_CR3, number_of(json, "cr3")))
		return false;
	machine_write_pkru(machine, (uint32_t)number_of(json, "pkru"));
	struct cpu *cpu = machine_cpu(machine);
	cpu->cpl = (uint8_t)number_of(json, "cpl");
	cpu->rflags = RFLAGS_FIXED | flag(json, "ac", RFLAGS_AC);
	return true;
}

static enum access_kind kind_of(const struct mmu_case *vector)
{
	const char *access = text_of(vector->json, "access");
	if (strcmp(access, "fetch") == 0)
		return ACCESS_FETCH;
	return strcmp(access, "write") == 0 ? ACCESS_WRITE : ACCESS_READ;
}

static void print_fault(char *out, const char *name, uint64_t error, uint64_t va)
{
	if (strcmp(name, "PF") == 0)
		(void)snprintf(out, TEXT_BYTES, "#PF error %llu cr2 0x%llx", (unsigned long long)error,
			       (unsigned long long)va);
	else
		(void)snprintf(out, TEXT_BYTES, "#%s error %llu", name, (unsigned long long)error);
}

static void print_result(char *out, const cJSON *result)
{
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(result, "ok")))
		(void)snprintf(out, TEXT_BYTES, "ok pa 0x%llx", (unsigned long long)number_of(result, "pa"));
	else
		print_fault(out, text_of(result, "fault"), number_of(result, "error_code"), number_of(result, "cr2"));
	if (text_of(result, "at")[0])
		(void)snprintf(out + strlen(out), TEXT_BYTES - strlen(out), " at %s", text_of(result, "at"));
}

static void access_and_print(char *out, struct machine *machine, const struct mmu_case *vector)
{
	struct mmu *mmu = machine_mmu(machine);
	struct vaddr va = vaddr(number_of(vector->json, "va"));
	bool stack = strcmp(text_of(vector->json, "seg"), "ss") == 0;
	enum access_kind kind = kind_of(vector);
	struct paddr pa;
	struct fault fault;
	bool ok = stack && kind != ACCESS_FETCH ? mmu_access_stack(mmu, va, kind, &pa, &fault)
						: mmu_access(mmu, va, kind, &pa, &fault);
	if (ok)
		(void)snprintf(out, TEXT_BYTES, "ok pa 0x%llx", (unsigned long long)pa.v);
	else
		print_fault(out, vector_name(fault.vector) + 1, fault.error_code, fault.va.v);
}

static uint64_t load_entry(const struct physmem *mem, struct paddr pa, unsigned bytes)
{
	uint64_t value = 0;
	physmem_read(mem, pa, &value, bytes);
	return value;
}

static void store_entries(struct physmem *mem, const struct entry *entries, unsigned count, unsigned bytes)
{
	for (unsigned i = 0; i < count; i++)
		physmem_write(mem, entries[i].pa, &entries[i].value, bytes);
}

static bool entries_agree(const struct machine *machine, const struct mmu_case *vector)
{
	bool agree = true;
	for (unsigned i = 0; i < vector->entry_count; i++) {
		const struct entry *want = &vector->after[i];
		uint64_t ignored = vector->a_unspecified >> want->level & 1 ? PTE_ACCESSED : 0;
		uint64_t got = load_entry(machine_memory_const(machine), want->pa, vector->mode->entry_bytes);
		if ((got ^ want->value) & ~ignored) {
			printf("%s: the level-%u entry afterwards: expected 0x%llx, got 0x%llx\n", vector->id,
			       want->level, (unsigned long long)want->value, (unsigned long long)got);
			agree = false;
		}
	}
	return agree;
}

/* Keeps what the last instruction came to: "executed", or the exception. */
static void note_outcome(void *self, const struct event *event)
{
	*(const char **)self = event_arg_text(event, 1);
}

static bool replay(struct arena *arena, const struct machine_config *config, const struct mmu_case *vector)
{
	struct bus *bus = arena_new_object(arena, struct bus);
	const char *outcome = "";
	bus_init(bus);
	bus_subscribe(bus, EVENT_BIT(EVENT_INSTRUCTION), note_outcome, &outcome);
	struct machine *machine = machine_new(arena, bus, config);
	struct physmem *mem = machine_memory(machine);
	store_entries(mem, vector->before, vector->entry_count, vector->mode->entry_bytes);
	store_entries(mem, vector->other, vector->other_count, vector->mode->entry_bytes);
	char expected[TEXT_BYTES], got[TEXT_BYTES];
	print_result(expected, cJSON_GetObjectItemCaseSensitive(vector->json, "result"));
	if (set_state(machine, vector))
		access_and_print(got, machine, vector);
	else
		(void)snprintf(got, TEXT_BYTES, "%s error 0 at mov_cr3", outcome);
	bool same = strcmp(expected, got) == 0;
	if (!same)
		printf("%s: expected %s, got %s\n", vector->id, expected, got);
	return entries_agree(machine, vector) && same;
}

static bool run_vector(const cJSON *json, struct totals *totals)
{
	struct mmu_case vector;
	read_vector(json, &vector);
	if (!vector.mode) {
		printf("%s: mode \"%s\" is unknown: 32bit, pae, 4level and 5level are\n", vector.id,
		       text_of(json, "mode"));
		return false;
	}
	struct cpu_profile profile = *cpu_profile_at(0);
	profile.maxphyaddr = (uint8_t)number_of(json, "maxphyaddr");
	/* Tables lie below 4 GiB + 64 MiB; pages may be anywhere, nothing is read there. */
	struct machine_config config = {.memory_bytes = 5 * GIB, .profile = &profile};
	struct arena *arena = arena_new(machine_reserve_bytes(&config) + MIB);
	if (!arena) {
		(void)fprintf(stderr, "mmu_vectors: the host refuses the address space of a machine\n");
		exit(2);
	}
	if (replay(arena, &config, &vector))
		totals->passed++;
	else
		totals->failed++;
	arena_free(arena);
	return true;
}

/* False: the file cannot be read. gzread passes plain files through. */
static bool run_file(const char *path, struct totals *totals)
{
	char *line = malloc(LINE_BYTES);
	gzFile file = gzopen(path, "rb");
	bool good = line && file;
	while (good && gzgets(file, line, LINE_BYTES)) {
		cJSON *json = cJSON_Parse(line);
		good = json != NULL;
		if (good)
			good = run_vector(json, totals);
		cJSON_Delete(json);
	}
	if (!good)
		(void)fprintf(stderr, "mmu_vectors: %s: cannot be read, or a line is no vector\n", path);
	if (file)
		(void)gzclose(file);
	free(line);
	return good;
}

int main(int argc, char **argv)
{
	struct totals totals = {0, 0};
	if (argc < 2) {
		(void)fprintf(stderr, "usage: mmu_vectors FILE.jsonl[.gz]...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (!run_file(argv[i], &totals))
			return 2;
	}
	printf("%lu passed, %lu failed\n", totals.passed, totals.failed);
	return totals.failed != 0;
}
