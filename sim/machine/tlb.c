#include "tlb_private.h"

#include <string.h>

#include "faultline/status.h"

_Static_assert(PAGE_SIZE_COUNT <= 4, "a tag has two bits for the page size");

static const char *const size_names[] = {
#define X(id, shift, name) [PAGE_SIZE_##id] = name,
    PAGE_SIZE_LIST(X)
#undef X
};

const char *page_size_name(enum page_size size)
{
	BUG_ON(size >= PAGE_SIZE_COUNT);
	return size_names[size];
}

const char *tlb_role_name(enum tlb_role role)
{
	static const char *const names[] = {[TLB_ROLE_L1D] = "L1D", [TLB_ROLE_L1I] = "L1I", [TLB_ROLE_L2] = "L2"};
	return names[role];
}

static const struct {
	const char *name, *text;
} replacements[] = {
#define X(id, name, text) [TLB_##id] = {name, text},
    TLB_REPLACEMENT_LIST(X)
#undef X
};

const char *tlb_replacement_name(enum tlb_replacement replacement)
{
	BUG_ON(replacement >= TLB_REPLACEMENT_COUNT);
	return replacements[replacement].name;
}

const char *tlb_replacement_text(enum tlb_replacement replacement)
{
	BUG_ON(replacement >= TLB_REPLACEMENT_COUNT);
	return replacements[replacement].text;
}

void tlb_init(struct tlb *tlb, struct arena *arena, struct tlb_geometry geometry, enum tlb_role role,
	      enum tlb_replacement replacement)
{
	BUG_ON(!is_power_of_two(geometry.sets) || geometry.ways == 0);
	uint32_t print_bytes = (geometry.ways + LANES - 1u) / LANES * LANES;
	uint32_t line_bytes = geometry.ways * (uint32_t)sizeof(struct tlb_line);
	uint32_t set_bytes = print_bytes + (line_bytes + LANES - 1u) / LANES * LANES;
	*tlb = (struct tlb){
	    .sets = arena_alloc(arena, (size_t)geometry.sets * set_bytes, 64),
	    .set_bytes = set_bytes,
	    .print_bytes = print_bytes,
	    .set_mask = geometry.sets - 1u,
	    .set_bits = (uint8_t)__builtin_ctz(geometry.sets),
	    .xor_index = geometry.xor_index,
	    .replacement = replacement,
	    .ways = geometry.ways,
	    .role = role,
	    .geometry = geometry,
	    .trees = arena_alloc(arena, geometry.sets * sizeof(*tlb->trees), 64),
	    .rng = rng_seeded(role),
	};
}

static struct tlb_line *line_at(const struct tlb *tlb, uint32_t slot)
{
	uint8_t *set = tlb->sets + (size_t)(slot / tlb->ways) * tlb->set_bytes;
	return &tlb_lines(tlb, set)[slot % tlb->ways];
}

static bool is_piece(uint64_t tag, uint64_t word)
{
	return tlb_word_mapping(word) != tlb_tag_size(tag);
}

static struct vaddr address_of(uint64_t tag)
{
	return vaddr((tag & TLB_TAG_PAGE) << page_size_shift(tlb_tag_size(tag)));
}

static unsigned half_of(uint64_t tag)
{
	return tlb_half(address_of(tag));
}

static void count_in(struct tlb *tlb, uint64_t tag, int entries)
{
	tlb->count[tlb_tag_size(tag)][half_of(tag)] += (uint32_t)entries;
	tlb->count_of_half[half_of(tag)] += (uint32_t)entries;
}

/* Do the counts take these entries for alike? */
static bool count_alike(uint64_t tag, uint64_t word, const struct tlb_line *line)
{
	return ((tag ^ line->tag) & (uint64_t)3 << TLB_TAG_SIZE_SHIFT) == 0 && half_of(tag) == half_of(line->tag) &&
	       ((word ^ line->word) & (uint64_t)3 << TLB_WORD_MAPPING_SHIFT) == 0;
}

static void drop(struct tlb *tlb, struct tlb_line *line)
{
	tlb->valid--;
	count_in(tlb, line->tag, -1);
	tlb->pieces -= is_piece(line->tag, line->word);
	*line = (struct tlb_line){.tag = 0};
}

static uint32_t oldest_way(const struct tlb_line *lines, uint32_t ways)
{
	uint32_t oldest = 0;
	uint64_t lowest = lines[0].stamp;
	for (uint32_t way = 1; way < ways; way++) {
		uint64_t stamp = lines[way].stamp;
		bool older = stamp < lowest;
		oldest = older ? way : oldest;
		lowest = older ? stamp : lowest;
	}
	return oldest;
}

