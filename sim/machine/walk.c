#include "walk_private.h"

#include "faultline/status.h"
#include "physmem_private.h"

/* Does an entry of this level map a page? */
enum leaf_rule { LEAF_NEVER, LEAF_IF_PS, LEAF_ALWAYS };

struct level_format {
	const char *name;
	uint8_t shift; /* of the index in the linear address; also log2 of the bytes that one entry spans */
	enum leaf_rule leaf;
	enum page_size size;       /* of a leaf */
	uint64_t reserved_in_leaf; /* besides the bits that are reserved everywhere */
};

#define BITS(high, low) ((~(uint64_t)0 >> (63 - (high))) & (~(uint64_t)0 << (low)))

/* 4-level and 5-level paging by level, SDM 3A 4.5 tables 4-14 to 4-20. */
static const struct level_format long_mode[WALK_MAX_LEVELS + 1] = {
    [5] = {"PML5E", 48, LEAF_NEVER, PAGE_SIZE_4K, 0},
    [4] = {"PML4E", 39, LEAF_NEVER, PAGE_SIZE_4K, 0},
    [3] = {"PDPTE", 30, LEAF_IF_PS, PAGE_SIZE_1G, BITS(29, 13)},
    [2] = {"PDE", 21, LEAF_IF_PS, PAGE_SIZE_2M, BITS(20, 13)},
    [1] = {"PTE", 12, LEAF_ALWAYS, PAGE_SIZE_4K, 0},
};

#define ENTRY_ADDRESS BITS(51, 12)

static const char *const outcomes[] = {
#define X(id, text) [WALK_##id] = text,
    WALK_OUTCOME_LIST(X)
#undef X
};

const char *walk_outcome_text(enum walk_outcome outcome)
{
	return outcomes[outcome];
}

const char *walk_level_name(unsigned level)
{
	BUG_ON(level == 0 || level > WALK_MAX_LEVELS);
	return long_mode[level].name;
}

struct walk_start walk_start_at_root(const struct paging *paging)
{
	return (struct walk_start){
	    .level = paging->levels,
	    .table = paging->root,
	    .rights = {.user = true, .writable = true, .no_execute = false},
	};
}

static bool is_leaf(const struct level_format *format, struct pte entry)
{
	return format->leaf == LEAF_ALWAYS || (format->leaf == LEAF_IF_PS && pte_page_size(entry));
}

static uint64_t reserved_bits(const struct level_format *format, uint64_t reserved_everywhere, bool leaf)
{
	if (leaf)
		return reserved_everywhere | format->reserved_in_leaf;
	return reserved_everywhere | (format->leaf == LEAF_NEVER ? PTE_PAGE_SIZE : 0);
}

/* U/S and R/W are the AND, XD the OR over the path: SDM 3A 4.6. */
static void narrow_rights(struct walk_rights *rights, struct pte entry)
{
	rights->user = rights->user && pte_user(entry);
	rights->writable = rights->writable && pte_writable(entry);
	rights->no_execute = rights->no_execute || pte_no_execute(entry);
}

static void finish_at_leaf(struct walk *out, const struct level_format *format, struct pte entry)
{
	out->outcome = WALK_MAPPED;
	out->size = format->size;
	out->page = paddr(entry.word & ENTRY_ADDRESS & ~(page_size_bytes(format->size) - 1));
	out->rights.protection_key = (uint8_t)pte_protection_key(entry);
	out->global = pte_global(entry) != 0;
	out->dirty = pte_dirty(entry) != 0;
}

void walk_read(const struct physmem *mem, const struct paging *paging, const struct walk_start *start, struct vaddr va,
	       struct walk *out)
{
	uint64_t reserved_everywhere = paging->maxphyaddr < 52 ? BITS(51, paging->maxphyaddr) : 0;
	if (!paging->nxe)
		reserved_everywhere |= PTE_NO_EXECUTE;
	struct paddr table = start->table;
	out->count = 0;
	out->rights = start->rights;
	for (unsigned level = start->level;; level--) {
		const struct level_format *format = &long_mode[level];
		struct paddr pa = paddr_add(table, ((va.v >> format->shift) & 511) * sizeof(uint64_t));
		struct pte entry = {physmem_get64(mem, pa)};
		out->step[out->count++] = (struct walk_step){(uint8_t)level, pa, entry};
		if (!pte_present(entry)) {
			out->outcome = WALK_NOT_PRESENT;
			return;
		}
		bool leaf = is_leaf(format, entry);
		if (entry.word & reserved_bits(format, reserved_everywhere, leaf)) {
			out->outcome = WALK_RESERVED;
			return;
		}
		narrow_rights(&out->rights, entry);
		if (leaf) {
			finish_at_leaf(out, format, entry);
			return;
		}
		table = paddr(entry.word & ENTRY_ADDRESS);
	}
}

void walk_peek(const struct physmem *mem, const struct paging *paging, struct vaddr va, struct walk *out)
{
	*out = (struct walk){.outcome = WALK_NOT_CANONICAL};
	if (!vaddr_is_canonical(va, paging->levels))
		return;
	struct walk_start root = walk_start_at_root(paging);
	walk_read(mem, paging, &root, va, out);
}

static bool set_bits(struct physmem *mem, struct walk_step *step, uint64_t bits)
{
	/* Tables that point at themselves list one entry at several levels; what RAM holds by now counts. */
	uint64_t before = physmem_get64(mem, step->pa);
	if ((before & bits) == bits)
		return false;
	step->entry.word = before | bits;
	physmem_put64(mem, step->pa, before | bits);
	return true;
}

struct walk_marks walk_mark(struct physmem *mem, struct walk *walk, bool write)
{
	struct walk_marks marks = {0, 0};
	for (unsigned i = 0; i < walk->count; i++) {
		if (!pte_accessed(walk->step[i].entry))
			marks.accessed += set_bits(mem, &walk->step[i], PTE_ACCESSED);
	}
	if (write && !walk->dirty) {
		marks.dirty += set_bits(mem, &walk->step[walk->count - 1], PTE_DIRTY);
		walk->dirty = true;
	}
	return marks;
}
