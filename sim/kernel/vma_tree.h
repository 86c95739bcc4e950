/* Ordered set of VMAs with gap search. The caller owns the struct vma objects. */
#ifndef FAULTLINE_VMA_TREE_H
#define FAULTLINE_VMA_TREE_H

#include "faultline/vma.h"

#define VMA_LOWEST ((uint64_t)0x10000)                      /* vm.mmap_min_addr */
#define VMA_STACK_GUARD_BYTES ((uint64_t)256 << PAGE_SHIFT) /* stack_guard_gap */

struct vma_tree {
	struct vma *root, *first, *last;
	struct vma *hit; /* found last */
	uint64_t count;
	uint64_t inserted;
};

/* The area must not overlap another one. */
void vma_tree_insert(struct vma_tree *tree, struct vma *vma);
void vma_tree_remove(struct vma_tree *tree, struct vma *vma);
/* Moves the borders without passing a neighbour. */
void vma_tree_resize(struct vma_tree *tree, struct vma *vma, struct vaddr start, struct vaddr end);

struct vma *vma_tree_find(struct vma_tree *tree, struct vaddr va);        /* the area that holds va, or NULL */
struct vma *vma_tree_after(const struct vma_tree *tree, struct vaddr va); /* the lowest area with end > va, or NULL */

/* Upper end of the highest gap below `ceiling` that holds `bytes`: mm/mmap.c, arch_get_unmapped_area_topdown. */
bool vma_tree_top_down(const struct vma_tree *tree, uint64_t bytes, struct vaddr ceiling, struct vaddr *out);
/* Whether a mapping may go to `start`: free, and not within the guard gap of a stack above. */
bool vma_tree_has_room(const struct vma_tree *tree, struct vaddr start, uint64_t bytes);
bool vma_tree_is_free(const struct vma_tree *tree, struct vaddr start, uint64_t bytes);

bool vma_tree_check(const struct vma_tree *tree);

#endif
