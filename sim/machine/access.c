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

/* Words stay words: frames are pushed and popped again at once, and the host forwards a store only to a load of the
 * same shape. */
static inline void move(struct physmem *mem, struct paddr pa, enum access_kind kind, uint8_t *data, uint64_t bytes)
{
	bool write = kind == ACCESS_WRITE;
	uint64_t done = 0;
	for (; done + sizeof(uint64_t) <= bytes; done += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, data + done, sizeof(word));
		if (write)
			physmem_put64(mem, paddr_add(pa, done), word);
		else
			word = physmem_get64(mem, paddr_add(pa, done));
		memcpy(data + done, &word, sizeof(word));
	}
	if (done == bytes)
		return;
	if (write)
		physmem_write(mem, paddr_add(pa, done), data + done, bytes - done);
	else
		physmem_read(mem, paddr_add(pa, done), data + done, bytes - done);
}

bool machine_transfer(struct machine *machine, const struct transfer *transfer, void *data, struct fault *fault)
{
	uint8_t *bytes = data;
	uint64_t first = PAGE_BYTES - page_offset(transfer->va.v);
	if (first > transfer->bytes)
		first = transfer->bytes;
	uint64_t length[2] = {first, transfer->bytes - first};
	struct paddr pa[2];
	for (unsigned i = 0; i < 2; i++) {
		if (length[i] == 0)
			continue;
		struct access access = {
		    .va = vaddr_add(transfer->va, i * first),
		    .kind = transfer->kind,
		    .mode = transfer->mode,
		    .through_stack = transfer->through_stack,
		    .words = (length[i] + 7) / 8,
		};
		if (!mmu_recall(machine->mmu, access.va, access.kind, access.mode, access.words, &pa[i]) &&
		    !mmu_translate(machine->mmu, &access, &pa[i], fault))
			return false;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (length[i])
			move(machine->mem, pa[i], transfer->kind, bytes + i * first, length[i]);
	}
	return true;
}

bool machine_read_system(struct machine *machine, struct vaddr va, void *out, uint64_t bytes, struct fault *fault)
{
	struct transfer transfer = {.va = va, .kind = ACCESS_READ, .mode = MODE_IMPLICIT, .bytes = bytes};
	return machine_transfer(machine, &transfer, out, fault);
}

bool machine_write_system(struct machine *machine, struct vaddr va, void *data, uint64_t bytes, struct fault *fault)
{
	struct transfer transfer = {.va = va, .kind = ACCESS_WRITE, .mode = MODE_IMPLICIT, .bytes = bytes};
	return machine_transfer(machine, &transfer, data, fault);
}

static bool move_across(struct machine *machine, struct vaddr va, enum access_kind kind, unsigned bytes, void *data)
{
	while (!machine->why_stopped) {
		struct transfer transfer = {.va = va, .kind = kind, .mode = mmu_mode(&machine->cpu), .bytes = bytes};
		struct fault fault;
		if (machine_transfer(machine, &transfer, data, &fault))
			return true;
		if (!trap_raise_fault(machine, &fault))
			return false;
	}
	return false;
}

static inline bool fits_page(struct vaddr va, uint64_t bytes)
{
	return page_offset(va.v) + bytes <= PAGE_BYTES;
}

bool machine_load(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t *value)
{
	*value = 0;
	if (!fits_page(va, bytes))
		return move_across(machine, va, ACCESS_READ, bytes, value);
	struct paddr pa;
	if (!reach(machine, va, ACCESS_READ, 1, &pa))
		return false;
	/* The constant size of the common case becomes one host load. */
	if (bytes == sizeof(*value))
		*value = physmem_get64(machine->mem, pa);
	else
		physmem_read(machine->mem, pa, value, bytes);
	return true;
}

bool machine_store(struct machine *machine, struct vaddr va, unsigned bytes, uint64_t value)
{
	if (!fits_page(va, bytes))
		return move_across(machine, va, ACCESS_WRITE, bytes, &value);
	struct paddr pa;
	if (!reach(machine, va, ACCESS_WRITE, 1, &pa))
		return false;
	if (bytes == sizeof(value))
		physmem_put64(machine->mem, pa, value);
	else
		physmem_write(machine->mem, pa, &value, bytes);
	return true;
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
