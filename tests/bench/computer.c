#include "computer.h"

#include <stdio.h>
#include <stdlib.h>

static void need(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "bench: %s\n", what);
	exit(4);
}

void computer_boot_kernel(struct computer *computer, uint64_t memory_bytes, const char *libc,
			  const struct kernel_config *kernel)
{
	struct machine_config config = {.memory_bytes = memory_bytes, .profile = cpu_profile_at(0)};
	struct error error = {.text = ""};
	computer->arena = arena_new(machine_reserve_bytes(&config) +
				    kernel_reserve_bytes(kernel, config.memory_bytes, 8) + GIB);
	need(computer->arena, "the host has no address space for the machine");
	bus_init(&computer->bus);
	computer->machine = machine_new(computer->arena, &computer->bus, &config);
	need(kernel_boot(computer->arena, computer->machine, kernel, &computer->kernel, &error) == STATUS_OK,
	     error.text);
	computer->process = kernel_spawn(computer->kernel, &(struct process_spec){.name = "bench"});
	need(computer->process, "no room for a process");
	computer->user = user_new(computer->arena, computer->kernel, computer->process);
	computer->heap = heap_new(computer->arena, heap_find(libc), computer->user,
				  process_segment(computer->process, SEGMENT_LIBC_DATA).v);
	kernel_run(computer->kernel, computer->process);
	if (computer->heap->ops->start)
		computer->heap->ops->start(computer->heap);
}

void computer_boot(struct computer *computer, uint64_t memory_bytes, const char *libc)
{
	const struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	computer_boot_kernel(computer, memory_bytes, libc, &config);
}

void computer_free(struct computer *computer)
{
	arena_free(computer->arena);
}
