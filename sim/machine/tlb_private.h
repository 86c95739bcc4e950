/* TLB entries as the hardware model packs them: a tag that identifies, a word that translates, a byte of the tag that
 * finds it, and what ranks it within its set. */
#ifndef FAULTLINE_TLB_PRIVATE_H
#define FAULTLINE_TLB_PRIVATE_H

#include "faultline/arena.h"
#include "faultline/rng.h"
#include "faultline/tlb.h"
#include "lanes.h"

/* Tag: 63 valid, 62 global, 61:60 page size, 59:48 PCID (0 when global), 44:0 page number of that size.
 * Zero: the slot is empty. */
#define TLB_TAG_VALID ((uint64_t)1 << 63)
#define TLB_TAG_GLOBAL ((uint64_t)1 << 62)
#define TLB_TAG_SIZE_SHIFT 60
#define TLB_TAG_PCID_SHIFT 48
#define TLB_TAG_PCID ((uint64_t)0xfff << TLB_TAG_PCID_SHIFT)
#define TLB_TAG_PAGE (((uint64_t)1 << 45) - 1)

/* Word: 51:12 address of the page, below it what decides about an access. */
#define TLB_WORD_USER ((uint64_t)1 << 0)
#define TLB_WORD_WRITABLE ((uint64_t)1 << 1)
#define TLB_WORD_NO_EXECUTE ((uint64_t)1 << 2)
#define TLB_WORD_DIRTY ((uint64_t)1 << 3)
#define TLB_WORD_KEY_SHIFT 4     /* 7:4 protection key */
#define TLB_WORD_MAPPING_SHIFT 8 /* 9:8 size of the page in the tables */
#define TLB_WORD_ADDRESS ((((uint64_t)1 << 52) - 1) & ~PAGE_OFFSET_MASK)

/* One way of a set. All zero: empty. */
struct tlb_line {
	uint64_t tag;
	uint64_t word;
	uint64_t stamp; /* tick of the last use (LRU) or of the filling (FIFO): the lowest of a set is the oldest */
};

/* Halves of the linear addresses: 1 is the upper one, where a 64-bit kernel lies. */
enum { TLB_HALVES = 2 };

/* One array: its sets lie behind each other, each with its prints, a byte a way, and then its lines. Invariants: valid
 * == sum(count) == lines with a tag; pieces counts the entries of a page larger than themselves. The counts per size
 * spare the search for what is not there. */
struct tlb {
	uint8_t *sets;
	uint32_t set_bytes;
	uint32_t print_bytes; /* of a set: a multiple of LANES */
	uint32_t set_mask;
	uint8_t set_bits;
	bool xor_index;
	enum tlb_replacement replacement;
	uint32_t ways;
	uint32_t count[PAGE_SIZE_COUNT][TLB_HALVES];
	uint32_t count_of_half[TLB_HALVES]; /* the sum over the sizes */
	uint32_t valid;
	uint32_t pieces;
	/* All pieces lie in here, as far as bits of linear addresses go; spares the search for those of other pages. */
	uint64_t pieces_first, pieces_last;
	enum tlb_role role;
	struct tlb_geometry geometry;
	uint64_t (*trees)[2]; /* a set's tree of TLB_TREE_PLRU: bit n is node n, the root is 1; set: the right half is
				 older */
	struct rng rng;       /* of TLB_RANDOM */
};

/* What is looked for: an address in an address space. */
struct tlb_key {
	struct vaddr va;
	uint64_t space; /* PCID << TLB_TAG_PCID_SHIFT */
};

static inline unsigned tlb_half(struct vaddr va)
{
	return va.v >> 56 & 1;
}

static inline struct tlb_key tlb_key(struct vaddr va, uint64_t pcid)
{
	return (struct tlb_key){va, pcid << TLB_TAG_PCID_SHIFT};
}

/* The bits of a linear address that any mode translates. */
#define TLB_LINEAR (((uint64_t)1 << 57) - 1)

static inline uint64_t tlb_page_number(struct vaddr va, enum page_size size)
{
	return (va.v & TLB_LINEAR) >> page_size_shift(size);
}

