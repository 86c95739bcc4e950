#include "slow_walk.h"

/* Bits high..low of a word, at the bottom of the result. */
static uint64_t bits(uint64_t word, unsigned high, unsigned low)
{
	return word >> low & (((uint64_t)2 << (high - low)) - 1);
}

static bool any_set(uint64_t word, unsigned high, unsigned low)
{
	return high >= low && bits(word, high, low) != 0;
}

/* What the tables say, before anybody asks for rights. */
struct path {
	struct slow_result *result;
	unsigned entry_bytes;
	enum { MISSING, RESERVED, FOUND } end;
	uint64_t leaf;
	uint64_t pa;
	bool user, writable, executable;
};

static uint64_t load(const struct physmem *mem, uint64_t at, unsigned bytes)
{
	uint64_t entry = 0;
	physmem_read(mem, (struct paddr){at}, &entry, bytes);
	return entry;
}

/* Reads the next entry of the path. */
static uint64_t read_entry(const struct physmem *mem, struct path *path, uint64_t table, uint64_t index)
{
	uint64_t at = table + index * path->entry_bytes;
	path->result->at[path->result->count++] = at;
	return load(mem, at, path->entry_bytes);
}

static void pass(struct path *path, uint64_t entry)
{
	path->writable &= bits(entry, 1, 1);
	path->user &= bits(entry, 2, 2);
	path->executable &= !bits(entry, 63, 63);
}

static void found(struct path *path, uint64_t entry, uint64_t pa)
{
	path->end = FOUND;
	path->leaf = entry;
	path->pa = pa;
}

/* 4.3. Tables 4-4, 4-5, 4-6. */
static void walk_32bit(const struct physmem *mem, const struct slow_state *state, uint64_t va, struct path *path)
{
	uint64_t pde = read_entry(mem, path, bits(state->cr3, 31, 12) << 12, bits(va, 31, 22));
	if (!bits(pde, 0, 0))
		return;
	if (state->pse && bits(pde, 7, 7)) {
		unsigned m = state->maxphyaddr < 40 ? state->maxphyaddr : 40;
		path->end = RESERVED;
		if (any_set(pde, 21, m - 19))
			return;
		pass(path, pde);
		uint64_t high = m > 32 ? bits(pde, m - 20, 13) << 32 : 0;
		found(path, pde, high | bits(pde, 31, 22) << 22 | bits(va, 21, 0));
		return;
	}
	pass(path, pde);
	uint64_t pte = read_entry(mem, path, bits(pde, 31, 12) << 12, bits(va, 21, 12));
	if (!bits(pte, 0, 0))
		return;
	pass(path, pte);
	found(path, pte, bits(pte, 31, 12) << 12 | bits(va, 11, 0));
}

/* 4.4. Tables 4-9, 4-10, 4-11. */
static bool is_bad_in_pae(const struct slow_state *state, uint64_t entry)
{
	return any_set(entry, 62, state->maxphyaddr) || (bits(entry, 63, 63) && !state->nxe);
}

static void walk_pae(const struct physmem *mem, const struct slow_state *state, uint64_t va, struct path *path)
{
	uint64_t pdpte = state->pdpte[bits(va, 31, 30)];
	if (!bits(pdpte, 0, 0))
		return;
	uint64_t pde = read_entry(mem, path, bits(pdpte, 51, 12) << 12, bits(va, 29, 21));
	if (!bits(pde, 0, 0))
		return;
	bool large = bits(pde, 7, 7);
	path->end = RESERVED;
	if (is_bad_in_pae(state, pde) || (large && any_set(pde, 20, 13)))
		return;
	path->end = MISSING;
	pass(path, pde);
	if (large) {
		found(path, pde, bits(pde, 51, 21) << 21 | bits(va, 20, 0));
		return;
	}
	uint64_t pte = read_entry(mem, path, bits(pde, 51, 12) << 12, bits(va, 20, 12));
	if (!bits(pte, 0, 0))
		return;
	path->end = RESERVED;
	if (is_bad_in_pae(state, pte))
		return;
	pass(path, pte);
	found(path, pte, bits(pte, 51, 12) << 12 | bits(va, 11, 0));
}

/* 4.5. Tables 4-14 to 4-20. */
static bool is_bad_in_long_mode(const struct slow_state *state, unsigned level, uint64_t entry, bool leaf)
{
	if (any_set(entry, 51, state->maxphyaddr))
		return true;
	if (bits(entry, 63, 63) && !state->nxe)
		return true;
	if (level >= 4)
		return bits(entry, 7, 7);
	if (level == 3 && leaf)
		return bits(entry, 29, 13);
	return level == 2 && leaf && bits(entry, 20, 13);
}