static uint32_t set_number(const struct tlb *tlb, const uint8_t *set)
{
	return (uint32_t)(set - tlb->sets) / tlb->set_bytes;
}

/* The ways are the leaves of a binary tree whose left half is the larger one where they are odd in number. */
static void point_away(uint64_t tree[2], uint32_t ways, uint32_t way)
{
	uint32_t first = 0;
	uint32_t node = 1;
	while (ways > 1) {
		uint32_t left = (ways + 1) / 2;
		bool right = way >= first + left;
		uint64_t bit = (uint64_t)1 << (node & 63);
		tree[node >> 6] = right ? tree[node >> 6] & ~bit : tree[node >> 6] | bit;
		first += right ? left : 0;
		ways = right ? ways - left : left;
		node = 2 * node + right;
	}
}

void tlb_point_away(struct tlb *tlb, const struct tlb_line *line)
{
	uint32_t set = set_number(tlb, (const uint8_t *)line);
	const struct tlb_line *first = tlb_lines(tlb, tlb->sets + (size_t)set * tlb->set_bytes);
	point_away(tlb->trees[set], tlb->ways, (uint32_t)(line - first));
}

static uint32_t way_pointed_at(const uint64_t tree[2], uint32_t ways)
{
	uint32_t first = 0;
	uint32_t node = 1;
	while (ways > 1) {
		uint32_t left = (ways + 1) / 2;
		bool right = tree[node >> 6] >> (node & 63) & 1;
		first += right ? left : 0;
		ways = right ? ways - left : left;
		node = 2 * node + right;
	}
	return first;
}

/* An empty way is the oldest: if that one is full, all are. */
static uint32_t victim_unranked(struct tlb *tlb, uint8_t *set, uint32_t oldest)
{
	if (tlb_lines(tlb, set)[oldest].tag == 0)
		return oldest;
	if (tlb->replacement == TLB_RANDOM)
		return (uint32_t)rng_below(&tlb->rng, tlb->ways);
	return way_pointed_at(tlb->trees[set_number(tlb, set)], tlb->ways);
}

/* The page of which the entry is a piece now lies in the range of pieces. */
static void widen_pieces(struct tlb *tlb, uint64_t tag, uint64_t word)
{
	uint64_t address = address_of(tag).v;
	uint64_t bytes = page_size_bytes(tlb_word_mapping(word));
	uint64_t first = align_down(address, bytes);
	uint64_t last = first + bytes - 1;
	bool only = tlb->pieces == 1;
	tlb->pieces_first = only || first < tlb->pieces_first ? first : tlb->pieces_first;
	tlb->pieces_last = only || last > tlb->pieces_last ? last : tlb->pieces_last;
}

static void recount(struct tlb *tlb, struct tlb_line *line, uint64_t tag, uint64_t word)
{
	if (line->tag)
		drop(tlb, line);
	tlb->valid++;
	count_in(tlb, tag, 1);
	tlb->pieces += is_piece(tag, word);
}

struct tlb_line *tlb_insert(struct tlb *tlb, uint64_t tag, uint64_t word, uint64_t tick, uint64_t *lost)
{
	uint64_t number = tag & TLB_TAG_PAGE;
	uint8_t *set = tlb_set(tlb, number);
	uint32_t way = oldest_way(tlb_lines(tlb, set), tlb->ways);
	if (tlb->replacement > TLB_FIFO)
		way = victim_unranked(tlb, set, way);
	struct tlb_line *line = &tlb_lines(tlb, set)[way];
	*lost = line->tag;
	/* Mostly an entry makes way for one of its kind, and the counts stay. */
	if (!*lost || !count_alike(tag, word, line))
		recount(tlb, line, tag, word);
	*line = (struct tlb_line){tag, word, tick};
	if (is_piece(tag, word))
		widen_pieces(tlb, tag, word);
	set[way] = (uint8_t)tlb_print(tlb, number);
	if (tlb->replacement == TLB_TREE_PLRU)
		tlb_point_away(tlb, line);
	return line;
}

static bool belongs_to(uint64_t tag, uint64_t space)
{
	return (tag & TLB_TAG_GLOBAL) || (tag & TLB_TAG_PCID) == space;
}

/* True when the line holds a piece of the page, as the tables mapped it, that contains the address. */
static bool is_piece_around(const struct tlb_line *line, struct tlb_key key)
{
	uint64_t tag = line->tag;
	if (!tag || !is_piece(tag, line->word) || !belongs_to(tag, key.space))
		return false;
	enum page_size mapping = tlb_word_mapping(line->word);
	unsigned apart = page_size_shift(mapping) - page_size_shift(tlb_tag_size(tag));
	return (tag & TLB_TAG_PAGE) >> apart == tlb_page_number(key.va, mapping);
}

