/* Loads, stores and bulk moves as the running program makes them: translate, take the fault if there is one, restart.
 */
#include "machine_private.h"

/* Asks the MMU until it lets the access pass. False: a handler ended the program, or the machine stopped. */
static bool serve(struct machine *machine, struct vaddr va, enum access_kind kind, uint64_t words, struct paddr *pa)
{
	while (!machine->why_stopped) {
		struct access access = {.va = va, .kind = kind, .mode = mmu_mode(&machine->cpu), .words = words};
		struct fault fault;
		if (mmu_translate(machine->mmu, &access, pa, &fault))
			return true;
		if (!trap_raise_fault(machine, &fault))
			return false;
	}
	return false;
}

static inline bool reach(struct machine *machine, struct vaddr va, enum access_kind kind, uint64_t words,
			 struct paddr *pa)
{
	return mmu_recall(machine->mmu, va, kind, mmu_mode(&machine->cpu), words, pa) ||
	       serve(machine, va, kind, words, pa);
}

/* Anywhere, within a page. */
static void move(struct physmem *mem, struct paddr pa, enum access_kind kind, void *data, uint64_t bytes)
{
	if (kind == ACCESS_WRITE)
		physmem_write(mem, pa, data, bytes);
	else
		physmem_read(mem, pa, data, bytes);
}

static inline bool translate(struct machine *machine, const struct access *access, struct paddr *pa,
			     struct fault *fault)
{
	return mmu_recall(machine->mmu, access->va, access->kind, access->mode, access->words, pa) ||
	       mmu_translate(machine->mmu, access, pa, fault);
}

/* The bytes that follow are in the next page. */
static bool transfer_across(struct machine *machine, struct access *access, uint8_t *data, uint64_t first,
			    uint64_t bytes, struct fault *fault)
{
	struct paddr low, high;
	access->words = (first + 7) / 8;
	if (!translate(machine, access, &low, fault))
		return false;
	access->va = vaddr_add(access->va, first);
	access->words = (bytes - first + 7) / 8;
	if (!translate(machine, access, &high, fault))
		return false;
	move(machine->mem, low, access->kind, data, first);
	move(machine->mem, high, access->kind, data + first, bytes - first);
	return true;
}

bool machine_transfer_anywhere(struct machine *machine, struct access *access, void *data, uint64_t bytes,
			       struct fault *fault)
{
	uint64_t room = PAGE_BYTES - page_offset(access->va.v);
	if (bytes > room)
		return transfer_across(machine, access, data, room, bytes, fault);
	struct paddr pa;
	access->words = (bytes + 7) / 8;
	if (!translate(machine, access, &pa, fault))
		return false;
	move(machine->mem, pa, access->kind, data, bytes);
	return true;
}

bool machine_read_system(struct machine *machine, struct vaddr va, void *out, uint64_t bytes, struct fault *fault)
{
	struct access access = {.va = va, .kind = ACCESS_READ, .mode = MODE_IMPLICIT};
	return machine_transfer(machine, &access, out, bytes, fault);
}

bool machine_write_system(struct machine *machine, struct vaddr va, void *data, uint64_t bytes, struct fault *fault)
{
	struct access access = {.va = va, .kind = ACCESS_WRITE, .mode = MODE_IMPLICIT};
	return machine_transfer(machine, &access, data, bytes, fault);
}

/* A load or store in general: it may fault, be unaligned, cross a page, or go where there is no RAM. */
static bool move_word(struct machine *machine, struct vaddr va, enum access_kind kind, unsigned bytes, void *data)
{
	while (!machine->why_stopped) {
		struct access access = {.va = va, .kind = kind, .mode = mmu_mode(&machine->cpu)};
		struct fault fault;
		if (machine_transfer(machine, &access, data, bytes, &fault))
			return true;
		if (!trap_raise_fault(machine, &fault))
			return false;
	}
	return false;
}

/* Aligned words never cross a page. */
static inline bool is_aligned(struct vaddr va, unsigned bytes)
{
	return (va.v & (bytes - 1)) == 0;
}

/* A word of a frame of RAM. Sizes are spelled out so that each becomes one host load. Frames without content read as
 * zero on the host, too. */
static inline uint64_t host_load(const uint8_t *from, unsigned bytes)
{
	uint64_t word = 0;
	uint32_t half = 0;
	uint16_t quarter = 0;
	switch (bytes) {
	case sizeof(word):
		memcpy(&word, from, sizeof(word));
		return word;
	case sizeof(half):
		memcpy(&half, from, sizeof(half));
		return half;
	case sizeof(quarter):
		memcpy(&quarter, from, sizeof(quarter));
		return quarter;
	default:
		return *from;
	}
}

static inline void host_store(uint8_t *to, unsigned bytes, uint64_t word)
{
	uint32_t half = (uint32_t)word;
	uint16_t quarter = (uint16_t)word;
	switch (bytes) {
	case sizeof(word):
		memcpy(to, &word, sizeof(word));
		break;
	case sizeof(half):
		memcpy(to, &half, sizeof(half));
		break;
	case sizeof(quarter):
		memcpy(to, &quarter, sizeof(quarter));
		break;
	default:
		*to = (uint8_t)word;
		break;
	}
}

