/* The machine's budgets: one translation by what serves it, one round trip through each gate. */
#include "bare_machine.h"
#include "bench.h"

#define ARENA_BASE ((uint64_t)0x10000000)

enum { PAGES = 1 << 14 };

struct walker {
	struct bare_machine bare;
	uint64_t pages; /* a power of two; accesses go round them */
	uint64_t next;
	uint64_t sum;
};

static void map_pages(struct bare_machine *bare)
{
	for (uint64_t i = 0; i < PAGES; i++)
		bare_map(bare, vaddr(ARENA_BASE + i * PAGE_BYTES), 1,
			 (BARE_PAGES + i * PAGE_BYTES) | PTE_PRESENT | PTE_WRITABLE | PTE_USER);
}

static void load_round(void *self, uint64_t count)
{
	struct walker *walker = self;
	uint64_t mask = walker->pages - 1;
	uint64_t sum = 0;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t value;
		(void)machine_load(walker->bare.machine, vaddr(ARENA_BASE + (i & mask) * PAGE_BYTES), 8, &value);
		sum += value;
	}
	walker->sum += sum;
}

static void store_round(void *self, uint64_t count)
{
	struct walker *walker = self;
	uint64_t mask = walker->pages - 1;
	for (uint64_t i = 0; i < count; i++)
		(void)machine_store(walker->bare.machine, vaddr(ARENA_BASE + (i & mask) * PAGE_BYTES), 8, i);
}

static void touch_round(void *self, uint64_t count)
{
	struct walker *walker = self;
	uint64_t mask = walker->pages - 1;
	for (uint64_t i = 0; i < count; i++)
		(void)machine_touch(walker->bare.machine, vaddr(ARENA_BASE + (i & mask) * PAGE_BYTES), 8, ACCESS_READ);
}

static void measure_pages(struct bench *bench, struct walker *walker, const char *name, double budget, uint64_t pages,
			  bench_fn *fn)
{
	walker->pages = pages;
	bench_measure(bench, name, budget, fn, walker);
}

static void return_from_fault(void *self)
{
	struct walker *walker = self;
	(void)machine_pop(walker->bare.machine);
	machine_iretq(walker->bare.machine);
}

static void return_from_breakpoint(void *self)
{
	struct walker *walker = self;
	machine_iretq(walker->bare.machine);
}

static void return_from_syscall(void *self)
{
	struct walker *walker = self;
	machine_sysretq(walker->bare.machine);
}

static void round_exception(void *self, uint64_t count)
{
	struct walker *walker = self;
	const uint32_t error = 0;
	while (count--)
		(void)machine_exception(walker->bare.machine, VECTOR_PROTECTION, &error, vaddr(0));
}

static void round_syscall(void *self, uint64_t count)
{
	struct walker *walker = self;
	while (count--)
		(void)machine_syscall(walker->bare.machine);
}

/* A page fault that the handler resolves by writing the entry: hardware's share of a minor fault. */
static void resolve_fault(void *self)
{
	struct walker *walker = self;
	struct bare_machine *bare = &walker->bare;
	struct paddr entry = bare_entry(bare, vaddr(bare->cpu->cr2), 1);
	physmem_store64(bare->mem, entry, physmem_load64(bare->mem, entry) | PTE_PRESENT);
	return_from_fault(self);
}

static void round_fault(void *self, uint64_t count)
{
	struct walker *walker = self;
	struct bare_machine *bare = &walker->bare;
	struct paddr entries = bare_entry(bare, vaddr(ARENA_BASE), 1);
	while (count--) {
		walker->next = (walker->next + 1) & 511;
		struct paddr entry = paddr_add(entries, walker->next * 8);
		physmem_store64(bare->mem, entry, physmem_load64(bare->mem, entry) & ~PTE_PRESENT);
		machine_invlpg(bare->machine, vaddr(ARENA_BASE + walker->next * PAGE_BYTES));
		(void)machine_touch(bare->machine, vaddr(ARENA_BASE + walker->next * PAGE_BYTES), 8, ACCESS_WRITE);
	}
}

void bench_machine(struct bench *bench)
{
	static struct walker walker;
	struct machine_config config = {.memory_bytes = 128 * MIB, .profile = cpu_profile_at(0)};
	bare_machine_init(&walker.bare, &config);
	map_pages(&walker.bare);
	bare_enter_ring3(&walker.bare, ARENA_BASE, ARENA_BASE);
	measure_pages(bench, &walker, "machine: load, same page as before", 1.5, 1, load_round);
	measure_pages(bench, &walker, "machine: store, same page as before", 1.5, 1, store_round);
	measure_pages(bench, &walker, "machine: load, L1 TLB hit (32 pages)", 3, 32, load_round);
	measure_pages(bench, &walker, "machine: touch, L1 TLB hit (32 pages)", 3, 32, touch_round);
	measure_pages(bench, &walker, "machine: touch, L2 TLB hit (1024 pages)", 10, 1024, touch_round);
	measure_pages(bench, &walker, "machine: touch, page walk (16384 pages)", 25, PAGES, touch_round);
	bare_gate(&walker.bare, VECTOR_PROTECTION, 0, return_from_fault, &walker);
	bare_gate(&walker.bare, VECTOR_BREAKPOINT, 3, return_from_breakpoint, &walker);
	bare_gate(&walker.bare, VECTOR_PAGE_FAULT, 0, resolve_fault, &walker);
	bare_syscall(&walker.bare, return_from_syscall, &walker);
	bench_measure(bench, "machine: exception and IRETQ", 0, round_exception, &walker);
	bench_measure(bench, "machine: SYSCALL and SYSRET", 0, round_syscall, &walker);
	bench_measure(bench, "machine: INVLPG, page fault, resolved, restarted", 0, round_fault, &walker);
	bare_machine_release(&walker.bare);
}
