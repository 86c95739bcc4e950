/* The ring-3 side of a process on the machine. This is the only place where control leaves the host's call structure:
 * a process that the kernel ends never returns from the instruction it was executing, so neither do we (longjmp to
 * user_run). Nothing above holds host resources across an access. */
#include "faultline/user.h"

#include <setjmp.h>
#include <string.h>

#include "faultline/kernel.h"
#include "faultline/libc_text.h"

/* Bytes at the end of the libc's data that abort() formats its message in. */
enum { MESSAGE_BYTES = 256 };

struct user {
	struct machine *machine;
	struct kernel *kernel;
	struct process *process;
	const struct process *memory; /* whose a peek looks at: its own, or what vfork has lent it */
	struct bus *bus;
	uint64_t libc_text;
	unsigned cpu;        /* of the thread that runs */
	uint64_t resumes_at; /* RIP where the program goes on when it runs again; 0: it is there */
	jmp_buf ended;
};

struct user *user_new(struct arena *arena, struct kernel *kernel, struct process *process)
{
	struct user *user = arena_new_object(arena, struct user);
	user->kernel = kernel;
	user->machine = kernel_machine(kernel);
	user->process = process;
	user->memory = process;
	user->libc_text = process->segment_start[SEGMENT_LIBC].v;
	user->cpu = process->home;
	user->bus = machine_bus(user->machine);
	return user;
}

void user_reload(struct user *user)
{
	user->libc_text = user->process->segment_start[SEGMENT_LIBC].v;
	machine_cpu(user->machine)->rip = user->process->segment_start[SEGMENT_TEXT].v;
}

void user_borrow(struct user *user, const struct process *lender)
{
	user->memory = lender;
}

void user_resume_at(struct user *user, uint64_t rip)
{
	user->resumes_at = rip;
}

bool user_run(struct user *user, user_fn *fn, void *self)
{
	if (_setjmp(user->ended) != 0)
		return false;
	bool runs = kernel_run_on(user->kernel, user->process, user->cpu);
	BUG_ON(!runs); /* it has run there before */
	if (user->resumes_at != 0)
		user_leave(user, user->resumes_at);
	user->resumes_at = 0;
	fn(self);
	return true;
}

bool user_move(struct user *user, unsigned cpu)
{
	if (!kernel_run_on(user->kernel, user->process, cpu))
		return false;
	user->cpu = cpu;
	return true;
}

static inline void resumed(struct user *user, bool came_back)
{
	if (!came_back)
		_longjmp(user->ended, 1);
}

static inline uint64_t load(struct user *user, uint64_t va, unsigned bytes)
{
	uint64_t value;
	resumed(user, machine_load(user->machine, vaddr(va), bytes, &value));
	return value;
}

static inline void store(struct user *user, uint64_t va, unsigned bytes, uint64_t value)
{
	resumed(user, machine_store(user->machine, vaddr(va), bytes, value));
}

uint64_t user_load64(struct user *user, uint64_t va)
{
	return load(user, va, 8);
}

uint32_t user_load32(struct user *user, uint64_t va)
{
	return (uint32_t)load(user, va, 4);
}

uint16_t user_load16(struct user *user, uint64_t va)
{
	return (uint16_t)load(user, va, 2);
}

uint8_t user_load8(struct user *user, uint64_t va)
{
	return (uint8_t)load(user, va, 1);
}

void user_store64(struct user *user, uint64_t va, uint64_t value)
{
	store(user, va, 8, value);
}

void user_store32(struct user *user, uint64_t va, uint32_t value)
{
	store(user, va, 4, value);
}

void user_store16(struct user *user, uint64_t va, uint16_t value)
{
	store(user, va, 2, value);
}

void user_store8(struct user *user, uint64_t va, uint8_t value)
{
	store(user, va, 1, value);
}

void user_fill(struct user *user, uint64_t va, uint8_t byte, uint64_t bytes)
{
	resumed(user, machine_fill(user->machine, vaddr(va), byte, bytes));
}

void user_copy(struct user *user, uint64_t to, uint64_t from, uint64_t bytes)
{
	resumed(user, machine_copy(user->machine, vaddr(to), vaddr(from), bytes));
}

void user_touch(struct user *user, uint64_t va, uint64_t length, enum access_kind kind)
{
	resumed(user, machine_touch(user->machine, vaddr(va), length, kind));
}

void user_instruction(struct user *user, enum insn insn, uint64_t operand)
{
	resumed(user, machine_instruction(user->machine, insn, operand));
}

uint64_t user_enter(struct user *user, uint64_t offset)
{
	struct cpu *cpu = machine_cpu(user->machine);
	uint64_t before = cpu->rip;
	cpu->rip = user->libc_text + offset;
	return before;
}

void user_leave(struct user *user, uint64_t rip)
{
	machine_cpu(user->machine)->rip = rip;
}

/* RIP behind the instruction of the stub that enters the kernel. Neither the call of the stub nor its fetches are
 * counted: libc bodies are native, and so is what they compute (ADR 0002). */
static uint64_t enter_stub(struct user *user, uint64_t number)
{
	enum syscall_index index = SYSCALL_UNKNOWN;
	switch (number) {
#define X(id, nr, name, arguments, text)                                                                               \
	case (uint64_t)(nr):                                                                                           \
		index = SYSCALL_##id;                                                                                  \
		break;
		SYSCALL_LIST(X)
#undef X
	default:
		break;
	}
	return user_enter(user, libc_stub_offset(index) + LIBC_STUB_RETURN_OFFSET);
}

/* A call that succeeds by not coming back to where it was made. */
static bool became_another(const struct user *user, uint64_t number)
{
	return number == SYS_NR_EXECVE && !user->process->death.dead;
}

