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

void tlb_init(struct tlb *tlb, struct tlb_geometry geometry, enum tlb_role role, uint32_t first, uint64_t *tags,
	      struct tlb_value *values)
{
	BUG_ON(!is_power_of_two(geometry.sets) || geometry.ways == 0);
	*tlb = (struct tlb){
	    .geometry = geometry,
	    .role = role,
	    .set_mask = geometry.sets - 1u,
	    .set_bits = (uint32_t)__builtin_ctz(geometry.sets),
	    .first = first,
	    .tags = tags,
	    .values = values,
	};
}

static bool is_piece(uint64_t tag, uint64_t word)
{
	return tlb_word_mapping(word) != tlb_tag_size(tag);
}

/* What the counts distinguish: global or not, size, size in the tables. */
static uint64_t kind_of(uint64_t tag, uint64_t word)
{
	const uint64_t of_tag = TLB_TAG_GLOBAL | (uint64_t)3 << TLB_TAG_SIZE_SHIFT;
	return (tag & of_tag) | (word & (uint64_t)3 << TLB_WORD_MAPPING_SHIFT);
}

/* The count that an entry with this tag is part of. */
static uint32_t *count_of(struct tlb *tlb, uint64_t tag)
{
	return (tag & TLB_TAG_GLOBAL ? tlb->global : tlb->own) + tlb_tag_size(tag);
}

static void drop(struct tlb *tlb, uint32_t slot)
{
	tlb->valid--;
	--*count_of(tlb, tlb->tags[slot]);
	tlb->pieces -= is_piece(tlb->tags[slot], tlb->values[slot].word);
	tlb->tags[slot] = 0;
	tlb->values[slot] = (struct tlb_value){0, 0};
}

static uint32_t least_recently_used(const struct tlb *tlb, uint32_t first)
{
	uint32_t victim = first;
	uint64_t oldest = tlb->values[first].stamp;
	for (uint32_t slot = first + 1; slot < first + tlb->geometry.ways; slot++) {
		uint64_t stamp = tlb->values[slot].stamp;
		bool older = stamp < oldest;
		victim = older ? slot : victim;
		oldest = older ? stamp : oldest;
	}
	return victim;
}

bool tlb_insert(struct tlb *tlb, uint64_t tag, struct tlb_value value, uint32_t *slot)
{
	uint32_t victim = least_recently_used(tlb, tlb_set(tlb, tag & TLB_TAG_PAGE));
	uint64_t old = tlb->tags[victim];
	bool lost = old != 0;
	/* Mostly an entry makes way for one of its kind, and the counts stay. */
	if (!lost || kind_of(old, tlb->values[victim].word) != kind_of(tag, value.word)) {
		if (lost)
			drop(tlb, victim);
		tlb->valid++;
		++*count_of(tlb, tag);
		tlb->pieces += is_piece(tag, value.word);
	}
	tlb->tags[victim] = tag;
	tlb->values[victim] = value;
	*slot = victim;
	return lost;
}

static bool belongs_to(uint64_t tag, uint64_t pcid)
{
	return (tag & TLB_TAG_GLOBAL) || (tag >> TLB_TAG_PCID_SHIFT & 0xfff) == pcid;
}

/* True when the slot holds a piece of the page, as the tables mapped it, that contains the address. */
static bool is_piece_around(const struct tlb *tlb, uint32_t slot, struct tlb_key key)
{
	uint64_t tag = tlb->tags[slot];
	if (!tag || !is_piece(tag, tlb->values[slot].word) || !belongs_to(tag, key.pcid))
		return false;
	enum page_size mapping = tlb_word_mapping(tlb->values[slot].word);
	unsigned apart = page_size_shift(mapping) - page_size_shift(tlb_tag_size(tag));
	return (tag & TLB_TAG_PAGE) >> apart == tlb_page_number(key.va, mapping);
}

uint32_t tlb_drop_page(struct tlb *tlb, struct tlb_key key)
{
	uint32_t before = tlb->valid;
	for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++) {
		uint32_t slot;
		while ((slot = tlb_find(tlb, key, (enum page_size)size)) != TLB_NONE)
			drop(tlb, slot);
	}
	if (tlb->pieces) {
		for (uint32_t slot = 0; slot < tlb_slots(tlb); slot++) {
			if (is_piece_around(tlb, slot, key))
				drop(tlb, slot);
		}
	}
	return before - tlb->valid;
}

uint32_t tlb_drop_pcid(struct tlb *tlb, uint64_t pcid)
{
	uint32_t before = tlb->valid;
	for (uint32_t slot = 0; tlb->valid && slot < tlb_slots(tlb); slot++) {
		uint64_t tag = tlb->tags[slot];
		if (tag && !(tag & TLB_TAG_GLOBAL) && belongs_to(tag, pcid))
			drop(tlb, slot);
	}
	return before - tlb->valid;
}

uint32_t tlb_drop_all(struct tlb *tlb)
{
	uint32_t before = tlb->valid;
	for (uint32_t slot = 0; tlb->valid && slot < tlb_slots(tlb); slot++) {
		if (tlb->tags[slot])
			drop(tlb, slot);
	}
	return before;
}

struct tlb_geometry tlb_geometry(const struct tlb *tlb)
{
	return tlb->geometry;
}

enum tlb_role tlb_role(const struct tlb *tlb)
{
	return tlb->role;
}

unsigned tlb_slots(const struct tlb *tlb)
{
	return (unsigned)tlb->geometry.sets * tlb->geometry.ways;
}

bool tlb_slot(const struct tlb *tlb, unsigned slot, struct tlb_entry *out)
{
	uint64_t tag = tlb->tags[slot];
	if (!tag)
		return false;
	uint64_t word = tlb->values[slot].word;
	enum page_size size = tlb_tag_size(tag);
	uint64_t address = (tag & TLB_TAG_PAGE) << page_size_shift(size);
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
	    .stamp = tlb->values[slot].stamp,
	};
	return true;
}
