#include "machine_private.h"

#include "faultline/status.h"

uint64_t machine_reserve_bytes(const struct machine_config *config)
{
	/* RAM, its content map, and everything else, which is far below 4 MiB whatever the profile, and below 1 MiB for
	 * each further processor. */
	uint64_t others = config->cpus > 1 ? (config->cpus - 1) * MIB : 0;
	return config->memory_bytes + (config->memory_bytes >> PAGE_SHIFT) + 4 * MIB + others;
}

struct machine *machine_new(struct arena *arena, struct bus *bus, const struct machine_config *config)
{
	struct machine *machine = arena_new_object(arena, struct machine);
	machine->bus = bus;
	machine->costs = config->costs ? *config->costs : cpu_profile_costs(config->profile);
	machine->mem = physmem_new(arena, config->memory_bytes);
	machine->decoded = decoded_slots_new(arena);
	processors_init(machine, arena, config);
	bus->ring = 0;
	return machine;
}

struct cpu *machine_cpu(struct machine *machine)
{
	return &machine->cpu;
}

const struct cpu *machine_cpu_const(const struct machine *machine)
{
	return &machine->cpu;
}

struct physmem *machine_memory(struct machine *machine)
{
	return machine->mem;
}

const struct physmem *machine_memory_const(const struct machine *machine)
{
	return machine->mem;
}

struct mmu *machine_mmu(struct machine *machine)
{
	return machine->mmu;
}

const struct mmu *machine_mmu_const(const struct machine *machine)
{
	return machine->mmu;
}

struct bus *machine_bus(struct machine *machine)
{
	return machine->bus;
}

const struct machine_stats *machine_stats(const struct machine *machine)
{
	return &machine->stats;
}

void machine_charge(struct machine *machine, enum cost cost, uint64_t times)
{
	machine->bus->cycle += machine->costs.cycles[cost] * times;
}

bool machine_stopped(const struct machine *machine, const char **why)
{
	*why = machine->why_stopped;
	return machine->why_stopped != NULL;
}

void machine_stop(struct machine *machine, const char *why)
{
	if (machine->why_stopped)
		return;
	machine->why_stopped = why;
	/* No access may take the shortcut past the test for a stopped machine. */
	processors_stop_shortcuts(machine);
}

/* Fibonacci hashing (Knuth, The Art of Computer Programming 3, 6.4): entries lie side by side, their slots must not. */
static uint64_t mix(uint64_t key)
{
	return key * 0x9e3779b97f4a7c15u >> 40;
}

static uint64_t handler_hash(struct vaddr entry)
{
	return mix(entry.v >> 4) % HANDLER_SLOTS;
}

static struct handler *handler_slot(struct machine *machine, struct vaddr entry)
{
	uint64_t hash = handler_hash(entry);
	while (machine->handlers[hash].fn && machine->handlers[hash].entry.v != entry.v)
		hash = (hash + 1) % HANDLER_SLOTS;
	return &machine->handlers[hash];
}

/* Which pages may hold an entry: one of 64 bits for each. */
static uint64_t page_bit(struct vaddr entry)
{
	return (uint64_t)1 << (mix(entry.v >> PAGE_SHIFT) & 63);
}

void machine_bind(struct machine *machine, struct vaddr entry, native_fn *fn, void *self)
{
	struct handler *handler = handler_slot(machine, entry);
	if (!handler->fn)
		BUG_ON(++machine->handler_count > HANDLER_MAX);
	*handler = (struct handler){entry, fn, self};
	machine->bound_pages |= page_bit(entry);
}

bool machine_is_bound(const struct machine *machine, struct vaddr entry)
{
	if (!(machine->bound_pages & page_bit(entry)))
		return false;
	for (uint64_t slot = handler_hash(entry); machine->handlers[slot].fn; slot = (slot + 1) % HANDLER_SLOTS) {
		if (machine->handlers[slot].entry.v == entry.v)
			return true;
	}
	return false;
}

/* A handler of machine code: runs until it has returned to what it interrupted. */
static void run_code(struct machine *machine, const struct trap_origin *origin)
{
	enum { HANDLER_STEPS = 1 << 20 };
	for (unsigned left = HANDLER_STEPS; left; left--) {
		if (machine_step(machine) != STEP_DONE || trap_came_back(machine, origin))
			return;
	}
	machine_stop(machine, "a handler of machine code does not return");
}

void trap_run_handler(struct machine *machine, const struct trap_origin *origin)
{
	struct paddr pa;
	struct fault fault;
	while (!mmu_access(machine->mmu, vaddr(machine->cpu.rip), ACCESS_FETCH, &pa, &fault)) {
		if (!trap_raise_fault(machine, &fault))
			return;
	}
	const struct handler *handler = handler_slot(machine, vaddr(machine->cpu.rip));
	if (handler->fn)
		handler->fn(handler->self);
	else
		run_code(machine, origin);
}