/* The tag of an entry for one address space, and of the global one that serves it as well. */
static inline uint64_t tlb_tag(struct tlb_key key, enum page_size size)
{
	return TLB_TAG_VALID | key.space | (uint64_t)size << TLB_TAG_SIZE_SHIFT | tlb_page_number(key.va, size);
}

static inline uint64_t tlb_tag_global(uint64_t tag)
{
	return (tag & ~TLB_TAG_PCID) | TLB_TAG_GLOBAL;
}

static inline enum page_size tlb_tag_size(uint64_t tag)
{
	return (enum page_size)(tag >> TLB_TAG_SIZE_SHIFT & 3);
}

static inline enum page_size tlb_word_mapping(uint64_t word)
{
	return (enum page_size)(word >> TLB_WORD_MAPPING_SHIFT & 3);
}

void tlb_init(struct tlb *tlb, struct arena *arena, struct tlb_geometry geometry, enum tlb_role role,
	      enum tlb_replacement replacement);

static inline uint8_t *tlb_set(const struct tlb *tlb, uint64_t page_number)
{
	uint64_t set = tlb->xor_index ? page_number ^ page_number >> tlb->set_bits : page_number;
	return tlb->sets + (set & tlb->set_mask) * tlb->set_bytes;
}

static inline struct tlb_line *tlb_lines(const struct tlb *tlb, uint8_t *set)
{
	return (struct tlb_line *)(void *)(set + tlb->print_bytes);
}

/* The byte of a page number that tells the ways of its set apart, mostly. */
static inline int8_t tlb_print(const struct tlb *tlb, uint64_t page_number)
{
	return (int8_t)(page_number >> tlb->set_bits & 0xff);
}

/* The line with this tag, or the global one for the same page; NULL: none. Changes nothing. */
static inline struct tlb_line *tlb_find_tag(const struct tlb *tlb, uint64_t tag)
{
	uint64_t number = tag & TLB_TAG_PAGE;
	uint8_t *set = tlb_set(tlb, number);
	struct tlb_line *lines = tlb_lines(tlb, set);
	lanes print = lanes_all(tlb_print(tlb, number));
	uint32_t first = 0;
	do {
		unsigned alike = lanes_where(*(const lanes *)(const void *)(set + first) == print);
		for (; alike; alike &= alike - 1) {
			uint32_t way = first + (uint32_t)__builtin_ctz(alike);
			/* Bytes behind those of the ways are zero. */
			if (way >= tlb->ways)
				break;
			if (lines[way].tag == tag || lines[way].tag == tlb_tag_global(tag))
				return &lines[way];
		}
		first += LANES;
	} while (first < tlb->ways);
	return NULL;
}

/* The line that holds the address in an entry of this size; NULL: none. */
static inline struct tlb_line *tlb_find(const struct tlb *tlb, struct tlb_key key, enum page_size size)
{
	return tlb->count[size][tlb_half(key.va)] ? tlb_find_tag(tlb, tlb_tag(key, size)) : NULL;
}

/* The tree of the line's set points away from it. */
void tlb_point_away(struct tlb *tlb, const struct tlb_line *line);

/* An entry served an access, at this tick. */
static inline void tlb_used(struct tlb *tlb, struct tlb_line *line, uint64_t tick)
{
	if (tlb->replacement == TLB_LRU)
		line->stamp = tick;
	else if (tlb->replacement == TLB_TREE_PLRU)
		tlb_point_away(tlb, line);
}

/* Writes an entry into an empty way of its set, or over the one that the replacement policy names: then a valid entry
 * was lost. *lost is its tag, else 0. */
struct tlb_line *tlb_insert(struct tlb *tlb, uint64_t tag, uint64_t word, uint64_t tick, uint64_t *lost);

/* Each returns how many entries it dropped. */
uint32_t tlb_drop_page(struct tlb *tlb, struct tlb_key key);     /* global entries, too; all pieces of a larger page */
uint32_t tlb_drop_own_page(struct tlb *tlb, struct tlb_key key); /* the same without global entries */
uint32_t tlb_drop_pcid(struct tlb *tlb, uint64_t pcid);          /* all but global entries */
uint32_t tlb_drop_own(struct tlb *tlb);                          /* all PCIDs, without global entries */
uint32_t tlb_drop_all(struct tlb *tlb);

#endif
