/* Nodes are numbers; their entries lie in arrays, FAN for each node. An entry of a leaf is a page with its use, one of
 * an inner node a child with what is known of all pages under it. */
#include "row.h"

#include <string.h>

#include "faultline/status.h"

/* A node that gets thinner than THIN is joined with a neighbour, if both make a node that is not crowded. */
enum { FAN = 32, THIN = FAN / 4, CROWDED = FAN * 3 / 4 };

struct node {
	uint32_t parent; /* ROW_NONE: the root */
	uint16_t used;
	uint16_t level;  /* 0: a leaf */
	uint32_t sorted; /* inner nodes: a bit for each child under which no use is less than the one before */
};

struct row {
	struct node *node;
	uint32_t *item;     /* page or child */
	uint32_t *greatest; /* use */
	uint32_t *least;    /* inner nodes: the use of the first page under it */
	uint32_t *size;     /* inner nodes: pages under it */
	uint32_t *leaf;     /* of each page, plus one; 0: not in the row */
	uint32_t root;
	uint32_t made, spare; /* nodes made so far; the first of those that are free again, by parent */
	uint32_t limit;       /* of nodes */
	uint32_t pages;
};

/* An entry. */
struct spot {
	uint32_t node, slot;
};

static size_t at(struct spot spot)
{
	return (size_t)spot.node * FAN + spot.slot;
}

static struct spot spot_of(uint32_t node, uint32_t slot)
{
	return (struct spot){node, slot};
}

static uint32_t first_use(const struct row *row, struct spot spot)
{
	return row->node[spot.node].level ? row->least[at(spot)] : row->greatest[at(spot)];
}

static bool is_sorted(const struct row *row, struct spot spot)
{
	const struct node *node = &row->node[spot.node];
	return node->level == 0 || (node->sorted >> spot.slot & 1);
}

/* ---- finding ---- */

static uint32_t slot_of(const struct row *row, uint32_t node, uint32_t item)
{
	const uint32_t *items = &row->item[(size_t)node * FAN];
	uint32_t slot = 0;
	while (items[slot] != item)
		slot++;
	return slot;
}

static struct spot find(const struct row *row, uint32_t page)
{
	uint32_t leaf = row->leaf[page] - 1;
	return spot_of(leaf, slot_of(row, leaf, page));
}

/* The entry of the parent that leads to this node. */
static struct spot above(const struct row *row, uint32_t node)
{
	uint32_t parent = row->node[node].parent;
	return spot_of(parent, slot_of(row, parent, node));
}

static bool is_root(const struct row *row, uint32_t node)
{
	return row->node[node].parent == ROW_NONE;
}

bool row_has(const struct row *row, uint32_t page)
{
	return row->leaf[page] != 0;
}

uint32_t row_first(const struct row *row)
{
	uint32_t node = row->root;
	if (row->node[node].used == 0)
		return ROW_NONE;
	while (row->node[node].level > 0)
		node = row->item[at(spot_of(node, 0))];
	return row->item[at(spot_of(node, 0))];
}

uint32_t row_place(const struct row *row, uint32_t page)
{
	struct spot spot = find(row, page);
	uint32_t place = spot.slot;
	while (!is_root(row, spot.node)) {
		spot = above(row, spot.node);
		for (uint32_t slot = 0; slot < spot.slot; slot++)
			place += row->size[at(spot_of(spot.node, slot))];
	}
	return place;
}

static uint32_t last_page_under(const struct row *row, struct spot spot)
{
	while (row->node[spot.node].level > 0) {
		uint32_t child = row->item[at(spot)];
		spot = spot_of(child, row->node[child].used - 1u);
	}
	return row->item[at(spot)];
}

uint32_t row_run_end(const struct row *row, uint32_t page)
{
	struct spot last = find(row, page);
	uint32_t use = row->greatest[at(last)];
	struct spot next = spot_of(last.node, last.slot + 1);
	for (;;) {
		while (next.slot < row->node[next.node].used && is_sorted(row, next) && first_use(row, next) >= use) {
			last = next;
			use = row->greatest[at(next)];
			next.slot++;
		}
		if (next.slot == row->node[next.node].used) {
			if (is_root(row, next.node))
				break;
			next = above(row, next.node);
			next.slot++;
		} else if (!is_sorted(row, next) && first_use(row, next) >= use) {
			next = spot_of(row->item[at(next)], 0);
		} else {
			break;
		}
	}
	return last_page_under(row, last);
}

