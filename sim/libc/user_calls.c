/* The C library's functions for machine code: a native body is bound to each entry of its text. When the processor
 * arrives there in ring 3, the body runs with the arguments of the ABI, and the RET behind the entry goes back. */
#include "faultline/heap.h"
#include "faultline/kernel.h"
#include "faultline/libc_text.h"
#include "faultline/status.h"

struct entry {
	struct kernel *kernel;
	enum libc_function function;
};

/* System V ABI: RDI, RSI; of i386: above the return address. Stacks of a process are its own, so this is a load of its
 * own. */
static uint64_t argument(struct user *user, const struct cpu *cpu, unsigned index)
{
	if (cpu->efer & EFER_LMA)
		return cpu->gpr[index == 0 ? GPR_RDI : GPR_RSI];
	return user_load32(user, cpu->gpr[GPR_RSP] + 4 * (index + 1));
}

static unsigned argument_count(enum libc_function function)
{
	static const uint8_t counts[LIBC_FUNCTION_COUNT] = {
	    [LIBC_FUNCTION_CALLOC] = 2,
	    [LIBC_FUNCTION_REALLOC] = 2,
	    [LIBC_FUNCTION_ALIGNED_ALLOC] = 2,
	    [LIBC_FUNCTION_MALLOPT] = 2,
	};
	return counts[function] ? counts[function] : 1;
}

static uint64_t body(struct heap *heap, enum libc_function function, uint64_t a, uint64_t b)
{
	switch (function) {
#define X(id, name, call)                                                                                              \
	case LIBC_FUNCTION_##id:                                                                                       \
		return call;
		LIBC_FUNCTION_LIST(X)
#undef X
	case LIBC_FUNCTION_COUNT:
		break;
	}
	BUG();
}

static void on_entry(void *self)
{
	const struct entry *entry = self;
	struct process *process = kernel_current(entry->kernel);
	struct heap *heap = process->program;
	struct cpu *cpu = machine_cpu(kernel_machine(entry->kernel));
	uint64_t rip = cpu->rip;
	uint64_t a = argument(heap->user, cpu, 0);
	uint64_t b = argument_count(entry->function) > 1 ? argument(heap->user, cpu, 1) : 0;
	cpu->gpr[GPR_RAX] = body(heap, entry->function, a, b);
	cpu->rip = rip + LIBC_RET_OFFSET;
}

void user_serve_calls(struct arena *arena, struct kernel *kernel, struct process *process, struct heap *heap)
{
	struct entry *entries = arena_new_array(arena, struct entry, LIBC_FUNCTION_COUNT);
	process->program = heap;
	for (unsigned i = 0; i < LIBC_FUNCTION_COUNT; i++) {
		entries[i] = (struct entry){kernel, (enum libc_function)i};
		machine_bind(kernel_machine(kernel),
			     vaddr_add(process->segment_start[SEGMENT_LIBC], libc_entry_offset(entries[i].function)),
			     on_entry, &entries[i]);
	}
}
