/* Exceptions other than #PF: in ring 3 each becomes a signal, in ring 0 it is a panic. arch/x86/kernel/traps.c */
#include "kernel_private.h"

/* X(vector, signal, name) */
#define SIGNAL_LIST(X)                                                                                                 \
	X(VECTOR_DIVIDE, 8, "SIGFPE")                                                                                  \
	X(VECTOR_DEBUG, 5, "SIGTRAP")                                                                                  \
	X(VECTOR_BREAKPOINT, 5, "SIGTRAP")                                                                             \
	X(VECTOR_INVALID_OPCODE, 4, "SIGILL")                                                                          \
	X(VECTOR_STACK, 7, "SIGBUS")                                                                                   \
	X(VECTOR_NOT_PRESENT, 7, "SIGBUS")                                                                             \
	X(VECTOR_ALIGNMENT, 7, "SIGBUS")

bool vector_pushes_error(unsigned vector)
{
	switch (vector) {
#define X(id, number, name, error, text)                                                                               \
	case number:                                                                                                   \
		return error;
		VECTOR_LIST(X)
#undef X
	default:
		return false;
	}
}

static const char *vector_text(unsigned vector)
{
	switch (vector) {
#define X(id, number, name, error, text)                                                                               \
	case number:                                                                                                   \
		return text;
		VECTOR_LIST(X)
#undef X
	default:
		return "unexpected interrupt";
	}
}

/* Everything that has no row of its own is a segmentation fault, as on Linux. */
static void choose_signal(struct process_death *death)
{
	death->signal = 11;
	death->signal_name = "SIGSEGV";
	switch (death->vector) {
#define X(vec, number, name)                                                                                           \
	case vec:                                                                                                      \
		death->signal = (number);                                                                              \
		death->signal_name = (name);                                                                           \
		break;
		SIGNAL_LIST(X)
#undef X
	default:
		break;
	}
}

void exception_entry_native(void *self)
{
	const struct gate *gate = self;
	struct kernel *kernel = gate->kernel;
	struct machine *machine = kernel->machine;
	uint32_t error_code = vector_pushes_error(gate->vector) ? (uint32_t)machine_pop(machine) : 0;
	uint64_t rip = machine_pop(machine), cs = machine_pop(machine);
	if ((cs & 3) == 0 || !kernel->current) {
		kernel_panic(kernel, vector_text(gate->vector));
		return;
	}
	struct process_death death = {
	    .dead = true,
	    .va = vaddr(rip),
	    .rip = rip,
	    .error_code = error_code,
	    .vector = gate->vector,
	    .why = vector_text(gate->vector),
	    .vma = "",
	};
	choose_signal(&death);
	process_kill(kernel, &death);
}

void kernel_panic(struct kernel *kernel, const char *why)
{
	machine_stop(kernel->machine, why);
}