static bool find_greater(const struct row *row, struct spot *spot, uint32_t use)
{
	while (spot->slot < row->node[spot->node].used && row->greatest[at(*spot)] <= use)
		spot->slot++;
	return spot->slot < row->node[spot->node].used;
}

uint32_t row_next_greater(const struct row *row, uint32_t page)
{
	struct spot spot = find(row, page);
	const uint32_t use = row->greatest[at(spot)];
	spot.slot++;
	while (!find_greater(row, &spot, use)) {
		if (is_root(row, spot.node))
			return ROW_NONE;
		spot = above(row, spot.node);
		spot.slot++;
	}
	while (row->node[spot.node].level > 0) {
		spot = spot_of(row->item[at(spot)], 0);
		(void)find_greater(row, &spot, use);
	}
	return row->item[at(spot)];
}

/* ---- nodes ---- */

static uint32_t make_node(struct row *row, unsigned level)
{
	uint32_t node = row->spare;
	if (node != ROW_NONE)
		row->spare = row->node[node].parent;
	else
		node = row->made++;
	BUG_ON(node >= row->limit);
	row->node[node] = (struct node){.parent = ROW_NONE, .level = (uint16_t)level};
	return node;
}

static void free_node(struct row *row, uint32_t node)
{
	row->node[node].parent = row->spare;
	row->spare = node;
}

/* `count` entries from one spot to another, whose node they then belong to. */
static void copy_entries(struct row *row, struct spot to, struct spot from, uint32_t count)
{
	const struct node *node = &row->node[to.node];
	memmove(&row->item[at(to)], &row->item[at(from)], count * sizeof(*row->item));
	memmove(&row->greatest[at(to)], &row->greatest[at(from)], count * sizeof(*row->greatest));
	if (node->level > 0) {
		memmove(&row->least[at(to)], &row->least[at(from)], count * sizeof(*row->least));
		memmove(&row->size[at(to)], &row->size[at(from)], count * sizeof(*row->size));
	}
	for (uint32_t slot = to.slot; slot < to.slot + count && to.node != from.node; slot++) {
		uint32_t item = row->item[at(spot_of(to.node, slot))];
		if (node->level > 0)
			row->node[item].parent = to.node;
		else
			row->leaf[item] = to.node + 1;
	}
}

static uint32_t low_bits(uint32_t count)
{
	return count < 32 ? (UINT32_C(1) << count) - 1 : UINT32_MAX;
}

static void insert_bit(uint32_t *bits, uint32_t slot)
{
	*bits = (*bits & low_bits(slot)) | (*bits & ~low_bits(slot)) << 1;
}

static void remove_bit(uint32_t *bits, uint32_t slot)
{
	*bits = (*bits & low_bits(slot)) | (*bits >> 1 & ~low_bits(slot));
}

/* What a parent knows of a node. */
struct description {
	uint32_t greatest, least, size;
	bool sorted;
};

static struct description description_of_leaf(const struct row *row, uint32_t leaf)
{
	const uint32_t *use = &row->greatest[(size_t)leaf * FAN];
	const uint32_t used = row->node[leaf].used;
	if (used == 0)
		return (struct description){0, UINT32_MAX, 0, true};
	uint32_t greatest = use[0], descents = 0;
	for (uint32_t slot = 1; slot < used; slot++) {
		greatest = use[slot] > greatest ? use[slot] : greatest;
		descents |= use[slot] < use[slot - 1];
	}
	return (struct description){greatest, use[0], used, !descents};
}

static struct description description_of_inner(const struct row *row, uint32_t node)
{
	const uint32_t *latest = &row->greatest[(size_t)node * FAN];
	const uint32_t *least = &row->least[(size_t)node * FAN];
	const uint32_t *size = &row->size[(size_t)node * FAN];
	const uint32_t used = row->node[node].used;
	struct description all = {latest[0], least[0], size[0], false};
	uint32_t descents = ~row->node[node].sorted & low_bits(used);
	for (uint32_t slot = 1; slot < used; slot++) {
		all.greatest = latest[slot] > all.greatest ? latest[slot] : all.greatest;
		descents |= least[slot] < latest[slot - 1];
		all.size += size[slot];
	}
	all.sorted = !descents;
	return all;
}