static void walk_long_mode(const struct physmem *mem, const struct slow_state *state, uint64_t va, struct path *path)
{
	uint64_t table = bits(state->cr3, 51, 12) << 12;
	for (unsigned level = state->mode == SLOW_5LEVEL ? 5 : 4;; level--) {
		unsigned low = 12 + 9 * (level - 1);
		uint64_t entry = read_entry(mem, path, table, bits(va, low + 8, low));
		bool leaf = level == 1 || ((level == 2 || level == 3) && bits(entry, 7, 7));
		path->end = MISSING;
		if (!bits(entry, 0, 0))
			return;
		path->end = RESERVED;
		if (is_bad_in_long_mode(state, level, entry, leaf))
			return;
		pass(path, entry);
		table = bits(entry, 51, 12) << 12;
		if (leaf) {
			found(path, entry, table >> low << low | bits(va, low - 1, 0));
			return;
		}
	}
}

/* 4.6.2: 32 when the rights of the key forbid the access. */
static uint32_t key_refusal(const struct slow_state *state, const struct path *path, char kind, bool user_mode)
{
	bool long_mode = state->mode == SLOW_4LEVEL || state->mode == SLOW_5LEVEL;
	bool has_keys = path->user ? state->pke : state->pks;
	if (!long_mode || !has_keys || kind == 'x')
		return 0;
	uint32_t rights = path->user ? state->pkru : state->pkrs;
	uint64_t key = bits(path->leaf, 62, 59);
	bool access_disable = rights >> (2 * key) & 1;
	bool write_disable = rights >> (2 * key + 1) & 1;
	return access_disable || (kind == 'w' && write_disable && (user_mode || state->wp)) ? 32 : 0;
}

/* 4.6.1. */
static uint32_t refusal(const struct slow_state *state, const struct path *path, char kind, bool user_mode)
{
	bool bad = false;
	if (user_mode && !path->user)
		bad = true;
	if (kind == 'w' && !path->writable && (user_mode || state->wp))
		bad = true;
	if (kind == 'x' && !path->executable)
		bad = true;
	if (kind == 'x' && !user_mode && path->user && state->smep)
		bad = true;
	if (kind != 'x' && !user_mode && path->user && state->smap && (state->implicit || !state->ac))
		bad = true;
	uint32_t key = key_refusal(state, path, kind, user_mode);
	return bad || key ? key | 1 : 0;
}

/* 4.7. */
static void page_fault(const struct slow_state *state, struct slow_result *result, char kind, bool user_mode,
		       uint32_t code)
{
	if (kind == 'w')
		code |= 2;
	if (user_mode)
		code |= 4;
	if (kind == 'x' && ((state->nxe && state->mode != SLOW_32BIT) || state->smep))
		code |= 16;
	result->vector = 14;
	result->error_code = code;
}

/* 4.8. */
static void mark(struct physmem *mem, const struct path *path, char kind)
{
	for (unsigned i = 0; i < path->result->count; i++) {
		uint64_t at = path->result->at[i];
		uint64_t now = load(mem, at, path->entry_bytes) | 0x20;
		if (kind == 'w' && i == path->result->count - 1)
			now |= 0x40;
		physmem_write(mem, (struct paddr){at}, &now, path->entry_bytes);
	}
}

static bool is_canonical(uint64_t va, unsigned width)
{
	uint64_t sign = bits(va, 63, width - 1);
	return sign == 0 || sign == bits(~(uint64_t)0, 63, width - 1);
}

struct slow_result slow_walk(struct physmem *mem, const struct slow_state *state, uint64_t va, char kind)
{
	struct slow_result result = {.vector = 0};
	struct path path = {&result, 8, MISSING, 0, 0, true, true, true};
	bool user_mode = state->user_mode && !state->implicit;
	switch (state->mode) {
	case SLOW_32BIT:
		path.entry_bytes = 4;
		walk_32bit(mem, state, bits(va, 31, 0), &path);
		break;
	case SLOW_PAE:
		walk_pae(mem, state, bits(va, 31, 0), &path);
		break;
	case SLOW_4LEVEL:
	case SLOW_5LEVEL:
	case SLOW_MODE_COUNT:
		if (!is_canonical(va, state->mode == SLOW_5LEVEL ? 57 : 48)) {
			result.vector = 13;
			return result;
		}
		walk_long_mode(mem, state, va, &path);
		break;
	}
	uint32_t refused = path.end == FOUND ? refusal(state, &path, kind, user_mode) : 0;
	if (path.end == FOUND && !refused) {
		mark(mem, &path, kind);
		result.ok = true;
		result.pa = path.pa;
	} else {
		page_fault(state, &result, kind, user_mode, path.end == RESERVED ? 1 | 8 : refused);
	}
	return result;
}

bool slow_load_pdptes(const struct physmem *mem, struct slow_state *state)
{
	uint64_t loaded[4];
	for (unsigned i = 0; i < 4; i++) {
		loaded[i] = load(mem, (bits(state->cr3, 31, 5) << 5) + 8 * i, 8);
		if (bits(loaded[i], 0, 0) &&
		    (bits(loaded[i], 2, 1) || bits(loaded[i], 8, 5) || any_set(loaded[i], 63, state->maxphyaddr)))
			return false;
	}
	for (unsigned i = 0; i < 4; i++)
		state->pdpte[i] = loaded[i];
	return true;
}
