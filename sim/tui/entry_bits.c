#include "entry_bits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What an entry is; each has bits of its own. */
enum entry_kind {
	ENTRY_REGISTER = 1, /* a PDPTE register of PAE paging */
	ENTRY_TABLE = 2,    /* points at a table */
	ENTRY_LARGE = 4,    /* maps a large page */
	ENTRY_PAGE = 8,     /* a PTE */
};

#define LEAF (ENTRY_LARGE | ENTRY_PAGE)
#define RIGHTS (ENTRY_TABLE | LEAF)
#define ALL (ENTRY_REGISTER | RIGHTS)

/* In the order of the bits. X(ID, name, first bit, bits, kinds of entries that have it, in entries of 32 bits, too,
 * width in the line of flags, the shortest line that has it)
 * Bits that no row takes are reserved or ignored; the frame takes what its mode and size leave. */
#define BIT_LIST(X)                                                                                                    \
	X(P, "P", 0, 1, ALL, true, 1, FLAGS_LEAST)                                                                     \
	X(RW, "R/W", 1, 1, RIGHTS, true, 1, FLAGS_LEAST)                                                               \
	X(US, "U/S", 2, 1, RIGHTS, true, 1, FLAGS_LEAST)                                                               \
	X(PWT, "PWT", 3, 1, ALL, true, 3, FLAGS_ALL)                                                                   \
	X(PCD, "PCD", 4, 1, ALL, true, 3, FLAGS_ALL)                                                                   \
	X(A, "A", 5, 1, RIGHTS, true, 1, FLAGS_LEAST)                                                                  \
	X(D, "D", 6, 1, LEAF, true, 1, FLAGS_LEAST)                                                                    \
	X(PS, "PS", 7, 1, ENTRY_TABLE | ENTRY_LARGE, true, 2, FLAGS_MAJOR)                                             \
	X(PAT, "PAT", 7, 1, ENTRY_PAGE, true, 3, FLAGS_ALL)                                                            \
	X(G, "G", 8, 1, LEAF, true, 1, FLAGS_LEAST)                                                                    \
	X(AVL, "AVL", 9, 3, ALL, true, 3, FLAGS_ALL)                                                                   \
	X(PAT_LARGE, "PAT", 12, 1, ENTRY_LARGE, true, 0, FLAGS_NEVER)                                                  \
	X(FRAME, "PFN", 12, 40, ALL, true, 0, FLAGS_NEVER)                                                             \
	X(AVL2, "AVL", 52, 7, RIGHTS, false, 0, FLAGS_NEVER)                                                           \
	X(PK, "PK", 59, 4, LEAF, false, 2, FLAGS_ALL)                                                                  \
	X(NX, "NX", 63, 1, RIGHTS, false, 2, FLAGS_LEAST)

enum bit_id {
#define X(id, name, first, bits, kinds, short_entries, width, line) BIT_##id,
	BIT_LIST(X)
#undef X
	    BIT_COUNT
};

static const struct bit_spec {
	const char *name;
	uint8_t first, count, kinds;
	bool short_entries;
	uint8_t width;
	enum entry_flags line;
} specs[BIT_COUNT] = {
#define X(id, name, first, bits, kinds, short_entries, width, line)                                                    \
	{name, first, bits, kinds, short_entries, width, line},
    BIT_LIST(X)
#undef X
};

/* ---- an entry of the walk ---- */

struct entry {
	const struct translation *t;
	unsigned step;
	unsigned level;
	enum access_kind access;
	uint64_t word;
	uint64_t reserved; /* bits that must be 0 */
	enum entry_kind kind;
	bool last;
	unsigned frame_low; /* the lowest bit of its frame */
	unsigned top;       /* its highest bit */
};

static bool maps_page(const struct translation *t, unsigned step)
{
	const struct walk_step *at = &t->walk.step[step];
	bool last = step + 1 == t->walk.count;
	/* A large page that was refused for a reserved bit is one all the same; above level 3 there are none. */
	return last && (t->walk.outcome == WALK_MAPPED ||
			(t->walk.outcome == WALK_RESERVED && at->level <= 3 && pte_page_size(at->entry)));
}

