/* A world from the inside. world.c builds it and turns the wheel, run.c executes operations, expect.c checks, and
 * world_stats.c counts. */
#ifndef FAULTLINE_WORKLOAD_WORLD_PRIVATE_H
#define FAULTLINE_WORKLOAD_WORLD_PRIVATE_H

#include "faultline/arena.h"
#include "faultline/arena_image.h"
#include "faultline/world.h"
#include "op_list.h"
#include "pattern.h"
#include "script_cursor.h"

enum { WORLD_TEXTS = 1024, WORLD_TEXT_BYTES = 160, WORLD_MAX_PHASES = 256, RUNNER_MAX_CALLS = 4096 };

/* Simulated time, in cycles, and how much of it went into page walks and TLB misses. */
struct elapsed {
	uint64_t cycles, walk;
};

/* total += later - earlier */
static inline void add_elapsed(struct elapsed *total, struct elapsed later, struct elapsed earlier)
{
	total->cycles += later.cycles - earlier.cycles;
	total->walk += later.walk - earlier.walk;
}

/* What the machine counts for whoever runs; a process owns what it counted during its slices. */
struct machine_counts {
	struct elapsed all, kernel, libc;
	uint64_t ring_changes, exceptions;
	uint64_t accesses[ACCESS_KIND_COUNT];
	uint64_t l1_hits, l2_hits, walks, flushes, walk_entries;
};

/* A variable of the program. */
struct variable {
	uint64_t address;
	bool set;
};

/* One process and its script. */
struct runner {
	struct world *world;
	unsigned index;
	const struct document_process *spec;
	struct process *process;
	struct user *user;
	struct heap *heap;

	struct script_cursor cursor;
	struct op_list *op_list; /* NULL: the script */
	const struct op *op;     /* in execution, or the last one */
	enum world_state state;
	bool started; /* the libc has been started */
	bool killing_expected;
	bool forked; /* it ends by exit(0) behind its script */
	/* vfork: in whose memory, heap and variables it runs; NULL: its own */
	struct runner *lender;
	bool waits;      /* its last operation must be done again: no child has ended */
	uint64_t deaths; /* world->deaths when it began to wait */
	bool paused;     /* in the middle of an operation, which goes on behind `done` of its accesses, or bytes */
	uint64_t done;
	struct pattern pattern; /* of that operation */
	uint64_t operations;
	uint32_t line, column;
	const char *pointer;

	struct variable *variables; /* by slot */
	uint32_t variable_count;
	uint64_t result;       /* of the last operation that is no expect */
	uint64_t *call_frames; /* bytes of stack of the functions called and not yet returned from */
	unsigned call_depth;

	bool in_libc;
	struct elapsed libc_since;   /* time in ring 3 when the libc was entered */
	struct machine_counts owned; /* of finished slices */
	struct stats before_op;      /* where op->watched */
	struct stats before_phase;
};

struct phase {
	const char *name;
	struct stats before; /* of the machine */
};

struct world {
	struct arena *arena;
	struct arena_album *album; /* of its checkpoints; not in the arena */
	const struct document *document;
	struct bus bus;
	struct machine *machine;
	struct kernel *kernel;
	struct runner *runners;
	unsigned runner_count;

	unsigned turn;          /* of the runner that runs, or that will be asked next */
	unsigned idle;          /* runners in a row that had nothing to do */
	uint64_t deaths;        /* processes that have ended */
	uint64_t slice_since;   /* cycle when the time slice began */
	struct runner *current; /* inside a slice */
	struct machine_counts slice_start;
	struct elapsed kernel_time;  /* finished stays in ring 0 */
	struct elapsed kernel_since; /* when ring 0 was entered last */
	bool in_kernel;
	uint8_t cpu; /* that executes; another one that handles an interrupt of it is no change */
	struct elapsed libc_time;

	struct phase *phases;
	unsigned phase_count;

	struct world_progress progress;
	enum status status; /* the first failure; OK until then */
	struct error error;

	char (*texts)[WORLD_TEXT_BYTES]; /* a ring of texts for events */
	unsigned next_text;

	world_check_fn *check;
	void *check_self;
	world_operation_fn *hook;
	void *hook_self;
	world_between_fn *between;
	void *between_self;
};

/* Ends the run; the first failure of the worst kind stays. Always false. */
bool world_fail(struct world *world, enum status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* "FILE:LINE:COL: POINTER" of the runner's operation. */
struct world_where {
	char text[320];
};
struct world_where runner_where(const struct runner *runner);
/* Room for a text of an event, reused after WORLD_TEXTS others. */
char *world_text(struct world *world);

/* With kernel.quantum: it sleeps, or its time slice is over and somebody else can run. */
bool runner_must_pause(struct runner *runner);
/* Whether anybody may come in between the accesses of an operation: the scheduler, or the hook. */
static inline bool runner_may_pause(const struct runner *runner)
{
	return runner->world->document->kernel.quantum_cycles != 0 || runner->world->between;
}

/* Between accesses of an operation that can go on later: calls the hook; pauses behind so many, if it must. */
bool runner_pauses(struct runner *runner, uint64_t done);
/* The program of one slice: runs until the script yields, ends, or the world fails. For user_run(). */
void runner_slice(void *self);
/* The next operation; false at the end and after a failure. */
bool runner_next(struct runner *runner);
/* Does the operation and returns its result; its time in ring 3 goes to the layer it belongs to. */
uint64_t runner_perform(struct runner *runner, const struct op *op);
/* Another thread of the process goes on. False: there is none of that number (the world has failed). */
bool runner_switch_thread(struct runner *runner, uint64_t thread);
/* It has left the memory that it ran in, if that was its parent's: what is of its own from now on is empty. */
void runner_leave_lender(struct runner *runner);
/* What ld.so and the C library do before main. */
void runner_start_libc(struct runner *runner);
/* Address of a place now. False: nothing has been assigned to the variable yet (the world has failed). */
bool runner_place(struct runner *runner, const struct place *place, int64_t offset, uint64_t *out);
/* What the image of any program of the runner has: the libc, and the code of the script. */
void runner_fill_image(struct runner *runner, struct process_spec *image);
/* The process has an image: its C library as ld.so leaves it, not started yet. */
void runner_load_libc(struct runner *runner);
/* What the text segment begins with: the code of the script. Returns its bytes. */
uint64_t runner_build_text(struct arena *arena, const struct script *script, const uint8_t **out);
/* All accesses of an `access` operation. */
void runner_access_pattern(struct runner *runner, const struct op *op, uint64_t start);

/* Checks an expect, publishes it, and fails the world when it does not hold. */
void runner_expect(struct runner *runner, const struct op *op);

/* Goes on where the world stands: with the rest of a slice, then from turn to turn. */
enum status world_go_on(struct world *world, struct error *error);

void world_counts(const struct world *world, struct machine_counts *out);
/* Adds what was counted since slice_start to the runner. */
void world_end_slice(struct world *world, struct runner *runner);
/* So far. */
struct elapsed world_time(const struct world *world);
struct elapsed world_user_time(const struct world *world); /* of it, in ring 3 */

#endif
