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
#include "faultline/stat.h"
#include "faultline/status.h"

struct world;

/* The world keeps a pointer to the document, which must outlive it. BAD_INPUT: the settings make no machine. */
enum status world_new(const struct document *document, struct world **out, struct error *error);
void world_free(struct world *world); /* NULL is allowed */

/* Subscribe observers here before world_run. */
struct bus *world_bus(struct world *world);
const struct bus *world_bus_const(const struct world *world);

/* Boots the machine, then replays everything. OK, EXPECT_FAILED (the first failed expectation is in error),
 * MACHINE_STOPPED, or a failure of the source of operations (a broken op list: BAD_INPUT, HOST). */
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

/* Called after every operation when set: the invariant checker. Returns false with a reason to end the run. */
typedef bool world_check_fn(void *self, struct error *why);
void world_set_check(struct world *world, world_check_fn *fn, void *self);

#endif