static struct entry entry_of(const struct scene *scene, unsigned step)
{
	const struct translation *t = &scene->translation;
	const struct walk_step *at = &t->walk.step[step];
	struct entry entry = {
	    .t = t, .step = step, .level = at->level, .access = scene->access, .word = at->entry.word};
	entry.last = step + 1 == t->walk.count;
	entry.reserved = t->reserved[step];
	entry.kind = step < t->walk.registers ? ENTRY_REGISTER
		     : at->level == 1         ? ENTRY_PAGE
		     : maps_page(t, step)     ? ENTRY_LARGE
					      : ENTRY_TABLE;
	entry.frame_low = entry.kind == ENTRY_LARGE ? paging_level_shift(t->mode, at->level) : PAGE_SHIFT;
	entry.top = t->mode == PAGING_32BIT ? 31 : 63;
	return entry;
}

static uint64_t mask_of(unsigned first, unsigned count)
{
	return (count >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << count) - 1) << first;
}

/* The bits that the entry has of this row of the list; 0: none. */
static uint64_t bits_of(const struct entry *entry, enum bit_id id)
{
	const struct bit_spec *spec = &specs[id];
	bool has = (spec->kinds & entry->kind) && (spec->short_entries || entry->top > 31);
	uint64_t mask = mask_of(spec->first, spec->count);
	if (entry->t->mode == PAGING_PAE && (id == BIT_AVL2 || id == BIT_PK))
		return 0;
	if (id == BIT_NX && !entry->t->nxe)
		return 0;
	if (id == BIT_PS && entry->level > 3)
		return 0;
	if (id == BIT_FRAME) {
		mask &= ~mask_of(0, entry->frame_low) & mask_of(0, entry->top + 1);
		/* PSE-36: address bits 39:32 lie below, and are a row of their own. */
		return mask & ~entry->reserved;
	}
	return has ? mask : 0;
}

/* ---- what a bit means here ---- */

static void say(struct entry_bit *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct entry_bit *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(out->text, sizeof(out->text), format, args);
	va_end(args);
}

static uint64_t target_of(const struct entry *entry)
{
	if (entry->kind == ENTRY_LARGE && entry->t->walk.outcome == WALK_MAPPED)
		return entry->t->walk.page.v;
	return (entry->word & mask_of(12, 40) & ~mask_of(0, entry->frame_low));
}

static void say_present(const struct entry *entry, struct entry_bit *out)
{
	if (!out->value && entry->level > 1)
		say(out, "no table here: the walk stops");
	else if (!out->value)
		say(out, "no page here: the walk stops");
	else
		say(out, entry->kind & LEAF ? "the page has a frame" : "there is a table below");
	out->refuses = !out->value;
}

static void say_rights(const struct entry *entry, enum bit_id id, struct entry_bit *out)
{
	bool set = out->value != 0;
	bool mapped = entry->t->walk.outcome == WALK_MAPPED;
	if (id == BIT_RW) {
		out->refuses = mapped && !set && entry->access == ACCESS_WRITE;
		say(out, set            ? "writes may pass"
			 : out->refuses ? "read-only: this write is refused"
					: "read-only; this is no write");
	} else if (id == BIT_US) {
		out->refuses = mapped && !set;
		say(out, set ? "ring 3 may pass" : "only rings 0-2: ring 3 is refused");
	} else {
		out->refuses = mapped && set && entry->access == ACCESS_FETCH;
		say(out, !set           ? "code may be fetched"
			 : out->refuses ? "no code: this fetch is refused"
					: "no code here; this is no fetch");
	}
}

static void say_history(const struct entry *entry, enum bit_id id, struct entry_bit *out)
{
	bool allowed = entry->t->access[entry->access].allowed;
	if (id == BIT_A)
		say(out, out->value ? "a walk has used it"
			 : allowed  ? "no walk has used it: this one sets it"
				    : "no walk has used it yet");
	else
		say(out, out->value                                 ? "the page has been written to"
			 : allowed && entry->access == ACCESS_WRITE ? "clean: this write sets it"
								    : "clean: not written to yet");
}

static void say_target(const struct entry *entry, enum bit_id id, struct entry_bit *out)
{
	if (id == BIT_PS)
		say(out, out->value ? "maps a page of %s itself" : "points at a table",
		    page_size_name(entry->t->walk.size));
	else if (id == BIT_G)
		say(out, out->value ? "global: stays in TLBs when CR3 is loaded" : "leaves TLBs with its PCID");
	else
		say(out, entry->kind & LEAF ? "the page lies at %" PRIx64 : "the table lies at %" PRIx64,
		    target_of(entry));
}

