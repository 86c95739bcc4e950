#include "walk_private.h"

#include "faultline/status.h"
#include "physmem_private.h"

#define BITS(high, low) ((~(uint64_t)0 >> (63 - (high))) & (~(uint64_t)0 << (low)))

/* What an entry of one level means. */
struct level_format {
	uint8_t shift;       /* of the index in the linear address; also log2 of the bytes that one entry spans */
	enum page_size size; /* of a leaf */
	uint64_t leaf;       /* the entry maps a page if this bit is set: PS, or P where every entry does */
	uint64_t reserved_in_table; /* besides the bits that are reserved everywhere */
	uint64_t reserved_in_leaf;
};

/* What the tables of one mode look like. */
struct walk_format {
	struct level_format level[WALK_MAX_LEVELS + 1]; /* by level, from 1 */
	uint16_t index_mask;                            /* entries of a table - 1 */
	uint8_t entry_shift;                            /* log2 of the bytes of an entry */
	uint8_t register_level;                         /* whose entries are registers; 0: none */
};

#define PTE_LEVEL                                                                                                      \
	{                                                                                                              \
		12, PAGE_SIZE_4K, PTE_PRESENT, 0, 0                                                                    \
	}
#define PDE_LEVEL                                                                                                      \
	{                                                                                                              \
		21, PAGE_SIZE_2M, PTE_PAGE_SIZE, 0, BITS(20, 13)                                                       \
	}
/* SDM 3A 4.5, tables 4-14 to 4-20. */
#define LONG_MODE_LEVELS                                                                                               \
	[5] = {48, PAGE_SIZE_4K, 0, PTE_PAGE_SIZE, 0}, [4] = {39, PAGE_SIZE_4K, 0, PTE_PAGE_SIZE, 0},                  \
	[3] = {30, PAGE_SIZE_1G, PTE_PAGE_SIZE, 0, BITS(29, 13)}, [2] = PDE_LEVEL, [1] = PTE_LEVEL

static const struct walk_format formats[PAGING_MODE_COUNT] = {
    /* SDM 3A 4.3, tables 4-4 to 4-6. Bits 20:13 of a 4 MiB page are bits 39:32 of its address. */
    [PAGING_32BIT] = {.level = {[2] = {22, PAGE_SIZE_4M, PTE_PAGE_SIZE, 0, BITS(21, 21)}, [1] = PTE_LEVEL},
		      .index_mask = 1023,
		      .entry_shift = 2},
    /* SDM 3A 4.4, tables 4-8 to 4-11. */
    [PAGING_PAE] = {.level = {[2] = PDE_LEVEL, [1] = PTE_LEVEL},
		    .index_mask = 511,
		    .entry_shift = 3,
		    .register_level = 3},
    [PAGING_4LEVEL] = {.level = {LONG_MODE_LEVELS}, .index_mask = 511, .entry_shift = 3},
    [PAGING_5LEVEL] = {.level = {LONG_MODE_LEVELS}, .index_mask = 511, .entry_shift = 3},
};

/* 32-bit paging with CR4.PSE clear: PS is ignored. */
static const struct walk_format small_pages_only = {
    .level = {[2] = {22, PAGE_SIZE_4K, 0, 0, 0}, [1] = PTE_LEVEL},
    .index_mask = 1023,
    .entry_shift = 2,
};

/* Besides 63:MAXPHYADDR: SDM 3A table 4-8. */
#define PDPTE_RESERVED (BITS(2, 1) | BITS(8, 5))

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
	static const char *const names[WALK_MAX_LEVELS + 1] = {
	    [5] = "PML5E", [4] = "PML4E", [3] = "PDPTE", [2] = "PDE", [1] = "PTE"};
	BUG_ON(level == 0 || level > WALK_MAX_LEVELS);
	return names[level];
}

