#include "physmem_private.h"

#include "faultline/status.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "simulated words are little-endian and are copied as they are: the host must be little-endian, too"
#endif

struct physmem *physmem_new(struct arena *arena, uint64_t bytes)
{
	BUG_ON(page_offset(bytes) != 0);
	struct physmem *mem = arena_new_object(arena, struct physmem);
	mem->bytes = bytes;
	mem->content = arena_new_array(arena, uint8_t, bytes >> PAGE_SHIFT);
	mem->ram = arena_alloc(arena, bytes, PAGE_BYTES);
	return mem;
}

uint64_t physmem_bytes(const struct physmem *mem)
{
	return mem->bytes;
}

uint64_t physmem_load64(const struct physmem *mem, struct paddr pa)
{
	return physmem_get64(mem, pa);
}

uint32_t physmem_load32(const struct physmem *mem, struct paddr pa)
{
	uint32_t value;
	physmem_read(mem, pa, &value, sizeof(value));
	return value;
}

void physmem_store64(struct physmem *mem, struct paddr pa, uint64_t value)
{
	physmem_put64(mem, pa, value);
}

void physmem_store32(struct physmem *mem, struct paddr pa, uint32_t value)
{
	physmem_write(mem, pa, &value, sizeof(value));
}

void physmem_read(const struct physmem *mem, struct paddr pa, void *out, uint64_t bytes)
{
	if (!physmem_holds(mem, pa, bytes))
		memset(out, 0xff, bytes);
	else if (physmem_is_blank(mem, pa))
		memset(out, 0, bytes);
	else
		memcpy(out, mem->ram + pa.v, bytes);
}

void physmem_write(struct physmem *mem, struct paddr pa, const void *data, uint64_t bytes)
{
	if (!physmem_holds(mem, pa, bytes))
		return;
	mem->content[pa.v >> PAGE_SHIFT] = 1;
	memcpy(mem->ram + pa.v, data, bytes);
}

void physmem_zero(struct physmem *mem, struct pfn frame)
{
	struct paddr pa = pfn_to_paddr(frame);
	if (!physmem_holds(mem, pa, PAGE_BYTES) || physmem_is_blank(mem, pa))
		return;
	memset(mem->ram + pa.v, 0, PAGE_BYTES);
	mem->content[frame.v] = 0;
}

void physmem_fill(struct physmem *mem, struct pfn frame, uint8_t byte)
{
	struct paddr pa = pfn_to_paddr(frame);
	if (byte == 0) {
		physmem_zero(mem, frame);
		return;
	}
	if (!physmem_holds(mem, pa, PAGE_BYTES))
		return;
	mem->content[frame.v] = 1;
	memset(mem->ram + pa.v, byte, PAGE_BYTES);
}

void physmem_copy(struct physmem *mem, struct pfn to, struct pfn from)
{
	struct paddr source = pfn_to_paddr(from);
	if (!physmem_holds(mem, source, PAGE_BYTES))
		physmem_fill(mem, to, 0xff);
	else if (physmem_is_blank(mem, source))
		physmem_zero(mem, to);
	else if (to.v != from.v)
		physmem_write(mem, pfn_to_paddr(to), mem->ram + source.v, PAGE_BYTES);
}

void physmem_transfer(struct physmem *to_mem, struct pfn to, const struct physmem *from_mem, struct pfn from)
{
	struct paddr source = pfn_to_paddr(from);
	BUG_ON(!physmem_holds(from_mem, source, PAGE_BYTES));
	if (physmem_is_blank(from_mem, source))
		physmem_zero(to_mem, to);
	else
		physmem_write(to_mem, pfn_to_paddr(to), from_mem->ram + source.v, PAGE_BYTES);
}

uint64_t physmem_reserve_bytes(uint64_t bytes)
{
	return bytes + (bytes >> PAGE_SHIFT) + 2 * PAGE_BYTES;
}

bool physmem_is_zero(const struct physmem *mem, struct pfn frame)
{
	static const uint8_t zeroes[PAGE_BYTES];
	struct paddr pa = pfn_to_paddr(frame);
	return physmem_holds(mem, pa, PAGE_BYTES) &&
	       (physmem_is_blank(mem, pa) || memcmp(mem->ram + pa.v, zeroes, PAGE_BYTES) == 0);
}

bool physmem_has_content(const struct physmem *mem, struct pfn frame)
{
	struct paddr pa = pfn_to_paddr(frame);
	return physmem_holds(mem, pa, PAGE_BYTES) && !physmem_is_blank(mem, pa);
}
