/* The VMAs of one address space: a list in address order and a treap (Seidel, Aragon: Randomized search trees, 1996)
 * over it, in which every node knows the largest free gap of its subtree, so that lookup and top-down placement take
 * O(log n) with tens of thousands of areas. */
#include "vma_tree.h"

#include <stddef.h>

#include "faultline/rng.h"

const char *vma_prot_text(uint32_t flags)
{
	static const char *const texts[] = {"---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"};
	return texts[flags & VMA_PROT];
}

/* mm/mmap.c, vm_start_gap: nothing may be placed right below a stack. */
static uint64_t guarded_start(const struct vma *vma)
{
	if (!(vma->flags & VMA_GROWSDOWN))
		return vma->start.v;
	return vma->start.v > VMA_STACK_GUARD_BYTES ? vma->start.v - VMA_STACK_GUARD_BYTES : 0;
}

static void pull(struct vma *node)
{
	node->max_gap = node->gap;
	if (node->left && node->left->max_gap > node->max_gap)
		node->max_gap = node->left->max_gap;
	if (node->right && node->right->max_gap > node->max_gap)
		node->max_gap = node->right->max_gap;
}

static struct vma *merge(struct vma *left, struct vma *right)
{
	if (!left)
		return right;
	if (!right)
		return left;
	if (left->priority > right->priority) {
		left->right = merge(left->right, right);
		pull(left);
		return left;
	}
	right->left = merge(left, right->left);
	pull(right);
	return right;
}

static void split(struct vma *root, uint64_t start, struct vma **left, struct vma **right)
{
	if (!root) {
		*left = *right = NULL;
	} else if (root->start.v < start) {
		*left = root;
		split(root->right, start, &root->right, right);
		pull(root);
	} else {
		*right = root;
		split(root->left, start, left, &root->left);
		pull(root);
	}
}

static struct vma *insert(struct vma *root, struct vma *node)
{
	if (!root || node->priority > root->priority) {
		split(root, node->start.v, &node->left, &node->right);
		pull(node);
		return node;
	}
	if (node->start.v < root->start.v)
		root->left = insert(root->left, node);
	else
		root->right = insert(root->right, node);
	pull(root);
	return root;
}

static struct vma *erase(struct vma *root, struct vma *node)
{
	if (root == node)
		return merge(root->left, root->right);
	if (node->start.v < root->start.v)
		root->left = erase(root->left, node);
	else
		root->right = erase(root->right, node);
	pull(root);
	return root;
}

static void pull_path(struct vma *root, const struct vma *node)
{
	if (root != node)
		pull_path(node->start.v < root->start.v ? root->left : root->right, node);
	pull(root);
}

static void refresh_gap(struct vma_tree *tree, struct vma *vma)
{
	if (!vma)
		return;
	uint64_t below = vma->prev ? vma->prev->end.v : VMA_LOWEST;
	uint64_t start = guarded_start(vma);
	vma->gap = start > below ? start - below : 0;
	pull_path(tree->root, vma);
}

void vma_tree_insert(struct vma_tree *tree, struct vma *vma)
{
	struct vma *next = vma_tree_after(tree, vma->start);
	vma->next = next;
	vma->prev = next ? next->prev : tree->last;
	if (vma->prev)
		vma->prev->next = vma;
	else
		tree->first = vma;
	if (next)
		next->prev = vma;
	else
		tree->last = vma;
	/* A treap's shape may not depend on anything but the history of the world. */
	struct rng rng = rng_seeded(++tree->inserted);
	vma->priority = rng_next(&rng);
	vma->gap = 0;
	tree->root = insert(tree->root, vma);
	tree->count++;
	refresh_gap(tree, vma);
	refresh_gap(tree, next);
}

void vma_tree_remove(struct vma_tree *tree, struct vma *vma)
{
	tree->root = erase(tree->root, vma);
	tree->count--;
	if (tree->hit == vma)
		tree->hit = NULL;
	if (vma->prev)
		vma->prev->next = vma->next;
	else
		tree->first = vma->next;
	if (vma->next)
		vma->next->prev = vma->prev;
	else
		tree->last = vma->prev;
	refresh_gap(tree, vma->next);
}

