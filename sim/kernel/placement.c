#include "placement.h"

#include "faultline/rng.h"
#include "kernel_private.h"

/* arch/x86/mm/mmap.c, arch/x86/kernel/process.c: in pages, log2. 32-bit: arch_rnd of 8 bits, a stack of 11. */
struct randomness {
	unsigned mmap_bits, stack_bits;
	uint64_t brk_bytes;
};

static struct randomness randomness_of(const struct layout *layout)
{
	return layout->levels > 3 ? (struct randomness){28, 22, GIB} : (struct randomness){8, 11, 32 * MIB};
}

/* A random number of pages, as a distance; 0 without randomisation. */
static uint64_t random_bytes(struct rng *rng, bool random, uint64_t pages)
{
	return random ? rng_below(rng, pages) * PAGE_BYTES : 0;
}

/* mmap_base: below the stack, its guard gap, and what the stack's own place may vary by. */
static uint64_t mmap_base(const struct layout *layout, uint64_t stack_limit, uint64_t stack_varies, uint64_t distance)
{
	const uint64_t least = 128 * MIB, most = layout->window / 6 * 5;
	uint64_t pad = VMA_STACK_GUARD_BYTES + stack_varies;
	uint64_t gap = stack_limit + pad > stack_limit ? stack_limit + pad : stack_limit;
	gap = gap < least ? least : gap > most ? most : gap;
	return page_ceil(layout->window - gap - distance);
}

struct placement placement_of(const struct layout *layout, const struct process_spec *spec, uint64_t process_number)
{
	bool random = spec->aslr_seed != 0;
	struct rng rng = rng_seeded(spec->aslr_seed + process_number);
	struct randomness range = randomness_of(layout);
	uint64_t distance = random_bytes(&rng, random, (uint64_t)1 << range.mmap_bits);
	uint64_t image = layout->image_base + random_bytes(&rng, random, (uint64_t)1 << range.mmap_bits);
	uint64_t image_bytes = spec->text_bytes + spec->rodata_bytes + spec->data_bytes + spec->bss_bytes;
	uint64_t heap = image + image_bytes + random_bytes(&rng, random, range.brk_bytes / PAGE_BYTES);
	uint64_t stack = layout->stack_top - random_bytes(&rng, random, (uint64_t)1 << range.stack_bits);
	uint64_t stack_varies = random ? PAGE_BYTES << range.stack_bits : 0;
	struct vaddr base = vaddr(mmap_base(layout, spec->stack_limit, stack_varies, distance));
	return (struct placement){
	    .image = vaddr(image),
	    .start_brk = spec->start_brk.v ? spec->start_brk : vaddr(heap),
	    .mmap_ceiling = spec->mmap_ceiling.v ? vaddr(page_floor(spec->mmap_ceiling.v)) : base,
	    .libc_top = base,
	    .stack_top = vaddr(stack),
	};
}