/* Behind the instruction that entered the kernel. False: the caller sleeps in vfork, and is back when it runs again. */
static bool come_back(struct user *user, uint64_t number, bool came_back, uint64_t back)
{
	bool sleeps = kernel_waits_in_vfork(user->kernel, user->process);
	resumed(user, came_back || sleeps || became_another(user, number));
	if (sleeps)
		user->resumes_at = back;
	else
		user_leave(user, back);
	return !sleeps;
}

/* INT 0x80 with the convention of i386: the number in EAX; EBX ECX EDX ESI EDI EBP. */
static int64_t syscall_32bit(struct user *user, uint64_t number, const uint64_t args[6])
{
	static const enum gpr registers[] = {GPR_RBX, GPR_RCX, GPR_RDX, GPR_RSI, GPR_RDI, GPR_RBP};
	struct cpu *cpu = machine_cpu(user->machine);
	for (unsigned i = 0; i < 6; i++)
		cpu->gpr[registers[i]] = (uint32_t)args[i];
	if (number == SYS_NR_PREAD64 || number == SYS_NR_PWRITE64)
		cpu->gpr[GPR_RDI] = args[3] >> 32; /* the upper half of the offset */
	if (number == SYS_NR_MMAP)
		cpu->gpr[GPR_RBP] = (uint32_t)(args[5] / PAGE_BYTES);
	cpu->gpr[GPR_RAX] = (uint32_t)syscall_i386_number(number);
	uint64_t back = enter_stub(user, number);
	if (!come_back(user, number, machine_interrupt(user->machine, SYSCALL_VECTOR), back))
		return user->process->vfork_child;
	uint32_t result = (uint32_t)cpu->gpr[GPR_RAX];
	return result > (uint32_t)-4096 ? (int32_t)result : (int64_t)result;
}

int64_t user_syscall(struct user *user, uint64_t number, const uint64_t args[6])
{
	struct cpu *cpu = machine_cpu(user->machine);
	if (!(cpu->efer & EFER_LMA))
		return syscall_32bit(user, number, args);
	cpu->gpr[GPR_RAX] = number;
	cpu->gpr[GPR_RDI] = args[0];
	cpu->gpr[GPR_RSI] = args[1];
	cpu->gpr[GPR_RDX] = args[2];
	cpu->gpr[GPR_R10] = args[3];
	cpu->gpr[GPR_R8] = args[4];
	cpu->gpr[GPR_R9] = args[5];
	uint64_t back = enter_stub(user, number);
	if (!come_back(user, number, machine_syscall(user->machine), back))
		return user->process->vfork_child;
	return (int64_t)cpu->gpr[GPR_RAX];
}

void user_compute(struct user *user, uint64_t instructions)
{
	machine_charge(user->machine, COST_COMPUTE, instructions);
}

/* abort(3): the message goes to standard error, then the thread signals itself. */
_Noreturn void user_abort(struct user *user, const char *message)
{
	uint64_t length = strnlen(message, MESSAGE_BYTES);
	struct process *process = user->process;
	uint64_t at = process->segment_start[SEGMENT_LIBC_DATA].v + process->segment_bytes[SEGMENT_LIBC_DATA] -
		      MESSAGE_BYTES;
	emit(user->bus, EVENT_LIBC_ABORT, event_text(message));
	for (uint64_t i = 0; i < length; i++)
		user_store8(user, at + i, (uint8_t)message[i]);
	(void)user_syscall(user, SYS_NR_WRITE, (const uint64_t[6]){2, at, length});
	(void)user_syscall(user, SYS_NR_TGKILL, (const uint64_t[6]){process->pid, process->pid, 6});
	BUG(); /* the kernel ends a process that aborts */
}

bool user_code(struct user *user, uint64_t va, uint64_t steps)
{
	struct cpu *cpu = machine_cpu(user->machine);
	unsigned bytes = cpu->efer & EFER_LMA ? sizeof(uint64_t) : sizeof(uint32_t);
	const struct run_until back = {.rip = cpu->rip, .rsp = cpu->gpr[GPR_RSP], .steps = steps};
	uint64_t done;
	store(user, cpu->gpr[GPR_RSP] - bytes, bytes, cpu->rip);
	cpu->gpr[GPR_RSP] -= bytes;
	cpu->rip = va;
	enum run_end end = machine_run(user->machine, &back, &done);
	resumed(user, end == RUN_RETURNED || end == RUN_LIMIT);
	cpu->rip = back.rip;
	cpu->gpr[GPR_RSP] = back.rsp;
	return end == RUN_RETURNED;
}

void user_call(struct user *user, uint64_t frame_bytes)
{
	struct cpu *cpu = machine_cpu(user->machine);
	store(user, cpu->gpr[GPR_RSP] - sizeof(uint64_t), sizeof(uint64_t), cpu->rip);
	cpu->gpr[GPR_RSP] -= sizeof(uint64_t) + frame_bytes;
}

void user_return(struct user *user, uint64_t frame_bytes)
{
	struct cpu *cpu = machine_cpu(user->machine);
	uint64_t at = cpu->gpr[GPR_RSP] + frame_bytes;
	cpu->rip = load(user, at, sizeof(uint64_t));
	cpu->gpr[GPR_RSP] = at + sizeof(uint64_t);
}

uint64_t user_switch_stack(struct user *user, uint64_t rsp)
{
	struct cpu *cpu = machine_cpu(user->machine);
	uint64_t old = cpu->gpr[GPR_RSP];
	cpu->gpr[GPR_RSP] = rsp;
	return old;
}

struct bus *user_bus(struct user *user)
{
	return user->bus;
}

bool user_peek64(const struct user *user, uint64_t va, uint64_t *value)
{
	return process_peek64(user->memory, vaddr(va), value);
}