void vma_tree_resize(struct vma_tree *tree, struct vma *vma, struct vaddr start, struct vaddr end)
{
	vma->start = start;
	vma->end = end;
	refresh_gap(tree, vma);
	refresh_gap(tree, vma->next);
}

struct vma *vma_tree_after(const struct vma_tree *tree, struct vaddr va)
{
	struct vma *best = NULL;
	for (struct vma *node = tree->root; node;) {
		if (node->end.v > va.v) {
			best = node;
			node = node->left;
		} else {
			node = node->right;
		}
	}
	return best;
}

struct vma *vma_tree_find(struct vma_tree *tree, struct vaddr va)
{
	struct vma *hit = tree->hit;
	if (hit && va.v >= hit->start.v && va.v < hit->end.v)
		return hit;
	struct vma *vma = vma_tree_after(tree, va);
	if (!vma || vma->start.v > va.v)
		return NULL;
	tree->hit = vma;
	return vma;
}

/* The highest area that starts below `limit` and has `bytes` free below it. */
static const struct vma *highest_gap(const struct vma *root, uint64_t limit, uint64_t bytes)
{
	if (!root || root->max_gap < bytes)
		return NULL;
	if (root->start.v >= limit)
		return highest_gap(root->left, limit, bytes);
	const struct vma *above = highest_gap(root->right, limit, bytes);
	if (above)
		return above;
	return root->gap >= bytes ? root : highest_gap(root->left, limit, bytes);
}

bool vma_tree_top_down(const struct vma_tree *tree, uint64_t bytes, struct vaddr ceiling, struct vaddr *out)
{
	/* The gap that the ceiling cuts is known to no node. */
	const struct vma *at = vma_tree_after(tree, vaddr(ceiling.v - 1));
	const struct vma *below = at ? at->prev : tree->last;
	uint64_t top = at && guarded_start(at) < ceiling.v ? guarded_start(at) : ceiling.v;
	uint64_t bottom = below ? below->end.v : VMA_LOWEST;
	if (top > bottom && top - bottom >= bytes) {
		*out = vaddr(top - bytes);
		return true;
	}
	if (!below)
		return false;
	const struct vma *gap = highest_gap(tree->root, below->start.v + 1, bytes);
	if (!gap)
		return false;
	*out = vaddr(guarded_start(gap) - bytes);
	return true;
}

bool vma_tree_has_room(const struct vma_tree *tree, struct vaddr start, uint64_t bytes)
{
	const struct vma *next = vma_tree_after(tree, start);
	return !next || guarded_start(next) >= start.v + bytes;
}

bool vma_tree_is_free(const struct vma_tree *tree, struct vaddr start, uint64_t bytes)
{
	const struct vma *next = vma_tree_after(tree, start);
	return !next || next->start.v >= start.v + bytes;
}

static bool check_subtree(const struct vma *node, uint64_t *count)
{
	if (!node)
		return true;
	uint64_t max = node->gap;
	const struct vma *children[] = {node->left, node->right};
	for (unsigned i = 0; i < 2; i++) {
		if (!children[i])
			continue;
		if (children[i]->priority > node->priority || !check_subtree(children[i], count))
			return false;
		if (children[i]->max_gap > max)
			max = children[i]->max_gap;
	}
	(*count)++;
	return max == node->max_gap;
}

bool vma_tree_check(const struct vma_tree *tree)
{
	uint64_t listed = 0, below = VMA_LOWEST;
	for (const struct vma *vma = tree->first; vma; vma = vma->next) {
		if (vma->start.v < below || vma->end.v <= vma->start.v || page_offset(vma->start.v | vma->end.v) != 0)
			return false;
		uint64_t start = guarded_start(vma);
		if (vma->gap != (start > below ? start - below : 0))
			return false;
		below = vma->end.v;
		listed++;
	}
	uint64_t counted = 0;
	return check_subtree(tree->root, &counted) && counted == listed && listed == tree->count;
}