bool machine_load(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t *value)
{
	struct paddr pa;
	if (is_aligned(va, bytes) && mmu_recall(machine->mmu, va, ACCESS_READ, mmu_mode(&machine->cpu), 1, &pa)) {
		*value = host_load(machine->mem->ram + pa.v, bytes);
		return true;
	}
	*value = 0;
	return move_word(machine, va, ACCESS_READ, bytes, value);
}

bool machine_store(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t value)
{
	struct paddr pa;
	if (is_aligned(va, bytes) && mmu_recall(machine->mmu, va, ACCESS_WRITE, mmu_mode(&machine->cpu), 1, &pa)) {
		machine->mem->content[pa.v >> PAGE_SHIFT] = 1;
		host_store(machine->mem->ram + pa.v, bytes, value);
		return true;
	}
	return move_word(machine, va, ACCESS_WRITE, bytes, &value);
}

/* Aligned 8-byte words that the range touches. */
static uint64_t words_in(struct vaddr va, uint64_t length)
{
	return ((page_offset(va.v) + length + 7) >> 3) - (page_offset(va.v) >> 3);
}

static uint64_t within_page(struct vaddr va, uint64_t length)
{
	uint64_t room = PAGE_BYTES - page_offset(va.v);
	return length < room ? length : room;
}

bool machine_touch(struct machine *machine, struct vaddr va, uint64_t length, enum access_kind kind)
{
	while (length) {
		uint64_t part = within_page(va, length);
		struct paddr pa;
		if (!reach(machine, va, kind, words_in(va, part), &pa))
			return false;
		va = vaddr_add(va, part);
		length -= part;
	}
	return true;
}

static void fill_frame(struct physmem *mem, struct paddr pa, uint8_t byte, uint64_t length)
{
	if (!physmem_holds(mem, pa, length))
		return;
	if (length == PAGE_BYTES) {
		physmem_fill(mem, paddr_to_pfn(pa), byte);
		return;
	}
	if (byte == 0 && physmem_is_blank(mem, pa))
		return;
	mem->content[pa.v >> PAGE_SHIFT] = 1;
	memset(mem->ram + pa.v, byte, length);
}

bool machine_fill(struct machine *machine, struct vaddr va, uint8_t byte, uint64_t length)
{
	while (length) {
		uint64_t part = within_page(va, length);
		struct paddr pa;
		if (!reach(machine, va, ACCESS_WRITE, words_in(va, part), &pa))
			return false;
		fill_frame(machine->mem, pa, byte, part);
		va = vaddr_add(va, part);
		length -= part;
	}
	return true;
}

/* Copies within one page of each side. The source is read before the destination is reached: that may fault, and the
 * kernel may move the source's frame meanwhile. */
static bool copy_part(struct machine *machine, struct vaddr to, struct vaddr from, uint64_t length)
{
	uint8_t buffer[PAGE_BYTES];
	struct physmem *mem = machine->mem;
	struct paddr source;
	if (!reach(machine, from, ACCESS_READ, words_in(from, length), &source))
		return false;
	bool blank = physmem_holds(mem, source, length) && physmem_is_blank(mem, source);
	if (!blank)
		physmem_read(mem, source, buffer, length);
	struct paddr target;
	if (!reach(machine, to, ACCESS_WRITE, words_in(to, length), &target))
		return false;
	if (blank)
		fill_frame(mem, target, 0, length);
	else
		physmem_write(mem, target, buffer, length);
	return true;
}

static bool copy_upwards(struct machine *machine, struct vaddr to, struct vaddr from, uint64_t length)
{
	while (length) {
		uint64_t part = within_page(to, within_page(from, length));
		if (!copy_part(machine, to, from, part))
			return false;
		to = vaddr_add(to, part);
		from = vaddr_add(from, part);
		length -= part;
	}
	return true;
}

/* Bytes of the page of `end` that lie below it. */
static uint64_t below_in_page(struct vaddr end, uint64_t length)
{
	uint64_t room = page_offset(end.v - 1) + 1;
	return length < room ? length : room;
}

static bool copy_downwards(struct machine *machine, struct vaddr to, struct vaddr from, uint64_t length)
{
	while (length) {
		uint64_t part = below_in_page(vaddr_add(to, length), length);
		part = below_in_page(vaddr_add(from, length), part);
		length -= part;
		if (!copy_part(machine, vaddr_add(to, length), vaddr_add(from, length), part))
			return false;
	}
	return true;
}

bool machine_copy(struct machine *machine, struct vaddr to, struct vaddr from, uint64_t length)
{
	/* Unsigned: true only when `to` is inside the source. */
	if (to.v - from.v < length)
		return copy_downwards(machine, to, from, length);
	return copy_upwards(machine, to, from, length);
}