static void say_meaning(const struct entry *entry, enum bit_id id, struct entry_bit *out)
{
	switch (id) {
	case BIT_P:
		say_present(entry, out);
		break;
	case BIT_RW:
	case BIT_US:
	case BIT_NX:
		say_rights(entry, id, out);
		break;
	case BIT_PWT:
		say(out, out->value ? "write-through caching" : "write-back caching");
		break;
	case BIT_PCD:
		say(out, out->value ? "not cached" : "may be cached");
		break;
	case BIT_A:
	case BIT_D:
		say_history(entry, id, out);
		break;
	case BIT_PS:
	case BIT_G:
	case BIT_FRAME:
		say_target(entry, id, out);
		break;
	case BIT_PAT:
	case BIT_PAT_LARGE:
		say(out, "picks the memory type, with PCD PWT");
		break;
	case BIT_AVL:
	case BIT_AVL2:
		say(out, "ignored: free for the kernel");
		break;
	case BIT_PK:
		say(out, "key %" PRIu64 " of PKRU, if CR4.PKE is set", out->value);
		break;
	case BIT_COUNT:
	default:
		break;
	}
}

/* ---- listing ---- */

static struct entry_bit bit_between(const struct entry *entry, uint64_t mask, const char *name)
{
	struct entry_bit bit = {.name = name};
	while (!(mask >> bit.first & 1))
		bit.first++;
	while (bit.first + bit.count < 64 && (mask >> (bit.first + bit.count) & 1))
		bit.count++;
	bit.value = entry->word >> bit.first & mask_of(0, bit.count);
	return bit;
}

/* The next bits that no row has taken, as far as they are of one sort; *taken grows by them. */
static struct entry_bit left_over(const struct entry *entry, uint64_t *taken)
{
	uint64_t left = ~*taken & mask_of(0, entry->top + 1);
	bool is_address = entry->kind == ENTRY_LARGE && entry->t->mode == PAGING_32BIT;
	unsigned first = 0;
	while (!(left >> first & 1))
		first++;
	bool reserved = entry->reserved >> first & 1;
	uint64_t mask = left & (reserved ? entry->reserved : ~entry->reserved);
	struct entry_bit bit = bit_between(entry, mask, reserved ? "RSVD" : is_address ? "PFN" : "IGN");
	if (reserved) {
		bit.refuses = bit.value != 0;
		say(&bit, bit.refuses ? "must be 0: this is the fault" : "must be 0");
	} else if (is_address) {
		say(&bit, "address bits 39:32 (PSE-36)");
	} else {
		say(&bit, "ignored");
	}
	*taken |= mask_of(bit.first, bit.count);
	return bit;
}

/* Of an entry that is not present the processor looks at nothing else. */
static unsigned list_absent(const struct entry *entry, struct entry_bit *out)
{
	const struct absent_entry *absent = &entry->t->absent;
	out[0] = bit_between(entry, 1, specs[BIT_P].name);
	say_present(entry, &out[0]);
	out[1] = bit_between(entry, mask_of(1, entry->top), "rest");
	if (absent->swapped)
		say(&out[1], "ignored; for the kernel: swap slot %" PRIu64, absent->slot);
	else if (absent->kept)
		say(&out[1], "ignored; for the kernel: PROT_NONE, frame %" PRIx64, absent->frame.v);
	else
		say(&out[1], "ignored; the kernel keeps nothing here");
	return 2;
}

static void sort(struct entry_bit *bits, unsigned count)
{
	for (unsigned i = 1; i < count; i++) {
		for (unsigned j = i; j > 0 && bits[j].first < bits[j - 1].first; j--) {
			struct entry_bit other = bits[j];
			bits[j] = bits[j - 1];
			bits[j - 1] = other;
		}
	}
}

unsigned entry_bits(const struct scene *scene, unsigned step, struct entry_bit *out)
{
	struct entry entry = entry_of(scene, step);
	uint64_t taken = 0;
	unsigned count = 0;
	if (!(entry.word & PTE_PRESENT))
		return list_absent(&entry, out);
	for (unsigned id = 0; id < BIT_COUNT; id++) {
		uint64_t mask = bits_of(&entry, (enum bit_id)id) & ~taken;
		if (!mask)
			continue;
		out[count] = bit_between(&entry, mask, specs[id].name);
		taken |= mask_of(out[count].first, out[count].count);
		say_meaning(&entry, (enum bit_id)id, &out[count++]);
	}
	while (taken != mask_of(0, entry.top + 1) && count < ENTRY_BITS)
		out[count++] = left_over(&entry, &taken);
	sort(out, count);
	return count;
}

/* ---- drawing ---- */

