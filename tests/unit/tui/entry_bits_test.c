/* An entry bit by bit is the entry, and what is said to refuse an access is what refuses it. */
#include "entry_bits.h"
#include "stage.h"

static const char script[] =
    "{\"faultline\": 1, \"machine\": {\"memory\": \"16MiB\", \"paging\": \"%s\"}, \"processes\": ["
    "{\"name\": \"one\", \"script\": ["
    "{\"op\": \"malloc\", \"id\": \"p\", \"size\": 24}, {\"op\": \"write\", \"at\": \"p\"},"
    "{\"op\": \"calloc\", \"id\": \"q\", \"count\": 1, \"size\": 300000}, {\"op\": \"read\", \"at\": \"q\"},"
    "{\"op\": \"write\", \"at\": \"q\"},"
    "{\"op\": \"mmap\", \"id\": \"h\", \"length\": \"4MiB\"}, {\"op\": \"write\", \"at\": \"h\"},"
    "{\"op\": \"mprotect\", \"at\": \"h\", \"length\": 4096, \"prot\": \"PROT_NONE\"},{\"op\": \"write\", \"at\": "
    "\"h\"},"
    "{\"op\": \"write\", \"at\": {\"addr\": \"0x0\"}}]}]}";

static struct stage begin(const char *paging)
{
	char text[sizeof(script) + 16];
	(void)snprintf(text, sizeof(text), script, paging);
	return stage_begin(text, "test.json");
}

/* Together they are the word, none is there twice. */
static void check_sum(const struct scene *scene, unsigned step)
{
	struct entry_bit bits[ENTRY_BITS];
	unsigned count = entry_bits(scene, step, bits);
	uint64_t word = 0;
	unsigned next = 0;
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(bits[i].first, next);
		next += bits[i].count;
		word |= bits[i].value << bits[i].first;
		assert_true(bits[i].text[0] != '\0');
	}
	assert_int_equal(next, scene->translation.mode == PAGING_32BIT ? 32 : 64);
	assert_int_equal(word, scene->translation.walk.step[step].entry.word);
}

static unsigned refusals(const struct scene *scene)
{
	unsigned found = 0;
	for (unsigned step = 0; step < scene->translation.walk.count; step++) {
		struct entry_bit bits[ENTRY_BITS];
		unsigned count = entry_bits(scene, step, bits);
		for (unsigned i = 0; i < count; i++)
			found += bits[i].refuses;
	}
	return found;
}

static void every_bit_of_every_entry_is_named_once(void **state)
{
	(void)state;
	static const char *const modes[] = {"32-bit", "pae", "4-level", "5-level"};
	for (unsigned i = 0; i < 4; i++) {
		struct stage stage = begin(modes[i]);
		unsigned entries = 0;
		while (stage_forward(&stage, EVENT_MASK_ALL)) {
			if (!stage.scene.has_address)
				continue;
			for (unsigned step = 0; step < stage.scene.translation.walk.count; step++, entries++)
				check_sum(&stage.scene, step);
		}
		assert_true(entries > 200);
		stage_end(&stage);
	}
}

static void an_access_is_refused_by_a_bit_or_not_at_all(void **state)
{
	(void)state;
	static const char *const modes[] = {"32-bit", "pae", "4-level", "5-level"};
	for (unsigned i = 0; i < 4; i++) {
		struct stage stage = begin(modes[i]);
		unsigned seen[2] = {0, 0};
		while (stage_forward(&stage, EVENT_MASK_ALL)) {
			struct scene *scene = &stage.scene;
			if (!scene->has_address || !scene->translation.walk.count)
				continue;
			for (unsigned kind = 0; kind < ACCESS_KIND_COUNT; kind++) {
				scene->access = (enum access_kind)kind;
				bool allowed = scene->translation.access[kind].allowed;
				assert_int_equal(refusals(scene) == 0, allowed);
				seen[allowed]++;
			}
		}
		assert_true(seen[0] > 50 && seen[1] > 50);
		stage_end(&stage);
	}
}

/* Entries that no kernel writes, in a scene that says it found them. */
static struct scene invented(enum paging_mode mode, unsigned level, uint64_t word, uint64_t reserved,
			     enum walk_outcome outcome)
{
	struct scene scene = {.access = ACCESS_READ};
	struct translation *t = &scene.translation;
	t->mode = mode;
	t->nxe = mode != PAGING_32BIT;
	t->levels = paging_mode_info(mode)->levels;
	t->walk.count = 1;
	t->walk.outcome = outcome;
	t->walk.step[0] = (struct walk_step){(uint8_t)level, {0x1000}, {word}};
	t->reserved[0] = reserved;
	return scene;
}

static const char *text_of(const struct scene *scene, const char *name, uint64_t value)
{
	static struct entry_bit bits[ENTRY_BITS];
	unsigned count = entry_bits(scene, 0, bits);
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(bits[i].name, name) == 0 && bits[i].value == value)
			return bits[i].text;
	}
	return "(there is no such bit)";
}

static void each_mode_has_bits_of_its_own(void **state)
{
	(void)state;
	/* A large page of 32-bit paging has address bits in bits 20:13. */
	struct scene scene = invented(PAGING_32BIT, 2, 0xc0002000 | 0xe7, (uint64_t)1 << 21, WALK_MAPPED);
	scene.translation.walk.size = PAGE_SIZE_4M;
	check_sum(&scene, 0);
	assert_string_equal(text_of(&scene, "PFN", 1), "address bits 39:32 (PSE-36)");
	assert_string_equal(text_of(&scene, "PS", 1), "maps a page of 4M itself");
	assert_string_equal(text_of(&scene, "NX", 0), "(there is no such bit)");
	/* A PDPTE register of PAE paging grants nothing: bits 2:1 are reserved. */
	scene = invented(PAGING_PAE, 3, 0x5001, 0x1e6 | ~(uint64_t)0 << 36, WALK_NOT_PRESENT);
	scene.translation.walk.registers = 1;
	check_sum(&scene, 0);
	assert_string_equal(text_of(&scene, "R/W", 0), "(there is no such bit)");
	assert_string_equal(text_of(&scene, "PFN", 5), "the table lies at 5000");
	/* A reserved bit that is set is the fault. */
	scene = invented(PAGING_4LEVEL, 4, 0x20e7, 0x80, WALK_RESERVED);
	check_sum(&scene, 0);
	assert_string_equal(text_of(&scene, "RSVD", 1), "must be 0: this is the fault");
	/* Without EFER.NXE bit 63 is one of those. */
	scene = invented(PAGING_4LEVEL, 1, (uint64_t)1 << 63 | 0x2067, (uint64_t)1 << 63, WALK_RESERVED);
	scene.translation.nxe = false;
	check_sum(&scene, 0);
	assert_string_equal(text_of(&scene, "RSVD", 1), "must be 0: this is the fault");
	/* What the kernel keeps in an entry that is not present. */
	scene = invented(PAGING_4LEVEL, 1, 0x0fffffffffff0000, 0, WALK_NOT_PRESENT);
	scene.translation.absent = (struct absent_entry){.swapped = true, .slot = 7};
	check_sum(&scene, 0);
	assert_string_equal(text_of(&scene, "rest", 0x0fffffffffff0000 >> 1), "ignored; for the kernel: swap slot 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_bit_of_every_entry_is_named_once),
	    cmocka_unit_test(an_access_is_refused_by_a_bit_or_not_at_all),
	    cmocka_unit_test(each_mode_has_bits_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
