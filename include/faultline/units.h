/* Addresses with types: a virtual address can never be used as a physical one, nor a page number as an address.
 * One-member structs cost nothing at -O2. Sizes are in bytes, pages are 4 KiB unless a name says otherwise. */
#ifndef FAULTLINE_UNITS_H
#define FAULTLINE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define PAGE_SHIFT 12u
#define PAGE_BYTES ((uint64_t)1 << PAGE_SHIFT)
#define PAGE_OFFSET_MASK (PAGE_BYTES - 1)

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define TIB ((uint64_t)1 << 40)

/* A linear (virtual) address. */
struct vaddr {
	uint64_t v;
};

/* An address on the simulated memory bus. */
struct paddr {
	uint64_t v;
};

/* Virtual page number: vaddr >> 12. */
struct vpn {
	uint64_t v;
};

/* Page frame number: paddr >> 12. */
struct pfn {
	uint64_t v;
};

static inline struct vaddr vaddr(uint64_t v)
{
	return (struct vaddr){v};
}

static inline struct paddr paddr(uint64_t v)
{
	return (struct paddr){v};
}

static inline struct vpn vpn(uint64_t v)
{
	return (struct vpn){v};
}

static inline struct pfn pfn(uint64_t v)
{
	return (struct pfn){v};
}

static inline struct vpn vaddr_to_vpn(struct vaddr va)
{
	return vpn(va.v >> PAGE_SHIFT);
}

static inline struct vaddr vpn_to_vaddr(struct vpn page)
{
	return vaddr(page.v << PAGE_SHIFT);
}

static inline struct pfn paddr_to_pfn(struct paddr pa)
{
	return pfn(pa.v >> PAGE_SHIFT);
}

static inline struct paddr pfn_to_paddr(struct pfn frame)
{
	return paddr(frame.v << PAGE_SHIFT);
}

static inline struct vaddr vaddr_add(struct vaddr va, uint64_t bytes)
{
	return vaddr(va.v + bytes);
}

static inline struct paddr paddr_add(struct paddr pa, uint64_t bytes)
{
	return paddr(pa.v + bytes);
}

static inline uint64_t page_offset(uint64_t address)
{
	return address & PAGE_OFFSET_MASK;
}

static inline uint64_t page_floor(uint64_t address)
{
	return address & ~PAGE_OFFSET_MASK;
}

/* Wraps to 0 within the last page of the address space, as pointer arithmetic does. */
static inline uint64_t page_ceil(uint64_t address)
{
	return (address + PAGE_OFFSET_MASK) & ~PAGE_OFFSET_MASK;
}

/* `to` is a power of two. */
static inline uint64_t align_down(uint64_t value, uint64_t to)
{
	return value & ~(to - 1);
}

static inline uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) & ~(to - 1);
}

static inline bool is_power_of_two(uint64_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

#endif
