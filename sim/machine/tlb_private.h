/* TLB entries as the hardware model packs them: a tag that identifies, a word that translates, a stamp that ranks. */
#ifndef FAULTLINE_TLB_PRIVATE_H
#define FAULTLINE_TLB_PRIVATE_H

#include "faultline/arena.h"
#include "faultline/tlb.h"

/* Tag: 63 valid, 62 global, 61:60 page size, 59:48 PCID (0 when global), 44:0 page number of that size.
 * Zero: the slot is empty. */
#define TLB_TAG_VALID ((uint64_t)1 << 63)
#define TLB_TAG_GLOBAL ((uint64_t)1 << 62)
#define TLB_TAG_SIZE_SHIFT 60
#define TLB_TAG_PCID_SHIFT 48
#define TLB_TAG_PAGE (((uint64_t)1 << 45) - 1)

/* Word: 51:12 address of the page, below it what decides about an access. */
#define TLB_WORD_USER ((uint64_t)1 << 0)
#define TLB_WORD_WRITABLE ((uint64_t)1 << 1)
#define TLB_WORD_NO_EXECUTE ((uint64_t)1 << 2)
#define TLB_WORD_DIRTY ((uint64_t)1 << 3)
#define TLB_WORD_KEY_SHIFT 4     /* 7:4 protection key */
#define TLB_WORD_MAPPING_SHIFT 8 /* 9:8 size of the page in the tables */
#define TLB_WORD_ADDRESS ((((uint64_t)1 << 52) - 1) & ~PAGE_OFFSET_MASK)

struct tlb_value {
	uint64_t word;
	uint64_t stamp; /* tick of the last use; 0: empty slot */
};

/* One array. The slots of all arrays of an MMU lie behind each other, so that a slot number alone finds one.
 * Invariants: valid == sum(own) + sum(global) == slots with a tag; pieces counts the entries of a page larger than
 * themselves. The counts per size spare the search for what is not there. */
struct tlb {
	struct tlb_geometry geometry;
	enum tlb_role role;
	uint32_t set_mask;
	uint32_t set_bits;
	uint32_t first; /* number of its first slot */
	uint64_t *tags; /* of this array */
	struct tlb_value *values;
	uint32_t valid;
	uint32_t pieces;
	uint32_t own[PAGE_SIZE_COUNT];    /* entries of one PCID */
	uint32_t global[PAGE_SIZE_COUNT]; /* entries of all */
};

/* An empty slot number. */
#define TLB_NONE UINT32_MAX

/* What is looked for: an address in an address space. The PCID is a whole word because the host would wait for a narrow
 * store that is read back as a wide one. */
struct tlb_key {
	struct vaddr va;
	uint64_t pcid;
};

static inline uint64_t tlb_page_number(struct vaddr va, enum page_size size)
{
	return (va.v & (((uint64_t)1 << 57) - 1)) >> page_size_shift(size);
}

static inline uint64_t tlb_tag(struct tlb_key key, enum page_size size, bool global)
{
	uint64_t space = global ? TLB_TAG_GLOBAL : (uint64_t)key.pcid << TLB_TAG_PCID_SHIFT;
	return TLB_TAG_VALID | space | (uint64_t)size << TLB_TAG_SIZE_SHIFT | tlb_page_number(key.va, size);
}

static inline enum page_size tlb_tag_size(uint64_t tag)
{
	return (enum page_size)(tag >> TLB_TAG_SIZE_SHIFT & 3);
}

static inline enum page_size tlb_word_mapping(uint64_t word)
{
	return (enum page_size)(word >> TLB_WORD_MAPPING_SHIFT & 3);
}

void tlb_init(struct tlb *tlb, struct tlb_geometry geometry, enum tlb_role role, uint32_t first, uint64_t *tags,
	      struct tlb_value *values);

static inline uint32_t tlb_set(const struct tlb *tlb, uint64_t page_number)
{
	if (tlb->geometry.xor_index)
		page_number ^= page_number >> tlb->set_bits;
	return ((uint32_t)page_number & tlb->set_mask) * tlb->geometry.ways;
}

/* Four ways at a time and without a branch for each: which way hits is as good as random. */
static inline uint32_t tlb_scan(const struct tlb *tlb, uint32_t first, uint64_t tag)
{
	const uint64_t *tags = tlb->tags + first;
	uint32_t way = 0;
	for (; way + 4 <= tlb->geometry.ways; way += 4) {
		unsigned match = (unsigned)(tags[way] == tag) | (unsigned)(tags[way + 1] == tag) << 1 |
				 (unsigned)(tags[way + 2] == tag) << 2 | (unsigned)(tags[way + 3] == tag) << 3;
		if (match)
			return first + way + (uint32_t)__builtin_ctz(match);
	}
	for (; way < tlb->geometry.ways; way++) {
		if (tags[way] == tag)
			return first + way;
	}
	return TLB_NONE;
}

/* The slot (of this array, from 0) that holds the address in an entry of this size, or TLB_NONE. Changes nothing. */
static inline uint32_t tlb_find(const struct tlb *tlb, struct tlb_key key, enum page_size size)
{
	if (!(tlb->own[size] | tlb->global[size]))
		return TLB_NONE;
	uint32_t first = tlb_set(tlb, tlb_page_number(key.va, size));
	uint32_t slot = TLB_NONE;
	if (tlb->own[size])
		slot = tlb_scan(tlb, first, tlb_tag(key, size, false));
	if (slot == TLB_NONE && tlb->global[size])
		slot = tlb_scan(tlb, first, tlb_tag(key, size, true));
	return slot;
}

/* Writes an entry into the least recently used slot of its set, empty ones first. True when a valid one was lost. */
bool tlb_insert(struct tlb *tlb, uint64_t tag, struct tlb_value value, uint32_t *slot);

/* Each returns how many entries it dropped. */
uint32_t tlb_drop_page(struct tlb *tlb, struct tlb_key key); /* global entries, too; all pieces of a larger page */
uint32_t tlb_drop_pcid(struct tlb *tlb, uint64_t pcid);      /* all but global entries */
uint32_t tlb_drop_all(struct tlb *tlb);

#endif
