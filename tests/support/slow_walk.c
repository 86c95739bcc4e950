#include "slow_walk.h"

static uint64_t bits(uint64_t word, unsigned high, unsigned low)
{
	return word >> low & (((uint64_t)2 << (high - low)) - 1);
}

static bool is_reserved_set(const struct slow_state *state, unsigned level, uint64_t entry, bool leaf)
{
	for (unsigned bit = state->maxphyaddr; bit < 52; bit++) {
		if (bits(entry, bit, bit))
			return true;
	}
	if (bits(entry, 63, 63) && !state->nxe)
		return true;
	if (level >= 4)
		return bits(entry, 7, 7);
	if (level == 3 && leaf)
		return bits(entry, 29, 13);
	return level == 2 && leaf && bits(entry, 20, 13);
}

static struct slow_result page_fault(const struct slow_state *state, char kind, uint32_t code)
{
	if (kind == 'w')
		code |= 2;
	if (state->user_mode)
		code |= 4;
	if (kind == 'x' && (state->nxe || state->smep))
		code |= 16;
	return (struct slow_result){.vector = 14, .error_code = code};
}

struct path {
	uint64_t at[5];
	unsigned count;
	bool user, writable, executable;
};

static uint32_t refusal(const struct slow_state *state, const struct path *path, uint64_t leaf, char kind)
{
	bool bad = false;
	uint32_t code = 0;
	if (state->user_mode && !path->user)
		bad = true;
	if (kind == 'w' && !path->writable && (state->user_mode || state->wp))
		bad = true;
	if (kind == 'x' && !path->executable)
		bad = true;
	if (kind == 'x' && !state->user_mode && path->user && state->smep)
		bad = true;
	if (kind != 'x' && !state->user_mode && path->user && state->smap && !state->ac)
		bad = true;
	if (state->pke && kind != 'x' && path->user) {
		uint64_t key = bits(leaf, 62, 59);
		bool access_disable = state->pkru >> (2 * key) & 1;
		bool write_disable = state->pkru >> (2 * key + 1) & 1;
		if (access_disable || (kind == 'w' && write_disable && (state->user_mode || state->wp)))
			code = 32 | 1;
	}
	return code | (bad ? 1 : 0);
}

struct slow_result slow_walk(struct physmem *mem, const struct slow_state *state, uint64_t va, char kind)
{
	unsigned top = 12 + 9 * state->levels - 1;
	uint64_t sign = bits(va, 63, top);
	if (sign != 0 && sign != bits(~(uint64_t)0, 63, top))
		return (struct slow_result){.vector = 13};
	struct path path = {.user = true, .writable = true, .executable = true};
	uint64_t table = bits(state->cr3, 51, 12) << 12;
	for (unsigned level = state->levels; level > 0; level--) {
		unsigned low = 12 + 9 * (level - 1);
		uint64_t at = table + 8 * bits(va, low + 8, low);
		uint64_t entry = physmem_load64(mem, (struct paddr){at});
		bool leaf = level == 1 || ((level == 2 || level == 3) && bits(entry, 7, 7));
		path.at[path.count++] = at;
		if (!bits(entry, 0, 0))
			return page_fault(state, kind, 0);
		if (is_reserved_set(state, level, entry, leaf))
			return page_fault(state, kind, 1 | 8);
		path.writable &= bits(entry, 1, 1);
		path.user &= bits(entry, 2, 2);
		path.executable &= !bits(entry, 63, 63);
		table = bits(entry, 51, 12) << 12;
		if (!leaf)
			continue;
		uint32_t refused = refusal(state, &path, entry, kind);
		if (refused)
			return page_fault(state, kind, refused);
		for (unsigned i = 0; i < path.count; i++) {
			uint64_t now = physmem_load64(mem, (struct paddr){path.at[i]}) | 0x20;
			if (kind == 'w' && i == path.count - 1)
				now |= 0x40;
			physmem_store64(mem, (struct paddr){path.at[i]}, now);
		}
		uint64_t offset = bits(va, low - 1, 0);
		uint64_t base = (bits(entry, 51, 12) << 12) >> low << low;
		return (struct slow_result){.ok = true, .pa = base | offset};
	}
	return (struct slow_result){.vector = 0};
}
