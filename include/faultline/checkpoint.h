/* A world at one moment between two operations or accesses, to go back to. What happens after going back is what
 * happened before: same document, same events. Checkpoints of one world share what did not change between them. */
#ifndef FAULTLINE_CHECKPOINT_H
#define FAULTLINE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/status.h"
#include "faultline/world.h"

struct checkpoint;

/* Only before world_run, or inside the hook of world_set_between_hook: at any other time something is half done, and
 * part of it lives on the host's stack. `previous` is the checkpoint to share with, or NULL. NULL: the host has no
 * memory. */
struct checkpoint *checkpoint_take(const struct world *world, const struct checkpoint *previous);
void checkpoint_free(struct checkpoint *checkpoint); /* NULL is allowed; before its world */

/* Events that had happened. */
uint64_t checkpoint_position(const struct checkpoint *checkpoint);
/* Of the world's pages that it keeps, alone or with others; and of the rest, which is its own. */
size_t checkpoint_page_bytes(const struct checkpoint *checkpoint);
size_t checkpoint_own_bytes(const struct checkpoint *checkpoint);
/* Of the pages that all checkpoints of a world keep, each counted once. */
size_t checkpoint_page_bytes_of_all(const struct world *world);

/* The world stands where it stood, with the subscribers and hooks of that time; world_run has been left before, by
 * returning or by longjmp. world_resume goes on. HOST: a file of operations cannot be read again. */
enum status checkpoint_restore(const struct checkpoint *checkpoint, struct world *world, struct error *error);
/* As world_run, from there. */
enum status world_resume(struct world *world, struct error *error);

#endif