static struct description description_of(const struct row *row, uint32_t node)
{
	return row->node[node].level ? description_of_inner(row, node) : description_of_leaf(row, node);
}

static bool is_described(const struct row *row, struct spot spot, const struct description *now)
{
	return row->greatest[at(spot)] == now->greatest && row->least[at(spot)] == now->least &&
	       is_sorted(row, spot) == now->sorted;
}

/* Writes down what is under the node; true when more than the number of pages is different. */
static bool describe(struct row *row, uint32_t node, struct spot spot)
{
	const struct description now = description_of(row, node);
	const bool same = is_described(row, spot, &now);
	row->greatest[at(spot)] = now.greatest;
	row->least[at(spot)] = now.least;
	row->size[at(spot)] = now.size;
	row->node[spot.node].sorted &= ~(UINT32_C(1) << spot.slot);
	row->node[spot.node].sorted |= (uint32_t)now.sorted << spot.slot;
	return !same;
}

/* All above the node learn that it has changed, and holds so many more pages. */
static void describe_up(struct row *row, uint32_t node, uint32_t more)
{
	bool changed = true;
	while (!is_root(row, node) && (changed || more)) {
		struct spot up = above(row, node);
		if (changed)
			changed = describe(row, node, up);
		else
			row->size[at(up)] += more;
		node = up.node;
	}
}

/* ---- changing ---- */

static void open_gap(struct row *row, struct spot spot)
{
	struct node *node = &row->node[spot.node];
	copy_entries(row, spot_of(spot.node, spot.slot + 1), spot, node->used - spot.slot);
	insert_bit(&node->sorted, spot.slot);
	node->used++;
}

/* The upper half of a full node moves to a new one behind it. */
static void split(struct row *row, uint32_t node)
{
	uint32_t right = make_node(row, row->node[node].level);
	if (is_root(row, node)) {
		row->root = make_node(row, row->node[node].level + 1u);
		row->node[node].parent = row->root;
		row->node[row->root].used = 1;
		row->item[at(spot_of(row->root, 0))] = node;
	} else if (row->node[row->node[node].parent].used == FAN) {
		split(row, row->node[node].parent);
	}
	copy_entries(row, spot_of(right, 0), spot_of(node, FAN / 2), FAN / 2);
	row->node[right].used = row->node[node].used = FAN / 2;
	row->node[right].sorted = row->node[node].sorted >> FAN / 2;
	struct spot left = above(row, node);
	struct spot behind = spot_of(left.node, left.slot + 1);
	open_gap(row, behind);
	row->node[right].parent = left.node;
	row->item[at(behind)] = right;
	(void)describe(row, node, left);
	(void)describe(row, right, behind);
}

static void insert(struct row *row, struct spot spot, uint32_t page, uint32_t use)
{
	if (row->node[spot.node].used == FAN) {
		split(row, spot.node);
		if (spot.slot > FAN / 2) {
			struct spot left = above(row, spot.node);
			spot = spot_of(row->item[at(left) + 1], spot.slot - FAN / 2);
		}
	}
	open_gap(row, spot);
	row->item[at(spot)] = page;
	row->greatest[at(spot)] = use;
	row->leaf[page] = spot.node + 1;
	describe_up(row, spot.node, 1);
}

/* An entry leaves its node; nobody above knows yet. */
static void close_gap(struct row *row, struct spot spot)
{
	struct node *node = &row->node[spot.node];
	copy_entries(row, spot, spot_of(spot.node, spot.slot + 1), node->used - spot.slot - 1u);
	remove_bit(&node->sorted, spot.slot);
	node->used--;
}

