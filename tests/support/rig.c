#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void boot(struct rig *rig, const struct machine_config *machine, const struct kernel_config *config,
		 const struct process_spec *spec)
{
	struct kernel_config kernel_config = KERNEL_CONFIG_DEFAULT;
	if (config)
		kernel_config = *config;
	kernel_config.junk_freed_frames = true;
	struct error error = {.text = ""};
	rig->arena = arena_new(machine_reserve_bytes(machine) +
			       kernel_reserve_bytes(&kernel_config, machine->memory_bytes, 8) + GIB);
	assert_non_null(rig->arena);
	bus_init(&rig->bus);
	rig->machine = machine_new(rig->arena, &rig->bus, machine);
	assert_int_equal(kernel_boot(rig->arena, rig->machine, &kernel_config, &rig->kernel, &error), STATUS_OK);
	rig->process = kernel_spawn(rig->kernel, spec);
	assert_non_null(rig->process);
	kernel_run(rig->kernel, rig->process);
}

void rig_boot_with(struct rig *rig, uint64_t memory_bytes, const struct kernel_config *config,
		   const struct process_spec *spec)
{
	const struct machine_config machine = {.memory_bytes = memory_bytes ? memory_bytes : 64 * MIB,
					       .profile = cpu_profile_at(0)};
	boot(rig, &machine, config, spec);
}

void rig_boot_kernel(struct rig *rig, uint64_t memory_bytes, const struct kernel_config *config)
{
	rig_boot_with(rig, memory_bytes, config, &(struct process_spec){.name = "test"});
}

void rig_boot(struct rig *rig, uint64_t memory_bytes, enum overcommit overcommit)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.overcommit = overcommit;
	rig_boot_kernel(rig, memory_bytes, &config);
}

void rig_store(struct rig *rig, uint64_t va, uint64_t value)
{
	assert_true(machine_store(rig->machine, vaddr(va), sizeof(value), value));
}

uint64_t rig_load(struct rig *rig, uint64_t va)
{
	uint64_t value = 0;
	assert_true(machine_load(rig->machine, vaddr(va), sizeof(value), &value));
	return value;
}

void rig_boot_paging(struct rig *rig, enum paging_mode paging)
{
	rig_boot_cpus(rig, 1, paging);
}

void rig_boot_cpus(struct rig *rig, unsigned cpus, enum paging_mode paging)
{
	const struct machine_config machine = {.cpus = cpus, .memory_bytes = 64 * MIB, .profile = cpu_profile_at(0)};
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.paging = paging;
	boot(rig, &machine, &config, &(struct process_spec){.name = "test"});
}

void rig_release(struct rig *rig)
{
	struct error why = {.text = ""};
	const char *what = NULL;
	if (!kernel_check(rig->kernel, &why))
		fail_msg("%s", why.text);
	for (unsigned i = 0; i < machine_cpu_count(rig->machine); i++) {
		if (!mmu_check(machine_mmu_at(rig->machine, i), &what))
			fail_msg("CPU %u: %s", i, what);
	}
	arena_free(rig->arena);
}

/* As 32-bit code makes them: see user.c. */
static int64_t syscall_32bit(struct rig *rig, uint64_t number, const uint64_t args[5])
{
	static const enum gpr registers[] = {GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI};
	struct cpu *cpu = machine_cpu(rig->machine);
	for (unsigned i = 0; i < 5; i++)
		cpu->gpr[registers[i]] = (uint32_t)args[i];
	cpu->gpr[GPR_RBP] = 0;
	cpu->gpr[GPR_RAX] = (uint32_t)syscall_i386_number(number);
	(void)machine_interrupt(rig->machine, SYSCALL_VECTOR);
	uint32_t result = (uint32_t)cpu->gpr[GPR_RAX];
	return result > (uint32_t)-4096 ? (int32_t)result : (int64_t)result;
}

int64_t rig_syscall(struct rig *rig, enum syscall_number number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		    uint64_t a4)
{
	struct cpu *cpu = machine_cpu(rig->machine);
	if (!(cpu->efer & EFER_LMA))
		return syscall_32bit(rig, (uint64_t)number, (const uint64_t[5]){a0, a1, a2, a3, a4});
	cpu->gpr[GPR_RAX] = (uint64_t)number;
	cpu->gpr[GPR_RDI] = a0;
	cpu->gpr[GPR_RSI] = a1;
	cpu->gpr[GPR_RDX] = a2;
	cpu->gpr[GPR_R10] = a3;
	cpu->gpr[GPR_R8] = a4;
	cpu->gpr[GPR_R9] = 0;
	(void)machine_syscall(rig->machine);
	return (int64_t)cpu->gpr[GPR_RAX];
}

int64_t rig_mmap(struct rig *rig, uint64_t address, uint64_t bytes, uint64_t prot, uint64_t more_flags)
{
	return rig_syscall(rig, SYS_NR_MMAP, address, bytes, prot, LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | more_flags,
			   UINT64_MAX);
}

bool rig_write(struct rig *rig, uint64_t va)
{
	return machine_store(rig->machine, vaddr(va), 8, va);
}

bool rig_read(struct rig *rig, uint64_t va)
{
	uint64_t value;
	return machine_load(rig->machine, vaddr(va), 8, &value);
}

uint64_t rig_faults(const struct rig *rig, enum fault_cause cause)
{
	return rig->process->stats.causes[cause];
}

void rig_add_text(void *self, const char *bytes, size_t length)
{
	struct rig_text *text = self;
	assert_true(text->used + length < sizeof(text->bytes));
	memcpy(text->bytes + text->used, bytes, length);
	text->used += length;
}
