#include "code_generator.h"

#include <string.h>

#include "code_forms.h"

struct form {
	const char *name, *encoding;
	unsigned sizes;
	uint64_t reads, defines, undefines;
};

static const struct form forms[] = {
#define X(name, encoding, sizes, reads, defines, undefines) {name, encoding, sizes, reads, defines, undefines},
    FORM_LIST(X)
#undef X
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]) };

/* One instruction being put together. */
struct maker {
	struct rng *rng;
	const struct code_places *places;
	struct generated *out;
	unsigned size;         /* one of the bits above */
	unsigned patch, width; /* a distance that the end of the next instruction decides; width 0: none */
	uint8_t tail[32];      /* opcode and what follows */
	unsigned bytes;
	uint8_t rex;
	uint64_t relative; /* target of a RIP-relative operand, 0: none; its place is relative_at */
	unsigned relative_at;
};

static uint64_t below(struct maker *m, uint64_t limit)
{
	return rng_next(m->rng) % limit;
}

static bool once_in(struct maker *m, uint64_t times)
{
	return below(m, times) == 0;
}

static void put(struct maker *m, uint64_t value, unsigned bytes)
{
	memcpy(m->tail + m->bytes, &value, bytes);
	m->bytes += bytes;
}

/* Seldom RSP: what follows would mostly fault. */
static unsigned any_register(struct maker *m)
{
	unsigned reg = (unsigned)below(m, 16);
	return reg == GPR_RSP && !once_in(m, 16) ? GPR_RAX : reg;
}

static uint64_t any_place(struct maker *m)
{
	/* Over both ends, too. */
	return m->places->data + below(m, m->places->data_bytes + 8) - 4;
}

/* ---- ModRM ---- */

static void put_absolute(struct maker *m, unsigned reg)
{
	if (once_in(m, 2)) {
		put(m, (reg & 7) << 3 | 5, 1);
		m->relative = any_place(m);
		m->relative_at = m->bytes;
		put(m, 0, 4);
		return;
	}
	m->rex &= (uint8_t)~0x42u; /* no index */
	put(m, (reg & 7) << 3 | 4, 1);
	put(m, 0x25, 1);
	put(m, any_place(m), 4);
}

/* Through registers that point at the data when nothing has changed them. */
static void put_indirect(struct maker *m, unsigned reg)
{
	static const uint8_t pointers[] = {GPR_RBX, GPR_RBP, GPR_RSI, GPR_RDI, GPR_R12, GPR_R13, GPR_RSP};
	unsigned base = pointers[below(m, sizeof(pointers))];
	unsigned mod = 1 + (unsigned)below(m, 2);
	bool indexed = (base & 7) == 4 || once_in(m, 3);
	if (base >= 8)
		m->rex |= 0x41;
	put(m, mod << 6 | (reg & 7) << 3 | (indexed ? 4 : base & 7), 1);
	if (indexed) {
		/* R8 is a small number to begin with. */
		bool none = once_in(m, 2);
		if (!none)
			m->rex |= 0x42;
		put(m, below(m, 4) << 6 | (none ? 4u : 0u) << 3 | (base & 7), 1);
	}
	if (mod == 1)
		put(m, below(m, 256), 1);
	else
		put(m, below(m, 512) - 256, 4);
}

static void put_modrm(struct maker *m, unsigned reg, char only)
{
	if (reg >= 8)
		m->rex |= 0x44;
	bool memory = only == 'M' || (only != 'R' && once_in(m, 2));
	if (memory) {
		if (once_in(m, 2))
			put_indirect(m, reg);
		else
			put_absolute(m, reg);
		return;
	}
	unsigned rm = any_register(m);
	if (rm >= 8)
		m->rex |= 0x41;
	put(m, 0xc0 | (reg & 7) << 3 | (rm & 7), 1);
}

/* ---- immediates ---- */

static unsigned operand_bytes(const struct maker *m)
{
	switch (m->size) {
	case BYTE:
		return 1;
	case WORD:
		return 2;
	case LONG:
		return 4;
	default:
		return 8;
	}
}

static uint64_t any_value(struct maker *m)
{
	static const uint64_t edges[] = {0,      1,      2,      0x7f,       0x80,       0xff,
					 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, UINT64_MAX};
	return once_in(m, 3) ? edges[below(m, sizeof(edges) / sizeof(edges[0]))] : rng_next(m->rng);
}

static void put_immediate(struct maker *m, char kind)
{
	unsigned bytes = operand_bytes(m);
	if (kind == 'b')
		put(m, any_value(m), 1);
	else if (kind == 'w')
		put(m, below(m, 64), 2);
	else if (kind == 'v')
		put(m, any_value(m), bytes > 4 ? 4 : bytes);
	else
		put(m, any_value(m), bytes);
}

/* ---- encodings ---- */

