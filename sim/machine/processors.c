/* Several processors. One executes at a time: its registers are machine->cpu, those of the others wait here, so that
 * nothing on the way of an access knows how many there are. Each has its own MMU; RAM, clock and cost table are one. */
#include "faultline/status.h"
#include "machine_private.h"

static void reset(struct cpu *cpu)
{
	cpu->rflags = RFLAGS_FIXED;
	cpu->cr0 = CR0_PE | CR0_ET;
	segments_reset(cpu);
	cpu->pat = 0x0007040600070406; /* SDM 3A 11.12.4 */
	cpu->apic_base = 0xfee00900;   /* enabled, of the bootstrap processor: SDM 3A 10.4.4 */
	cpu->dr[6] = 0xffff0ff0;
	cpu->dr[7] = 0x400;
}

void processors_init(struct machine *machine, struct arena *arena, const struct machine_config *config)
{
	machine->cpu_count = config->cpus ? config->cpus : 1;
	BUG_ON(machine->cpu_count > MACHINE_MAX_CPUS);
	machine->processors = arena_new_array(arena, struct processor, machine->cpu_count);
	for (unsigned i = 0; i < machine->cpu_count; i++) {
		struct processor *processor = &machine->processors[i];
		reset(&processor->cpu);
		/* An MMU translates only while its processor executes, so all look at the same registers. */
		machine->cpu = processor->cpu;
		processor->mmu = mmu_new(arena, machine->mem, machine->bus, &machine->cpu, config->profile,
					 &machine->costs, config->no_prediction, config->tlb_replacement);
	}
	machine->mmu = machine->processors[0].mmu;
}

unsigned machine_cpu_count(const struct machine *machine)
{
	return machine->cpu_count;
}

unsigned machine_cpu_number(const struct machine *machine)
{
	return machine->cpu_number;
}

void machine_select_cpu(struct machine *machine, unsigned number)
{
	BUG_ON(number >= machine->cpu_count);
	if (number == machine->cpu_number)
		return;
	struct processor *from = &machine->processors[machine->cpu_number], *to = &machine->processors[number];
	from->cpu = machine->cpu;
	from->tss_limit = machine->tss_limit;
	from->tss_is_short = machine->tss_is_short;
	machine->cpu = to->cpu;
	machine->tss_limit = to->tss_limit;
	machine->tss_is_short = to->tss_is_short;
	machine->mmu = to->mmu;
	machine->cpu_number = number;
	machine->bus->ring = machine->cpu.cpl;
	machine->bus->cpu = (uint8_t)number;
}

const struct cpu *machine_cpu_at(const struct machine *machine, unsigned number)
{
	BUG_ON(number >= machine->cpu_count);
	return number == machine->cpu_number ? &machine->cpu : &machine->processors[number].cpu;
}

const struct mmu *machine_mmu_at(const struct machine *machine, unsigned number)
{
	BUG_ON(number >= machine->cpu_count);
	return machine->processors[number].mmu;
}

/* Every member is a count. */
_Static_assert(sizeof(struct mmu_stats) % sizeof(uint64_t) == 0, "summed as words");

struct mmu_stats machine_mmu_stats(const struct machine *machine)
{
	struct mmu_stats total = machine->processors[0].mmu->stats;
	uint64_t *sum = (uint64_t *)(void *)&total;
	for (unsigned i = 1; i < machine->cpu_count; i++) {
		const uint64_t *more = (const uint64_t *)(const void *)&machine->processors[i].mmu->stats;
		for (unsigned n = 0; n < sizeof(total) / sizeof(*sum); n++)
			sum[n] += more[n];
	}
	return total;
}

uint64_t machine_walk_cycles(const struct machine *machine)
{
	uint64_t cycles = 0;
	for (unsigned i = 0; i < machine->cpu_count; i++)
		cycles += machine->processors[i].mmu->stats.walk_cycles;
	return cycles;
}

void processors_stop_shortcuts(struct machine *machine)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		mmu_stop_shortcut(machine->processors[i].mmu);
}

void machine_watch(struct machine *machine, mmu_watch_fn *fn, void *self)
{
	for (unsigned i = 0; i < machine->cpu_count; i++)
		mmu_add_watcher(machine->processors[i].mmu, fn, self);
}
