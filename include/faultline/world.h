/* A world: one machine, its kernel, its processes and their C libraries, built from a document and run to its end. All
 * of it lives in one arena; many worlds can exist side by side. This is the header an embedding program starts from. */
#ifndef FAULTLINE_WORLD_H
#define FAULTLINE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/bus.h"
#include "faultline/document.h"
#include "faultline/heap.h"
#include "faultline/kernel.h"
#include "faultline/op.h"
#include "faultline/stat.h"
#include "faultline/status.h"

struct world;

/* The world keeps a pointer to the document, which must outlive it. BAD_INPUT: the settings make no machine. */
enum status world_new(const struct document *document, struct world **out, struct error *error);
void world_free(struct world *world); /* NULL is allowed */

/* Subscribe observers here before world_run. */
struct bus *world_bus(struct world *world);
const struct bus *world_bus_const(const struct world *world);

/* Tells fn of every access that the MMU serves: machine_watch. Once, before world_run. */
void world_watch(struct world *world, mmu_watch_fn *fn, void *self);

/* Boots the machine, then replays everything. OK, EXPECT_FAILED (the first failed expectation is in error),
 * MACHINE_STOPPED, or a failure of the source of operations (a broken op list: BAD_INPUT, HOST). A process that is
 * killed fails the run as an expectation does, unless an `expect` on `signal` follows the operation that killed it.
 * The texts of OP_START and EXPECT events stay valid for the next thousand of them. */
enum status world_run(struct world *world, struct error *error);

const struct document *world_document(const struct world *world);
const struct kernel *world_kernel(const struct world *world); /* NULL before world_run has booted */
const struct machine *world_machine(const struct world *world);
const struct process *world_process(const struct world *world, unsigned index); /* NULL behind the last */
const struct heap *world_heap(const struct world *world, unsigned index);       /* of the same process */

/* What a finished or running world says about its script. */
struct world_progress {
	uint64_t operations;   /* done so far, repeats counted */
	uint64_t expectations; /* checked */
	uint64_t expectations_failed;
};
struct world_progress world_progress(const struct world *world);

/* Phases in the order in which they began; index 0 is the time before the first one (name ""). */
unsigned world_phase_count(const struct world *world);
const char *world_phase_name(const struct world *world, unsigned phase);
/* Statistics of one phase (the last one: until now). */
void world_phase_stats(const struct world *world, unsigned phase, struct stats *out);

/* Statistics of one process, or of everything. */
void world_process_stats(const struct world *world, unsigned index, struct stats *out);
void world_machine_stats(const struct world *world, struct stats *out);

/* How a process stands. `op` is the last operation begun; of one that was killed, the one that killed it. */
enum world_state { WORLD_RUNNING, WORLD_FINISHED, WORLD_EXITED, WORLD_KILLED };
struct world_process_state {
	enum world_state state;
	bool killing_expected;
	uint64_t operations; /* done by this process */
	uint32_t line, column;
	const char *pointer; /* JSON pointer, "" in an op list */
	const char *op;      /* its name, "" before the first */
};
struct world_process_state world_process_state(const struct world *world, unsigned index);

/* Called after every operation with what it returned, while its process is current. */
struct world_operation {
	const struct op *op;
	unsigned process;
	uint64_t result;
	int error_number; /* errno; 0 before the operation */
};
typedef void world_operation_fn(void *self, const struct world_operation *operation);
void world_set_operation_hook(struct world *world, world_operation_fn *fn, void *self);

/* Called before every operation, and between the accesses of one that makes many: when a checkpoint can be taken
 * (checkpoint.h). */
typedef void world_between_fn(void *self);
void world_set_between_hook(struct world *world, world_between_fn *fn, void *self);

/* Called after every operation when set: the invariant checker. Returns false with a reason to end the run. */
typedef bool world_check_fn(void *self, struct error *why);
void world_set_check(struct world *world, world_check_fn *fn, void *self);

#endif