static void drop_pieces_around(struct tlb *tlb, struct tlb_key key)
{
	for (uint32_t slot = 0; slot < tlb_slots(tlb); slot++) {
		struct tlb_line *line = line_at(tlb, slot);
		if (is_piece_around(line, key))
			drop(tlb, line);
	}
}

uint32_t tlb_drop_page(struct tlb *tlb, struct tlb_key key)
{
	uint32_t before = tlb->valid;
	uint64_t address = key.va.v & TLB_LINEAR;
	/* Each size that it holds. */
	for (unsigned sizes = tlb->geometry.page_sizes; sizes; sizes &= sizes - 1) {
		struct tlb_line *line;
		while ((line = tlb_find(tlb, key, (enum page_size)__builtin_ctz(sizes))))
			drop(tlb, line);
	}
	if (tlb->pieces && address >= tlb->pieces_first && address <= tlb->pieces_last)
		drop_pieces_around(tlb, key);
	return before - tlb->valid;
}

static bool is_any(const struct tlb_line *line, struct tlb_key key)
{
	(void)line, (void)key;
	return true;
}

static bool is_not_global(const struct tlb_line *line, struct tlb_key key)
{
	(void)key;
	return !(line->tag & TLB_TAG_GLOBAL);
}

static bool is_of_space(const struct tlb_line *line, struct tlb_key key)
{
	return is_not_global(line, key) && (line->tag & TLB_TAG_PCID) == key.space;
}

static bool is_of_page(const struct tlb_line *line, struct tlb_key key)
{
	unsigned apart = page_size_shift(tlb_word_mapping(line->word)) - page_size_shift(tlb_tag_size(line->tag));
	return is_of_space(line, key) &&
	       (line->tag & TLB_TAG_PAGE) >> apart == tlb_page_number(key.va, tlb_word_mapping(line->word));
}

static uint32_t drop_where(struct tlb *tlb, bool (*covers)(const struct tlb_line *, struct tlb_key), struct tlb_key key)
{
	uint32_t before = tlb->valid;
	for (uint32_t slot = 0; tlb->valid && slot < tlb_slots(tlb); slot++) {
		struct tlb_line *line = line_at(tlb, slot);
		if (line->tag && covers(line, key))
			drop(tlb, line);
	}
	return before - tlb->valid;
}

uint32_t tlb_drop_own_page(struct tlb *tlb, struct tlb_key key)
{
	return drop_where(tlb, is_of_page, key);
}

uint32_t tlb_drop_pcid(struct tlb *tlb, uint64_t pcid)
{
	return drop_where(tlb, is_of_space, tlb_key(vaddr(0), pcid));
}

uint32_t tlb_drop_own(struct tlb *tlb)
{
	return drop_where(tlb, is_not_global, tlb_key(vaddr(0), 0));
}

uint32_t tlb_drop_all(struct tlb *tlb)
{
	return drop_where(tlb, is_any, tlb_key(vaddr(0), 0));
}

struct tlb_geometry tlb_geometry(const struct tlb *tlb)
{
	return tlb->geometry;
}

enum tlb_role tlb_role(const struct tlb *tlb)
{
	return tlb->role;
}

enum tlb_replacement tlb_replacement(const struct tlb *tlb)
{
	return tlb->replacement;
}

unsigned tlb_slots(const struct tlb *tlb)
{
	return (unsigned)tlb->geometry.sets * tlb->geometry.ways;
}

bool tlb_slot(const struct tlb *tlb, unsigned slot, struct tlb_entry *out)
{
	const struct tlb_line *line = line_at(tlb, slot);
	uint64_t tag = line->tag;
	if (!tag)
		return false;
	uint64_t word = line->word;
	enum page_size size = tlb_tag_size(tag);
	uint64_t address = address_of(tag).v;
	*out = (struct tlb_entry){
	    .page = vaddr((uint64_t)((int64_t)(address << 7) >> 7)), /* 57 bits, sign-extended */
	    .frame = paddr_to_pfn(paddr(word & TLB_WORD_ADDRESS)),
	    .size = size,
	    .mapping_size = tlb_word_mapping(word),
	    .pcid = (uint16_t)(tag >> TLB_TAG_PCID_SHIFT & 0xfff),
	    .global = (tag & TLB_TAG_GLOBAL) != 0,
	    .user = (word & TLB_WORD_USER) != 0,
	    .writable = (word & TLB_WORD_WRITABLE) != 0,
	    .no_execute = (word & TLB_WORD_NO_EXECUTE) != 0,
	    .dirty = (word & TLB_WORD_DIRTY) != 0,
	    .protection_key = (uint8_t)(word >> TLB_WORD_KEY_SHIFT & 15),
	    .stamp = line->stamp,
	};
	return true;
}