/* The node of an entry and the one behind it become one, if they fit. */
static bool join(struct row *row, struct spot left)
{
	if (left.slot + 1 >= row->node[left.node].used)
		return false;
	struct spot right = spot_of(left.node, left.slot + 1);
	uint32_t to = row->item[at(left)];
	uint32_t from = row->item[at(right)];
	struct node *kept = &row->node[to];
	const struct node *gone = &row->node[from];
	if (kept->used + gone->used > CROWDED)
		return false;
	copy_entries(row, spot_of(to, kept->used), spot_of(from, 0), gone->used);
	kept->sorted = (kept->sorted & low_bits(kept->used)) | gone->sorted << kept->used;
	kept->used = (uint16_t)(kept->used + gone->used);
	free_node(row, from);
	(void)describe(row, to, left);
	close_gap(row, right);
	return true;
}

/* Empty nodes go, thin ones are joined; then those above may be empty or thin. */
static void thin_out(struct row *row, uint32_t node)
{
	while (!is_root(row, node) && row->node[node].used < THIN) {
		struct spot up = above(row, node);
		if (row->node[node].used == 0) {
			free_node(row, node);
			close_gap(row, up);
			describe_up(row, up.node, 0);
		} else if (!join(row, up) && (up.slot == 0 || !join(row, spot_of(up.node, up.slot - 1)))) {
			return;
		}
		node = up.node;
	}
}

static void take_out(struct row *row, struct spot spot)
{
	close_gap(row, spot);
	describe_up(row, spot.node, UINT32_MAX);
	if (row->node[spot.node].used < THIN)
		thin_out(row, spot.node);
}

void row_prepend(struct row *row, uint32_t page, uint32_t use)
{
	uint32_t first = row_first(row);
	insert(row, first == ROW_NONE ? spot_of(row->root, 0) : spot_of(row->leaf[first] - 1, 0), page, use);
}

void row_append(struct row *row, uint32_t page, uint32_t use)
{
	uint32_t node = row->root;
	while (row->node[node].level > 0)
		node = row->item[at(spot_of(node, row->node[node].used - 1u))];
	insert(row, spot_of(node, row->node[node].used), page, use);
}

void row_remove(struct row *row, uint32_t page)
{
	struct spot spot = find(row, page);
	row->leaf[page] = 0;
	take_out(row, spot);
}

void row_set_use(struct row *row, uint32_t page, uint32_t use)
{
	struct spot spot = find(row, page);
	row->greatest[at(spot)] = use;
	describe_up(row, spot.node, 0);
}

void row_move_before(struct row *row, uint32_t page, uint32_t other)
{
	uint32_t use = row->greatest[at(find(row, page))];
	row_remove(row, page);
	insert(row, find(row, other), page, use);
}

/* ---- life ---- */

static uint32_t nodes_for(uint32_t pages)
{
	return pages / 2 + 64;
}

size_t row_bytes(uint32_t pages)
{
	const size_t nodes = nodes_for(pages);
	return sizeof(struct row) + nodes * (sizeof(struct node) + 4 * FAN * sizeof(uint32_t)) +
	       pages * sizeof(uint32_t) + 4096;
}

struct row *row_new(struct arena *arena, uint32_t pages)
{
	struct row *row = arena_new_object(arena, struct row);
	row->pages = pages;
	row->limit = nodes_for(pages);
	const size_t entries = (size_t)row->limit * FAN;
	row->node = arena_new_array(arena, struct node, row->limit);
	row->item = arena_new_array(arena, uint32_t, entries);
	row->greatest = arena_new_array(arena, uint32_t, entries);
	row->least = arena_new_array(arena, uint32_t, entries);
	row->size = arena_new_array(arena, uint32_t, entries);
	row->leaf = arena_new_array(arena, uint32_t, pages);
	row->spare = ROW_NONE;
	row->root = make_node(row, 0);
	return row;
}

static const char *check_above(const struct row *row, uint32_t node)
{
	for (; !is_root(row, node); node = row->node[node].parent) {
		struct spot up = above(row, node);
		struct description now = description_of(row, node);
		if (!is_described(row, up, &now) || row->size[at(up)] != now.size)
			return "a node is not what its parent thinks";
	}
	return NULL;
}

const char *row_check(const struct row *row)
{
	const char *wrong = NULL;
	for (uint32_t page = 0; page < row->pages && !wrong; page++)
		wrong = row_has(row, page) ? check_above(row, row->leaf[page] - 1) : NULL;
	return wrong;
}