const struct paging_mode_info *paging_mode_info(enum paging_mode mode)
{
	static const struct paging_mode_info modes[] = {
#define X(id, name, levels, linear_bits, entry_bytes, root)                                                            \
	[PAGING_##id] = {name, levels, linear_bits, entry_bytes, root},
	    PAGING_MODE_LIST(X)
#undef X
	};
	BUG_ON(mode >= PAGING_MODE_COUNT);
	return &modes[mode];
}

/* Address bits that the processor lacks, from `low` on; in entries of 32 bits there is no room for any. */
static uint64_t reserved_everywhere(enum paging_mode mode, unsigned maxphyaddr, bool nxe)
{
	unsigned high = mode == PAGING_PAE ? 62 : 51;
	if (mode == PAGING_32BIT)
		return 0;
	return (maxphyaddr <= high ? BITS(high, maxphyaddr) : 0) | (nxe ? 0 : PTE_NO_EXECUTE);
}

struct paging paging_make(enum paging_mode mode, uint64_t cr3, uint8_t maxphyaddr, bool nxe, bool pse)
{
	const struct paging_mode_info *info = paging_mode_info(mode);
	bool has_nx = nxe && mode != PAGING_32BIT;
	return (struct paging){
	    .root = paddr(cr3 & info->root),
	    .mode = mode,
	    .levels = info->levels,
	    .maxphyaddr = maxphyaddr,
	    .nxe = has_nx,
	    .format = mode == PAGING_32BIT && !pse ? &small_pages_only : &formats[mode],
	    .reserved = reserved_everywhere(mode, maxphyaddr, has_nx),
	    /* PSE-36 with fewer than 40 address bits: SDM 3A table 4-4, M = min(40, MAXPHYADDR). */
	    .reserved_in_4m = mode == PAGING_32BIT && maxphyaddr < 40 ? BITS(20, maxphyaddr - 19) : 0,
	};
}

bool paging_load_pdptes(struct paging *paging, const struct physmem *mem)
{
	struct pte loaded[PAE_PDPTES];
	if (paging->mode != PAGING_PAE)
		return true;
	for (unsigned i = 0; i < PAE_PDPTES; i++) {
		loaded[i].word = physmem_get64(mem, paddr_add(paging->root, i * sizeof(uint64_t)));
		if (pte_present(loaded[i]) && (loaded[i].word & (PDPTE_RESERVED | BITS(63, paging->maxphyaddr))))
			return false;
	}
	memcpy(paging->pdpte, loaded, sizeof(loaded));
	return true;
}

struct paging paging_elsewhere(const struct paging *paging, const struct physmem *mem, struct paddr root)
{
	struct paging other = *paging;
	other.root = root;
	(void)paging_load_pdptes(&other, mem);
	return other;
}

struct walk_start walk_start_at_root(const struct paging *paging)
{
	return (struct walk_start){
	    .level = paging->levels,
	    .table = paging->root,
	    .rights = {.user = true, .writable = true, .no_execute = false},
	};
}

unsigned walk_level_shift(const struct paging *paging, unsigned level)
{
	return paging->format->level[level].shift;
}

static inline struct pte read_entry(const struct physmem *mem, const struct walk_format *format, struct paddr pa)
{
	return (struct pte){format->entry_shift == 2 ? physmem_get32(mem, pa) : physmem_get64(mem, pa)};
}

/* PSE-36, SDM 3A table 4-4. */
static uint64_t address_of_4m(struct pte entry)
{
	return (entry.word & BITS(31, 22)) | (entry.word & BITS(20, 13)) << (32 - 13);
}

/* U/S and R/W are the AND, XD the OR over the path, of which `above` comes from a paging-structure cache: SDM 3A 4.6.
 */
static inline struct walk_rights rights_of(const struct walk_rights *above, uint64_t in_all, uint64_t in_any,
					   struct pte leaf)
{
	return (struct walk_rights){
	    .user = above->user && (in_all & PTE_USER),
	    .writable = above->writable && (in_all & PTE_WRITABLE),
	    .no_execute = above->no_execute || (in_any & PTE_NO_EXECUTE),
	    .protection_key = (uint8_t)pte_protection_key(leaf),
	};
}

static inline void finish_at_leaf(struct walk *out, const struct level_format *level, struct pte entry)
{
	uint64_t address = entry.word & ENTRY_ADDRESS;
	out->outcome = WALK_MAPPED;
	out->size = level->size;
	out->page = paddr(level->size == PAGE_SIZE_4M ? address_of_4m(entry)
						      : address & ~(page_size_bytes(level->size) - 1));
	out->global = pte_global(entry) != 0;
	out->dirty = pte_dirty(entry) != 0;
}

/* The PDPTE register that the address selects; it grants and forbids nothing. False: not present. */
static bool use_register(const struct paging *paging, struct vaddr va, struct paddr *table, struct walk *out)
{
	unsigned index = (unsigned)(va.v >> 30) % PAE_PDPTES;
	struct pte entry = paging->pdpte[index];
	out->step[out->count++] = (struct walk_step){3, paddr_add(paging->root, index * sizeof(uint64_t)), entry};
	out->registers = 1;
	out->outcome = WALK_NOT_PRESENT;
	*table = paddr(entry.word & ENTRY_ADDRESS);
	return pte_present(entry);
}

/* Of an entry that is no PDPTE register. */
static inline uint64_t reserved_bits(const struct paging *paging, const struct level_format *meaning, bool leaf)
{
	uint64_t reserved = paging->reserved | (leaf ? meaning->reserved_in_leaf : meaning->reserved_in_table);
	return leaf && meaning->size == PAGE_SIZE_4M ? reserved | paging->reserved_in_4m : reserved;
}

uint64_t paging_reserved_bits(const struct paging *paging, unsigned level, struct pte entry)
{
	const struct level_format *meaning = &paging->format->level[level];
	if (level == paging->format->register_level)
		return PDPTE_RESERVED | BITS(63, paging->maxphyaddr);
	return reserved_bits(paging, meaning, (entry.word & meaning->leaf) != 0);
}

void walk_read(const struct physmem *mem, const struct paging *paging, const struct walk_start *start, struct vaddr va,
	       struct walk *out)
{
	const struct walk_format *format = paging->format;
	struct paddr table = start->table;
	unsigned level = start->level;
	out->count = 0;
	out->registers = 0;
	uint64_t in_all = ~(uint64_t)0;
	uint64_t in_any = 0;
	if (level == format->register_level && !use_register(paging, va, &table, out))
		return;
	for (level -= out->registers;; level--) {
		const struct level_format *meaning = &format->level[level];
		uint64_t index = (va.v >> meaning->shift) & format->index_mask;
		struct paddr pa = paddr_add(table, index << format->entry_shift);
		struct pte entry = read_entry(mem, format, pa);
		out->step[out->count++] = (struct walk_step){(uint8_t)level, pa, entry};
		if (!pte_present(entry)) {
			out->outcome = WALK_NOT_PRESENT;
			return;
		}
		bool leaf = (entry.word & meaning->leaf) != 0;
		if (entry.word & reserved_bits(paging, meaning, leaf)) {
			out->outcome = WALK_RESERVED;
			return;
		}
		in_all &= entry.word;
		in_any |= entry.word;
		if (leaf) {
			out->rights = rights_of(&start->rights, in_all, in_any, entry);
			finish_at_leaf(out, meaning, entry);
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

static void write_entry(struct physmem *mem, const struct walk_format *format, struct paddr pa, struct pte entry)
{
	if (format->entry_shift == 2)
		physmem_put32(mem, pa, (uint32_t)entry.word);
	else
		physmem_put64(mem, pa, entry.word);
}

static bool set_bits(struct physmem *mem, const struct walk_format *format, struct walk_step *step, uint64_t bits)
{
	/* Tables that point at themselves list one entry at several levels; what RAM holds by now counts. */
	struct pte now = read_entry(mem, format, step->pa);
	if ((now.word & bits) == bits)
		return false;
	now.word |= bits;
	step->entry = now;
	write_entry(mem, format, step->pa, now);
	return true;
}

struct walk_marks walk_mark(struct physmem *mem, const struct paging *paging, struct walk *walk, bool write)
{
	const struct walk_format *format = paging->format;
	struct walk_marks marks = {0, 0};
	for (unsigned i = walk->registers; i < walk->count; i++) {
		if (!pte_accessed(walk->step[i].entry))
			marks.accessed += set_bits(mem, format, &walk->step[i], PTE_ACCESSED);
	}
	if (write && !walk->dirty) {
		marks.dirty += set_bits(mem, format, &walk->step[walk->count - 1], PTE_DIRTY);
		walk->dirty = true;
	}
	return marks;
}