enum { COLUMN = 38, TEXT_AT = 9 };

static void draw_bit(struct area area, unsigned row, unsigned column, const struct entry_bit *bit)
{
	struct area part = area_part(area, row, column, 1, area.columns - column);
	char place[8];
	enum style style = bit->refuses ? STYLE_FAULT : bit->value ? STYLE_GOOD : STYLE_DIM;
	if (bit->count == 1)
		(void)snprintf(place, sizeof(place), "%u", bit->first);
	else
		(void)snprintf(place, sizeof(place), "%u:%u", bit->first + bit->count - 1, bit->first);
	if (bit->refuses)
		(void)area_glyph(part, 0, 0, style, GLYPH_FAULT);
	unsigned at = area_text(part, 0, 1, STYLE_DIM, "%-5s ", place);
	at = area_text(part, 0, at, style, "%-4s ", bit->name);
	at = area_whole(part, 0, at, style, "%" PRIx64, bit->value);
	(void)area_text(part, 0, at + 1, bit->refuses ? STYLE_FAULT : STYLE_TEXT, "%s", bit->text);
}

unsigned entry_bits_draw(const struct scene *scene, struct area area, unsigned row, unsigned step)
{
	struct entry_bit bits[ENTRY_BITS];
	const struct walk_step *at = &scene->translation.walk.step[step];
	unsigned count = entry_bits(scene, step, bits);
	unsigned columns = area.columns >= 2 * COLUMN ? 2 : 1;
	unsigned rows = (count + columns - 1) / columns;
	if (row + 1 >= area.rows)
		return row;
	unsigned column = area_text(area, row, 0, STYLE_TITLE, "bits of the %s", walk_level_name(at->level));
	if (step < scene->translation.walk.registers)
		column = area_text(area, row, column, STYLE_DIM, " register");
	if (column + 24 <= area.columns)
		(void)area_whole(area, row, column, STYLE_DIM, " at %" PRIx64, at->pa.v);
	for (unsigned i = 0; i < count; i++) {
		if (row + 1 + i % rows < area.rows)
			draw_bit(area, row + 1 + i % rows, i / rows * (area.columns / columns), &bits[i]);
	}
	return row + 1 + rows;
}

/* ---- the line of flags ---- */

static const char *flag_name(enum bit_id id)
{
	return id == BIT_RW ? "W" : id == BIT_US ? "U" : specs[id].name;
}

static bool is_flag(enum bit_id id, enum entry_flags line)
{
	return specs[id].line <= line;
}

unsigned entry_flags_width(enum entry_flags line)
{
	unsigned width = 0;
	for (unsigned id = 0; id < BIT_COUNT; id++)
		width += is_flag((enum bit_id)id, line) ? specs[id].width + 1u : 0;
	return width - 1;
}

void entry_flags_head(struct area area, unsigned row, unsigned column, enum entry_flags line)
{
	for (unsigned id = 0; id < BIT_COUNT; id++) {
		if (!is_flag((enum bit_id)id, line))
			continue;
		if (column + specs[id].width > area.columns)
			return;
		(void)area_text(area, row, column, STYLE_DIM, "%s", flag_name((enum bit_id)id));
		column += specs[id].width + 1u;
	}
}

void entry_flags_draw(const struct scene *scene, struct area area, unsigned row, unsigned column, unsigned step,
		      enum entry_flags line)
{
	struct entry entry = entry_of(scene, step);
	bool present = entry.word & PTE_PRESENT;
	for (unsigned id = 0; id < BIT_COUNT; id++) {
		if (!is_flag((enum bit_id)id, line))
			continue;
		if (column + specs[id].width > area.columns)
			return;
		uint64_t mask = present || id == BIT_P ? bits_of(&entry, (enum bit_id)id) : 0;
		struct entry_bit bit = {.name = ""};
		if (mask) {
			bit = bit_between(&entry, mask, specs[id].name);
			say_meaning(&entry, (enum bit_id)id, &bit);
		}
		enum style style = bit.refuses ? STYLE_FAULT : bit.value ? STYLE_GOOD : STYLE_DIM;
		if (bit.value && bit.count > 1)
			(void)area_text(area, row, column, style, "%" PRIx64, bit.value);
		else
			(void)area_text(area, row, column, style, "%s",
					!mask         ? "-"
					: bit.value   ? flag_name((enum bit_id)id)
					: bit.refuses ? "!"
						      : ".");
		column += specs[id].width + 1u;
	}
}
