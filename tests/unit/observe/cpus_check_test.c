/* Threads on several CPUs do what they like to memory that they share; after each operation the checker compares every
 * TLB of every CPU with the tables. */
#include "faultline/check.h"
#include "faultline/machine.h"
#include "faultline/rng.h"
#include "small_world.h"

enum { THREADS = 4, OPERATIONS = 120, TEXT_BYTES = 32768 };

struct program {
	char text[TEXT_BYTES];
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct program *program, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	program->used += (size_t)vsnprintf(program->text + program->used, TEXT_BYTES - program->used, format, args);
	va_end(args);
	assert_true(program->used < TEXT_BYTES);
}

/* One operation by any thread; `alive` says which threads there are, `mapped` whether the area is. */
static void add_operation(struct program *program, struct rng *rng, bool alive[THREADS])
{
	unsigned other = 1 + (unsigned)rng_below(rng, THREADS - 1);
	unsigned thread = (unsigned)rng_below(rng, THREADS);
	uint64_t page = rng_below(rng, 60), pages = 1 + rng_below(rng, rng_below(rng, 4) ? 4 : 60 - page);
	thread = alive[thread] ? thread : 0;
	switch (rng_below(rng, 10)) {
	case 0:
		if (!alive[other])
			add(program, ",{'op':'pthread_create','child':%u}", other);
		else
			add(program, ",{'op':'pthread_join','child':%u}", other);
		alive[other] = !alive[other];
		return;
	case 1:
	case 2:
		add(program, ",{'op':'madvise','at':'m+%u','length':'%uKiB','advice':'MADV_DONTNEED'",
		    (unsigned)(page * 4096), (unsigned)(pages * 4));
		break;
	case 3:
		add(program, ",{'op':'mprotect','at':'m+%u','length':'%uKiB','prot':'%s'", (unsigned)(page * 4096),
		    (unsigned)(pages * 4), "PROT_READ");
		add(program, ",'thread':%u},{'op':'mprotect','at':'m','length':'256KiB','prot':'PROT_READ|PROT_WRITE'",
		    thread);
		break;
	case 4:
		add(program,
		    ",{'op':'munmap','at':'m','length':'256KiB','thread':%u},{'op':'mmap','id':'m','length':'256KiB'",
		    thread);
		break;
	default:
		add(program, ",{'op':'%s','at':'m+%u','length':'%uKiB','stride':'page'",
		    rng_below(rng, 2) ? "read" : "write", (unsigned)(page * 4096), (unsigned)(pages * 4));
		break;
	}
	add(program, ",'thread':%u}", thread);
}

static struct stats run(uint64_t seed, const char *paging, unsigned cpus)
{
	struct rng rng = rng_seeded(seed);
	static struct program program;
	bool alive[THREADS] = {true};
	struct check check;
	struct error why = {0};
	struct stats stats;
	program.used = 0;
	add(&program, "{'faultline':1,'name':'shared','machine':{'cpus':%u,'paging':'%s'},'script':[", cpus, paging);
	add(&program, "{'op':'mmap','id':'m','length':'256KiB'}");
	for (unsigned i = 0; i < OPERATIONS; i++)
		add_operation(&program, &rng, alive);
	add(&program, "]}");
	struct small_world small = small_world_of(program.text);
	check_attach(&check, small.world, CHECK_FULL);
	small_world_run(&small);
	if (!check_finish(&check, &why))
		fail_msg("seed %llu, %s, %u CPUs: %s", (unsigned long long)seed, paging, cpus, why.text);
	world_machine_stats(small.world, &stats);
	small_world_free(&small);
	return stats;
}

static void no_cpu_is_forgotten_whatever_threads_do(void **state)
{
	(void)state;
	static const char *const modes[] = {"32-bit", "pae", "4-level", "5-level"};
	uint64_t sent = 0, lazy = 0;
	for (uint64_t seed = 1; seed <= 16; seed++) {
		struct stats stats = run(seed, modes[seed % 4], 2 + (unsigned)(seed / 4 % 4));
		sent += stats.value[STAT_SHOOTDOWNS_SENT];
		lazy += stats.value[STAT_SHOOTDOWNS_LAZY];
	}
	assert_true(sent > 100 && lazy > 20);
}

/* What the program sees does not depend on where its threads run. */
static void faults_are_the_same_on_any_number_of_cpus(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct stats one = run(seed, "4-level", 1), four = run(seed, "4-level", 4);
		assert_int_equal(one.value[STAT_FAULTS_MINOR], four.value[STAT_FAULTS_MINOR]);
		assert_int_equal(one.value[STAT_SYSCALLS_TOTAL], four.value[STAT_SYSCALLS_TOTAL]);
		assert_int_equal(one.value[STAT_MEMORY_RSS], four.value[STAT_MEMORY_RSS]);
		assert_int_equal(one.value[STAT_SHOOTDOWNS_SENT], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_cpu_is_forgotten_whatever_threads_do),
	    cmocka_unit_test(faults_are_the_same_on_any_number_of_cpus),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
