#include "faultline/checkpoint.h"

#include <stdlib.h>

#include "op_list.h"
#include "world_private.h"

/* A world is its arena, and the files that its operations are read from. */
struct checkpoint {
	struct arena_image *image;
	uint64_t position;
	unsigned mark_count;
	struct op_list_mark *marks[DOCUMENT_MAX_PROCESSES]; /* NULL: no op list */
};

static bool mark_op_lists(struct checkpoint *checkpoint, const struct world *world)
{
	checkpoint->mark_count = world->runner_count;
	for (unsigned i = 0; i < world->runner_count; i++) {
		const struct op_list *list = world->runners[i].op_list;
		if (list && !(checkpoint->marks[i] = op_list_mark(list)))
			return false;
	}
	return true;
}

struct checkpoint *checkpoint_take(const struct world *world, const struct checkpoint *previous)
{
	struct checkpoint *checkpoint = calloc(1, sizeof(*checkpoint));
	if (!checkpoint)
		return NULL;
	checkpoint->position = world->bus.number;
	checkpoint->image = arena_image_take(world->album, previous ? previous->image : NULL);
	if (checkpoint->image && mark_op_lists(checkpoint, world))
		return checkpoint;
	checkpoint_free(checkpoint);
	return NULL;
}

void checkpoint_free(struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return;
	for (unsigned i = 0; i < checkpoint->mark_count; i++)
		op_list_mark_free(checkpoint->marks[i]);
	arena_image_free(checkpoint->image);
	free(checkpoint);
}

uint64_t checkpoint_position(const struct checkpoint *checkpoint)
{
	return checkpoint->position;
}

size_t checkpoint_page_bytes(const struct checkpoint *checkpoint)
{
	return arena_image_page_bytes(checkpoint->image);
}

size_t checkpoint_page_bytes_of_all(const struct world *world)
{
	return arena_album_page_bytes(world->album);
}

size_t checkpoint_own_bytes(const struct checkpoint *checkpoint)
{
	size_t bytes = sizeof(*checkpoint) + arena_image_list_bytes(checkpoint->image);
	for (unsigned i = 0; i < checkpoint->mark_count; i++)
		bytes += checkpoint->marks[i] ? op_list_mark_bytes(checkpoint->marks[i]) : 0;
	return bytes;
}

/* The list that is open now is read on from the mark, whatever list the image knew. */
static enum status return_op_list(struct runner *runner, struct op_list *open, const struct op_list_mark *mark,
				  struct error *error)
{
	runner->op_list = open;
	runner->op = NULL;
	if (!open && op_list_open(runner->spec->op_list, &runner->op_list, error) != STATUS_OK)
		return error->status;
	if (op_list_return(runner->op_list, mark, error) != STATUS_OK)
		return error->status;
	runner->op = op_list_op(runner->op_list);
	return STATUS_OK;
}

enum status checkpoint_restore(const struct checkpoint *checkpoint, struct world *world, struct error *error)
{
	struct op_list *open[DOCUMENT_MAX_PROCESSES] = {NULL};
	*error = (struct error){0};
	for (unsigned i = 0; i < world->runner_count && i < DOCUMENT_MAX_PROCESSES; i++)
		open[i] = world->runners[i].op_list;
	arena_image_restore(checkpoint->image);
	for (unsigned i = 0; i < DOCUMENT_MAX_PROCESSES; i++) {
		if (!checkpoint->marks[i])
			op_list_close(open[i]);
		else if (return_op_list(&world->runners[i], open[i], checkpoint->marks[i], error) != STATUS_OK)
			return error->status;
	}
	return STATUS_OK;
}

enum status world_resume(struct world *world, struct error *error)
{
	return world->kernel ? world_go_on(world, error) : world_run(world, error);
}
