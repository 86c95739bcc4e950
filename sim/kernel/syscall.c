/* The system call entries. arch/x86/entry/entry_64.S, entry_SYSCALL_64: SYSCALL changes neither RSP nor memory, so the
 * kernel switches to its own stack first and keeps the user's RSP there. */
#include "khugepaged.h"

static int64_t sys_getpid(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel, (void)args;
	return process->pid;
}

static int64_t sys_exit(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)process;
	process_kill(kernel,
		     &(struct process_death){
			 .dead = true, .status = (int)(args[0] & 0xff), .signal_name = "", .why = "exit", .vma = ""});
	return 0;
}

static int64_t sys_tgkill(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	if (args[0] != process->pid || args[1] != process->pid)
		return -LINUX_ESRCH;
	if (args[2] != 6)
		return -LINUX_EINVAL;
	process_kill(kernel, &(struct process_death){
				 .dead = true, .signal = 6, .signal_name = "SIGABRT", .why = "abort()", .vma = ""});
	return 0;
}

static int64_t sys_unknown(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel, (void)process, (void)args;
	return -LINUX_ENOSYS;
}

static const struct {
	struct syscall_info info;
	syscall_fn *fn;
} table[] = {
#define X(id, number, name, arguments, text) [SYSCALL_##id] = {{#name, number, arguments, text}, sys_##name},
    SYSCALL_LIST(X)
#undef X
};

const struct syscall_info *syscall_info(enum syscall_index index)
{
	return &table[index].info;
}

static enum syscall_index find(uint64_t number)
{
	switch (number) {
#define X(id, number, name, arguments, text)                                                                           \
	case (uint64_t)(number):                                                                                       \
		return SYSCALL_##id;
		SYSCALL_LIST(X)
#undef X
	default:
		return SYSCALL_UNKNOWN;
	}
}

static enum syscall_index find_i386(uint64_t number)
{
	switch ((uint32_t)number) {
#define X(id, number)                                                                                                  \
	case (number):                                                                                                 \
		return SYSCALL_##id;
		SYSCALL_I386_LIST(X)
#undef X
	default:
		return SYSCALL_UNKNOWN;
	}
}

int syscall_i386_number(uint64_t number)
{
	switch (find(number)) {
#define X(id, number)                                                                                                  \
	case SYSCALL_##id:                                                                                             \
		return number;
		SYSCALL_I386_LIST(X)
#undef X
	case SYSCALL_UNKNOWN:
	case SYSCALL_COUNT:
		break;
	}
	return -1;
}

const char *linux_errno_name(int number)
{
	switch (number) {
#define X(name, value)                                                                                                 \
	case value:                                                                                                    \
		return #name;
		ERRNO_LIST(X)
#undef X
	default:
		return "errno?";
	}
}

/* False: the process did not survive its call, or sleeps in it. */
static bool serve(struct kernel *kernel, enum syscall_index index, const uint64_t args[6], int64_t *result)
{
	struct process *process = kernel->current;
	khugepaged_wake(kernel);
	machine_charge(kernel->machine, COST_SYSCALL_HANDLER, 1);
	process->stats.syscalls[index]++;
	emit(kernel->bus, EVENT_SYSCALL, event_text(table[index].info.name), args[0], args[1], args[2], args[3]);
	*result = table[index].fn(kernel, process, args);
	if (kernel->current != process)
		return false;
	emit(kernel->bus, EVENT_SYSCALL_RETURN, event_text(table[index].info.name), (uint64_t)*result);
	return true;
}

void syscall_entry_native(void *self)
{
	struct kernel *kernel = self;
	struct machine *machine = kernel->machine;
	struct cpu *cpu = machine_cpu(machine);
	struct vaddr saved = vaddr(kernel->current->contexts[kernel->cpu].kernel_stack_top.v - sizeof(uint64_t));
	int64_t result;
	(void)machine_store(machine, saved, sizeof(uint64_t), cpu->gpr[GPR_RSP]);
	cpu->gpr[GPR_RSP] = saved.v;
	const uint64_t args[6] = {cpu->gpr[GPR_RDI], cpu->gpr[GPR_RSI], cpu->gpr[GPR_RDX],
				  cpu->gpr[GPR_R10], cpu->gpr[GPR_R8],  cpu->gpr[GPR_R9]};
	if (!serve(kernel, find(cpu->gpr[GPR_RAX]), args, &result))
		return;
	cpu->gpr[GPR_RAX] = (uint64_t)result;
	cpu->gpr[GPR_RSP] = machine_pop(machine);
	machine_sysretq(machine);
}

/* INT 0x80 of 32-bit code: arch/x86/entry/entry_32.S, entry_INT80_32. The gate has switched stacks. */
void syscall_vector_entry(void *self)
{
	struct kernel *kernel = ((const struct gate *)self)->kernel;
	struct cpu *cpu = machine_cpu(kernel->machine);
	enum syscall_index index = find_i386(cpu->gpr[GPR_RAX]);
	uint64_t args[6] = {cpu->gpr[GPR_RBX], cpu->gpr[GPR_RCX], cpu->gpr[GPR_RDX],
			    cpu->gpr[GPR_RSI], cpu->gpr[GPR_RDI], cpu->gpr[GPR_RBP]};
	int64_t result;
	for (unsigned i = 0; i < 6; i++)
		args[i] &= UINT32_MAX;
	if (index == SYSCALL_MMAP)
		args[5] *= PAGE_BYTES; /* mmap2 counts in pages */
	if (index == SYSCALL_PREAD64 || index == SYSCALL_PWRITE64)
		args[3] |= args[4] << 32; /* an offset of 64 bits comes in two registers */
	if (!serve(kernel, index, args, &result))
		return;
	cpu->gpr[GPR_RAX] = (uint32_t)result;
	machine_iretq(kernel->machine);
}