static unsigned hex(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void put_opcode(struct maker *m, const char *token)
{
	uint64_t byte = hex(token[0]) << 4 | hex(token[1]);
	if (token[2] == '+') {
		unsigned reg = any_register(m);
		if (reg >= 8)
			m->rex |= 0x41;
		byte |= reg & 7;
	}
	put(m, byte, 1);
}

static void put_token(struct maker *m, const char *token)
{
	if (token[0] == '/')
		put_modrm(m, hex(token[1]), token[2]);
	else if (token[0] == 'r')
		put_modrm(m, any_register(m), token[1]);
	else if (token[0] == 'j' || token[0] == 'J') {
		m->width = token[0] == 'j' ? 1 : 4;
		put(m, 0, m->width);
	} else if (is_hex(token[0]) && is_hex(token[1]))
		put_opcode(m, token);
	else if (token[0] != 's')
		put_immediate(m, token[0]);
}

static void emit_byte(struct generated *out, uint64_t byte)
{
	out->code[out->bytes++] = (uint8_t)byte;
}

/* ECX, RSI and RDI for a string instruction; mostly, not always. */
static void set_up_string(struct maker *m)
{
	static const uint8_t opcodes[] = {0xb9, 0xbe, 0xbf}; /* mov ecx, esi, edi */
	for (unsigned i = 0; i < sizeof(opcodes); i++) {
		uint32_t value = (uint32_t)(i == 0 ? below(m, 40) : any_place(m));
		emit_byte(m->out, opcodes[i]);
		memcpy(m->out->code + m->out->bytes, &value, 4);
		m->out->bytes += 4;
	}
}

/* Mandatory prefixes of the encoding go before REX. */
static void emit_instruction(struct maker *m, bool is_string)
{
	struct generated *out = m->out;
	unsigned skip = 0;
	if (once_in(m, 24))
		emit_byte(out, 0x3e); /* DS, without meaning here */
	if (m->size == WORD)
		emit_byte(out, 0x66);
	if (once_in(m, 20))
		emit_byte(out, 0x67);
	if (is_string && !once_in(m, 3))
		emit_byte(out, once_in(m, 2) ? 0xf2 : 0xf3);
	else if (once_in(m, 24))
		emit_byte(out, 0xf0); /* LOCK, mostly wrong */
	if (m->tail[0] == 0xf3) {
		emit_byte(out, 0xf3);
		skip = 1;
	}
	if (m->size == LONG64)
		m->rex |= 0x48;
	if (m->rex || once_in(m, 8))
		emit_byte(out, m->rex | 0x40u);
	unsigned at = out->bytes - skip;
	memcpy(out->code + out->bytes, m->tail + skip, m->bytes - skip);
	out->bytes += m->bytes - skip;
	if (m->relative) {
		uint32_t distance = (uint32_t)(m->relative - (m->places->code + out->bytes));
		memcpy(out->code + at + m->relative_at, &distance, sizeof(distance));
	}
}

static void make(struct maker *m, const struct form *form)
{
	unsigned choices = form->sizes;
	unsigned pending_patch = m->patch, pending_width = m->width;
	do
		m->size = 1u << below(m, 5);
	while (!(choices & m->size));
	m->bytes = m->rex = 0;
	m->relative = 0;
	m->width = 0;
	bool is_string = form->encoding[0] == 's';
	m->out->start[m->out->count] = m->out->bytes;
	if (is_string && !once_in(m, 8))
		set_up_string(m);
	/* A REP that faults on the way may have set flags already. */
	m->out->undefined_before[m->out->count] = is_string ? ALL : m->out->undefined;
	m->out->name[m->out->count++] = form->name;
	for (const char *token = form->encoding; token; token = strchr(token, ' ')) {
		token += *token == ' ';
		put_token(m, token);
	}
	emit_instruction(m, is_string);
	m->patch = m->out->bytes - m->width;
	if (pending_width) {
		uint64_t distance = m->out->bytes - (pending_patch + pending_width);
		memcpy(m->out->code + pending_patch, &distance, pending_width);
	}
}

void code_generate(struct rng *rng, const struct code_places *places, unsigned instructions, struct generated *out)
{
	struct maker m = {.rng = rng, .places = places, .out = out};
	*out = (struct generated){.count = 0};
	while (out->count < instructions) {
		const struct form *form = &forms[below(&m, FORMS)];
		/* A RET jumps to a random address and UD2 ends it all: seldom. */
		bool ends = strcmp(form->name, "ret") == 0 || strcmp(form->name, "ud2") == 0;
		if ((form->reads & out->undefined) || (ends && !once_in(&m, 16)))
			continue;
		bool may_be_skipped = m.width != 0;
		uint64_t undefined = out->undefined;
		make(&m, form);
		out->undefined = (undefined & ~form->defines) | form->undefines;
		if (may_be_skipped)
			out->undefined |= undefined;
	}
	emit_byte(out, 0xcc);
	if (m.width) {
		/* A jump at the very end leads to the INT3. */
		uint64_t distance = 0;
		memcpy(out->code + m.patch, &distance, m.width);
	}
}
