/* The processor: registers with what this event changed, the ring, what the entry to ring 0 pushed, the error code. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/libc_text.h"
#include "faultline/pages.h"
#include "faultline/phrase.h"

enum { PUSHED_WORDS = 6, NAME_ROOM = 64, SEGMENT_COLUMNS = 14 };

static unsigned levels_of(const struct scene *scene)
{
	return mmu_paging(machine_mmu_const(world_machine(scene->world))).levels;
}

static void title(const struct scene *scene, char *out, size_t room)
{
	(void)scene;
	(void)snprintf(out, room, "* changed by this event");
}

/* ---- where RIP is ---- */

static bool name_in_libc(uint64_t offset, char *out)
{
#define X(id, name, body)                                                                                              \
	if (offset - libc_entry_offset(LIBC_FUNCTION_##id) < LIBC_ENTRY_BYTES) {                                       \
		(void)snprintf(out, NAME_ROOM, "libc %s", #name);                                                      \
		return true;                                                                                           \
	}
	LIBC_FUNCTION_LIST(X)
#undef X
	for (unsigned i = 0; i < SYSCALL_COUNT; i++) {
		if (offset - libc_stub_offset((enum syscall_index)i) < LIBC_ENTRY_BYTES) {
			(void)snprintf(out, NAME_ROOM, "libc %s", syscall_info((enum syscall_index)i)->name);
			return true;
		}
	}
	return false;
}

static void name_of(const struct scene *scene, uint64_t rip, char *out)
{
	const struct process *process = scene->shown;
	const struct vma *vma = process ? process_vma_at(process, vaddr(rip)) : NULL;
	struct kernel_symbol symbol = {""};
	out[0] = '\0';
	if (scene->booted)
		symbol = kernel_symbol_at(world_kernel(scene->world), vaddr(rip));
	if (symbol.text[0])
		(void)snprintf(out, NAME_ROOM, "%s", symbol.text);
	else if (process && rip - process->segment_start[SEGMENT_LIBC].v < process->segment_bytes[SEGMENT_LIBC] &&
		 name_in_libc(rip - process->segment_start[SEGMENT_LIBC].v, out))
		return;
	else if (vma)
		(void)snprintf(out, NAME_ROOM, "%s", vma->name[0] ? vma->name : "(anonymous)");
	else if (scene->now->registers.cpl == 0)
		(void)snprintf(out, NAME_ROOM, "kernel");
}

/* ---- registers ---- */

enum { VALUE_TEXT = 24 };

struct shown_register {
	const char *name;
	uint64_t value, before;
	bool plain; /* holds whatever the program puts there: no bits, no address by its nature */
};

/* Values of 2^32 and more are addresses as a rule, and stay hexadecimal. A decimal number begins with a blank, so that
 * it is not taken for the other kind. */
static void register_text(const struct scene *scene, const struct shown_register *shown, unsigned digits, char *out)
{
	uint64_t limit = 1;
	for (unsigned i = 1; i < digits && limit <= UINT32_MAX; i++)
		limit *= 10;
	if (scene->decimal && shown->plain && shown->value < limit && shown->value <= UINT32_MAX)
		(void)snprintf(out, VALUE_TEXT, "%*" PRIu64, (int)digits, shown->value);
	else
		(void)snprintf(out, VALUE_TEXT, "%0*" PRIx64, (int)digits, shown->value);
}

static unsigned draw_register(const struct scene *scene, struct area area, unsigned row, unsigned column,
			      const struct shown_register *shown, unsigned digits)
{
	bool changed = scene->previous && shown->value != shown->before;
	unsigned at = area_whole(area, row, column, STYLE_DIM, "%s", shown->name);
	char value[VALUE_TEXT];
	register_text(scene, shown, digits, value);
	at = area_whole(area, row, at + 1, changed ? STYLE_CHANGED : STYLE_TEXT, "%s", value);
	if (changed)
		(void)area_glyph(area, row, at, STYLE_CHANGED, GLYPH_CHANGED);
	return at + 1;
}

static unsigned draw_ring(const struct scene *scene, struct area area, unsigned row)
{
	const struct travel_registers *now = &scene->now->registers;
	bool kernel = now->cpl == 0;
	bool changed = scene->previous && scene->previous->registers.cpl != now->cpl;
	unsigned at = area_text(area, row, 0, kernel ? STYLE_RING0 : STYLE_RING3, "[RING %u %s]", now->cpl,
				kernel ? "kernel" : "user");
	if (changed)
		at = area_text(area, row, at, STYLE_CHANGED, "* was %u", scene->previous->registers.cpl);
	if (at + SEGMENT_COLUMNS <= area.columns)
		at = area_text(area, row, at + 1, STYLE_TEXT, "CS %02x SS %02x", now->cs, now->ss);
	if (machine_cpu_count(world_machine(scene->world)) > 1 && at + 8 <= area.columns)
		(void)area_text(area, row, at + 1, STYLE_DIM, "CPU %u", scene->event->cpu);
	return row + 1;
}

static unsigned draw_where(const struct scene *scene, struct area area, unsigned row, unsigned digits)
{
	const struct travel_registers *now = &scene->now->registers;
	const struct shown_register rip = {"RIP", now->rip, scene->previous ? scene->previous->registers.rip : 0,
					   false};
	char name[NAME_ROOM];
	name_of(scene, now->rip, name);
	unsigned at = draw_register(scene, area, row, 0, &rip, digits);
	if (at + 4 < area.columns)
		(void)area_text(area, row, at, STYLE_STRONG, "%s", name);
	return row + 1;
}

enum { SHOWN_REGISTERS = GPR_COUNT + 5 };

/* In the order of their weight here: what paging and calls use comes first. */
static unsigned list_registers(const struct scene *scene, struct shown_register *out, bool wide_mode)
{
	static const char *const names[GPR_COUNT] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
						     "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
	static const uint8_t order[GPR_COUNT] = {GPR_RSP, GPR_RAX, GPR_RDI, GPR_RSI, GPR_RDX, GPR_RCX,
						 GPR_RBX, GPR_RBP, GPR_R8,  GPR_R9,  GPR_R10, GPR_R11,
						 GPR_R12, GPR_R13, GPR_R14, GPR_R15};
	const struct travel_registers *now = &scene->now->registers;
	const struct travel_registers *before = scene->previous ? &scene->previous->registers : now;
	unsigned count = 0;
	out[count++] = (struct shown_register){"CR2", now->cr2, before->cr2, false};
	out[count++] = (struct shown_register){"CR3", now->cr3, before->cr3, false};
	out[count++] = (struct shown_register){"FLG", now->rflags, before->rflags, false};
	for (unsigned i = 0; i < (wide_mode ? GPR_COUNT : 8u); i++)
		out[count++] = (struct shown_register){names[order[i]], now->gpr[order[i]], before->gpr[order[i]],
						       order[i] != GPR_RSP};
	out[count++] = (struct shown_register){"CR0", now->cr0, before->cr0, false};
	out[count++] = (struct shown_register){"CR4", now->cr4, before->cr4, false};
	return count;
}

static unsigned draw_registers(const struct scene *scene, struct area area, unsigned row, unsigned end, unsigned digits)
{
	struct shown_register list[SHOWN_REGISTERS];
	unsigned count = list_registers(scene, list, digits == 16);
	unsigned width = 4 + digits + 1; /* and the sign of a change */
	unsigned columns = area.columns / width ? area.columns / width : 1;
	for (unsigned i = 0; i < count; i++) {
		unsigned at = row + i / columns;
		if (at >= end)
			return end;
		(void)draw_register(scene, area, at, i % columns * width, &list[i], digits);
	}
	return row + (count + columns - 1) / columns;
}

/* ---- control bits by name ---- */

struct named_bit {
	uint64_t mask;
	const char *name;
};

#define BIT(register, bit)                                                                                             \
	{                                                                                                              \
		register##_##bit, #bit                                                                                 \
	}
static const struct named_bit flag_bits[] = {BIT(RFLAGS, CF), BIT(RFLAGS, PF), BIT(RFLAGS, AF), BIT(RFLAGS, ZF),
					     BIT(RFLAGS, SF), BIT(RFLAGS, TF), BIT(RFLAGS, IF), BIT(RFLAGS, DF),
					     BIT(RFLAGS, OF), BIT(RFLAGS, NT), BIT(RFLAGS, RF), BIT(RFLAGS, VM),
					     BIT(RFLAGS, AC), BIT(RFLAGS, ID)};
static const struct named_bit cr0_bits[] = {BIT(CR0, PG), BIT(CR0, WP), BIT(CR0, PE), BIT(CR0, AM),
					    BIT(CR0, NE), BIT(CR0, ET), BIT(CR0, TS), BIT(CR0, MP)};
static const struct named_bit cr4_bits[] = {
    BIT(CR4, PAE), BIT(CR4, PSE), BIT(CR4, PGE),  BIT(CR4, PCIDE), BIT(CR4, LA57), BIT(CR4, SMEP), BIT(CR4, SMAP),
    BIT(CR4, PKE), BIT(CR4, PKS), BIT(CR4, UMIP), BIT(CR4, PCE),   BIT(CR4, TSD),  BIT(CR4, DE),   BIT(CR4, PVI)};
#undef BIT

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

static void draw_names(struct area area, unsigned row, const char *label, uint64_t value, const struct named_bit *bits,
		       size_t count)
{
	unsigned at = area_text(area, row, 0, STYLE_DIM, "%s", label);
	for (size_t i = 0; i < count; i++) {
		if ((value & bits[i].mask) && at + strlen(bits[i].name) + 1 <= area.columns)
			at = area_text(area, row, at + 1, STYLE_TEXT, "%s", bits[i].name);
	}
}

static void draw_control(const struct scene *scene, struct area area, unsigned row)
{
	const struct travel_registers *now = &scene->now->registers;
	if (row < area.rows)
		draw_names(area, row, "FLG", now->rflags, flag_bits, COUNT_OF(flag_bits));
	if (row + 1 < area.rows)
		draw_names(area, row + 1, "CR0", now->cr0, cr0_bits, COUNT_OF(cr0_bits));
	if (row + 2 < area.rows)
		draw_names(area, row + 2, "CR4", now->cr4, cr4_bits, COUNT_OF(cr4_bits));
}

/* ---- what the entry to ring 0 pushed ---- */

struct pushed {
	uint64_t at;
	unsigned words, word_bytes;
	bool known[PUSHED_WORDS];
	uint64_t word[PUSHED_WORDS]; /* from the lowest address */
};

/* What lies there is read from RAM. */
static bool find_pushed(const struct scene *scene, struct pushed *out)
{
	out->at = scene->now->pushed_at;
	out->words = scene->now->pushed_words;
	return scene->now->registers.cpl == 0 && out->words > 0 && out->words <= PUSHED_WORDS;
}

static void read_pushed(const struct scene *scene, struct pushed *out)
{
	const struct machine *machine = world_machine(scene->world);
	const struct physmem *mem = machine_memory_const(machine);
	out->word_bytes = levels_of(scene) >= 4 ? 8 : 4;
	for (unsigned i = 0; i < out->words; i++) {
		struct paddr pa;
		out->known[i] = mmu_peek(machine_mmu_const(machine), vaddr(out->at + i * out->word_bytes), &pa);
		if (out->known[i])
			out->word[i] = out->word_bytes == 8 ? physmem_load64(mem, pa) : physmem_load32(mem, pa);
	}
}

static unsigned draw_pushed(const struct scene *scene, struct area area, unsigned row)
{
	static const char *const names[PUSHED_WORDS] = {"err", "RIP", "CS", "FLG", "RSP", "SS"};
	struct pushed pushed = {0};
	if (!find_pushed(scene, &pushed))
		return row;
	read_pushed(scene, &pushed);
	unsigned skip = PUSHED_WORDS - pushed.words; /* a vector without an error code, or no change of stack */
	if (pushed.words == 3)
		skip = 1;
	unsigned at = row < area.rows ? area_text(area, row, 0, STYLE_DIM, "pushed:") : 0;
	for (unsigned i = 0; i < pushed.words && row < area.rows; i++) {
		char text[40];
		if (!pushed.known[i])
			continue;
		(void)snprintf(text, sizeof(text), " %s %" PRIx64, names[(skip + i) % PUSHED_WORDS], pushed.word[i]);
		if (at + strlen(text) > area.columns) {
			row++;
			at = 2;
		}
		if (row < area.rows && at + strlen(text) <= area.columns)
			at = area_whole(area, row, at, STYLE_TEXT, "%s", text);
	}
	row++;
	if (pushed.words == PUSHED_WORDS && pushed.known[0] && row < area.rows) {
		(void)area_text(area, row, 0, STYLE_FAULT, "err %" PRIx64 " = %s", pushed.word[0],
				phrase_fault_code((uint32_t)pushed.word[0]).text);
		row++;
	}
	return row;
}

static unsigned pushed_rows(const struct scene *scene, unsigned columns)
{
	struct pushed pushed = {0};
	if (!find_pushed(scene, &pushed))
		return 0;
	return columns >= 76 ? 2 : 3;
}

static void draw(const struct scene *scene, struct area area)
{
	if (!scene->event || !scene->now) {
		(void)area_paragraph(area, 0, 0, STYLE_DIM, "The processor has not begun.");
		return;
	}
	unsigned digits = scene->booted && levels_of(scene) < 4 ? 8 : 16;
	unsigned row = draw_ring(scene, area, 0);
	row = draw_where(scene, area, row, digits);
	unsigned below = pushed_rows(scene, area.columns);
	unsigned end = area.rows > row + below ? area.rows - below : area.rows;
	row = draw_registers(scene, area, row, end, digits);
	row = draw_pushed(scene, area, row);
	draw_control(scene, area, row);
}

const struct view view_cpu = {.panel = PANEL_CPU, .title = title, .draw = draw};
