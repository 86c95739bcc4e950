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

static uint32_t set_of(const struct tlb *tlb, uint64_t page_number)
{
	if (tlb->geometry.xor_index)
		page_number ^= page_number >> tlb->set_bits;
	return ((uint32_t)page_number & tlb->set_mask) * tlb->geometry.ways;
}

static uint32_t find_in_size(const struct tlb *tlb, struct tlb_key key, enum page_size size)
{
	uint64_t own = tlb_tag(key, size, false);
	uint64_t global = tlb_tag(key, size, true);
	uint32_t first = set_of(tlb, tlb_page_number(key.va, size));
	const uint64_t *tags = tlb->tags + first;
	for (uint32_t way = 0; way < tlb->geometry.ways; way++) {
		if (tags[way] == own || tags[way] == global)
			return first + way;
	}
	return TLB_NONE;
}

uint32_t tlb_find(const struct tlb *tlb, struct tlb_key key)
{
	for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++) {
		if (tlb->of_size[size] == 0)
			continue;
		uint32_t slot = find_in_size(tlb, key, (enum page_size)size);
		if (slot != TLB_NONE)
			return slot;
	}
	return TLB_NONE;
}

bool tlb_piece_size(const struct tlb *tlb, enum page_size mapping, enum page_size *size)
{
	bool found = false;
	for (unsigned candidate = 0; candidate < PAGE_SIZE_COUNT; candidate++) {
		bool held = (tlb->geometry.page_sizes & PAGE_SIZE_BIT(candidate)) != 0;
		unsigned shift = page_size_shift((enum page_size)candidate);
		if (!held || shift > page_size_shift(mapping))
			continue;
		if (!found || shift > page_size_shift(*size))
			*size = (enum page_size)candidate;
		found = true;
	}
	return found;
}

static bool is_piece(uint64_t tag, uint64_t word)
{
	return tlb_word_mapping(word) != tlb_tag_size(tag);
}

static void drop(struct tlb *tlb, uint32_t slot)
{
	tlb->valid--;
	tlb->of_size[tlb_tag_size(tlb->tags[slot])]--;
	tlb->pieces -= is_piece(tlb->tags[slot], tlb->values[slot].word);
	tlb->tags[slot] = 0;
	tlb->values[slot] = (struct tlb_value){0, 0};
}

static uint32_t least_recently_used(const struct tlb *tlb, uint32_t first)
{
	uint32_t victim = first;
	for (uint32_t slot = first + 1; slot < first + tlb->geometry.ways; slot++) {
		if (tlb->values[slot].stamp < tlb->values[victim].stamp)
			victim = slot;
	}
	return victim;
}

bool tlb_insert(struct tlb *tlb, uint64_t tag, struct tlb_value value, uint32_t *slot)
{
	uint32_t victim = least_recently_used(tlb, set_of(tlb, tag & TLB_TAG_PAGE));
	bool lost = tlb->tags[victim] != 0;
	if (lost)
		drop(tlb, victim);
	tlb->valid++;
	tlb->of_size[tlb_tag_size(tag)]++;
	tlb->pieces += is_piece(tag, value.word);
	tlb->tags[victim] = tag;
	tlb->values[victim] = value;
	*slot = victim;
	return lost;
}

static bool belongs_to(uint64_t tag, uint16_t pcid)
{
	return (tag & TLB_TAG_GLOBAL) || (uint16_t)(tag >> TLB_TAG_PCID_SHIFT & 0xfff) == pcid;
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
		while (tlb->of_size[size] && (slot = find_in_size(tlb, key, (enum page_size)size)) != TLB_NONE)
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

uint32_t tlb_drop_pcid(struct tlb *tlb, uint16_t pcid)
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
