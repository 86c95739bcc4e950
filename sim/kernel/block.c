#include "block.h"

#include "kernel_private.h"

static const struct block_kind_info kinds[] = {
#define X(id, name, read, write, read_rate, write_rate, by_cpu, source)                                                \
	[BLOCK_##id] = {#name, read, write, read_rate, write_rate, by_cpu, source},
    BLOCK_KIND_LIST(X)
#undef X
};

const struct block_kind_info *block_kind_info(enum block_kind kind)
{
	return &kinds[kind];
}

uint64_t block_submit(struct kernel *kernel, struct block_device *device, bool write, uint64_t page, uint64_t pages)
{
	const struct block_kind_info *kind = device->kind;
	uint64_t rate = write ? kind->write_rate : kind->read_rate;
	uint64_t latency = page == device->next ? 0 : (write ? kind->write_us : kind->read_us) * CYCLES_PER_US;
	uint64_t cycles = latency + pages * PAGE_BYTES * CYCLES_PER_US / rate;
	device->next = page + pages;
	if (kind->by_cpu) {
		machine_charge(kernel->machine, COST_COMPRESS, cycles);
		return kernel->bus->cycle;
	}
	uint64_t start = device->busy_until > kernel->bus->cycle ? device->busy_until : kernel->bus->cycle;
	device->busy_until = start + cycles;
	return device->busy_until;
}

void block_wait(struct kernel *kernel, uint64_t cycle)
{
	struct process *process = kernel->current;
	if (!process || kernel->config.quantum_cycles == 0) {
		block_wait_here(kernel, cycle);
		return;
	}
	uint64_t since = process->wakes_at > kernel->bus->cycle ? process->wakes_at : kernel->bus->cycle;
	if (cycle <= since)
		return;
	process->wakes_at = cycle;
	process->stats.slept_cycles += cycle - since;
	emit(kernel->bus, EVENT_SLEEP, cycle - since);
}

void block_wait_here(struct kernel *kernel, uint64_t cycle)
{
	uint64_t now = kernel->bus->cycle;
	if (cycle <= now)
		return;
	if (kernel->current)
		kernel->current->stats.waited_cycles += cycle - now;
	kernel->vm.waited_cycles += cycle - now;
	emit(kernel->bus, EVENT_IO_WAIT, cycle - now);
	machine_charge(kernel->machine, COST_IDLE, cycle - now);
}
