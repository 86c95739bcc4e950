/* REG_RAX and memfd_create are of GNU. */
#define _GNU_SOURCE

#include "native_code.h"

/* The shadow memory of AddressSanitizer lies where random code would hit it. */
#if defined(__SANITIZE_ADDRESS__)
#define HAS_SHADOW_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SHADOW_MEMORY 1
#endif
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(HAS_SHADOW_MEMORY)

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { SHARED_BYTES = NATIVE_CODE_BYTES + NATIVE_DATA_BYTES + NATIVE_STACK_BYTES + 4096, ALTERNATE_STACK = 65536 };

/* The last page of the shared memory. */
struct mailbox {
	struct native_state state;
};

struct native {
	uint8_t *shared; /* code, data, stack, mailbox */
	int memory, to_child, from_child;
	pid_t child;
};

/* The child has one thread, and its signal handler needs to find these. */
struct child {
	struct mailbox *mailbox;
	bool running;
	gregset_t home;
};

static struct child *const child_at = (struct child *)0x6a5a00000000u; /* far from what code may hit */

static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
			      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

/* Called at the child's own INT3, to begin, and at the exception that ends the run, to come home. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	gregset_t *registers = &((ucontext_t *)context)->uc_mcontext.gregs;
	struct native_state *state = &child_at->mailbox->state;
	if (!child_at->running) {
		memcpy(&child_at->home, registers, sizeof(gregset_t));
		for (unsigned i = 0; i < 16; i++)
			(*registers)[order[i]] = (greg_t)state->gpr[i];
		(*registers)[REG_RIP] = (greg_t)state->rip;
		(*registers)[REG_EFL] = (greg_t)state->rflags;
		child_at->running = true;
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		state->gpr[i] = (uint64_t)(*registers)[order[i]];
	state->rip = (uint64_t)(*registers)[REG_RIP];
	state->rflags = (uint64_t)(*registers)[REG_EFL];
	state->vector = (uint64_t)(*registers)[REG_TRAPNO];
	state->error = (uint64_t)(*registers)[REG_ERR];
	state->cr2 = (uint64_t)(*registers)[REG_CR2];
	child_at->running = false;
	for (unsigned i = 0; i < 16; i++)
		(*registers)[order[i]] = child_at->home[order[i]];
	(*registers)[REG_RIP] = child_at->home[REG_RIP];
	(*registers)[REG_EFL] = child_at->home[REG_EFL];
}

static bool map_at(uint64_t where, size_t bytes, int protection, int memory, off_t offset)
{
	void *at = (void *)(uintptr_t)where;
	int flags = memory < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	return mmap(at, bytes, protection, flags | MAP_FIXED_NOREPLACE, memory, offset) == at;
}

static bool child_maps(const struct native *native)
{
	const int rw = PROT_READ | PROT_WRITE;
	return map_at(NATIVE_CODE, NATIVE_CODE_BYTES, PROT_READ | PROT_EXEC, native->memory, 0) &&
	       map_at(NATIVE_DATA, NATIVE_DATA_BYTES, rw, native->memory, NATIVE_CODE_BYTES) &&
	       map_at(NATIVE_STACK, NATIVE_STACK_BYTES, rw, native->memory, NATIVE_CODE_BYTES + NATIVE_DATA_BYTES) &&
	       map_at((uintptr_t)child_at, 4096, rw, -1, 0);
}

static bool child_catches(void)
{
	static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	stack_t stack = {.ss_size = ALTERNATE_STACK};
	stack.ss_sp = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL) != 0)
		return false;
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		if (sigaction(signals[i], &action, NULL) != 0)
			return false;
	}
	return true;
}

static _Noreturn void child_main(const struct native *native, int requests, int answers)
{
	char byte = 1;
	bool ready = child_maps(native) && child_catches();
	if (ready) {
		child_at->mailbox = (struct mailbox *)(void *)(native->shared + SHARED_BYTES - 4096);
		ready = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0;
	}
	byte = (char)ready;
	while (write(answers, &byte, 1) == 1 && ready && read(requests, &byte, 1) == 1)
		__asm__ volatile("int3" ::: "memory", "cc");
	(void)syscall(SYS_exit, 0);
	__builtin_unreachable();
}

static bool answered(const struct native *native)
{
	struct pollfd wait = {.fd = native->from_child, .events = POLLIN};
	char byte = 0;
	return poll(&wait, 1, 5000) == 1 && read(native->from_child, &byte, 1) == 1 && byte == 1;
}

static bool start_child(struct native *native)
{
	int requests[2], answers[2];
	if (pipe(requests) != 0)
		return false;
	if (pipe(answers) != 0) {
		(void)close(requests[0]);
		(void)close(requests[1]);
		return false;
	}
	(void)fflush(NULL);
	native->child = fork();
	if (native->child == 0)
		child_main(native, requests[0], answers[1]);
	(void)close(requests[0]);
	(void)close(answers[1]);
	native->to_child = requests[1];
	native->from_child = answers[0];
	return native->child > 0 && answered(native);
}

struct native *native_new(const char **why)
{
	struct native *native = calloc(1, sizeof(*native));
	*why = "the host refuses memory";
	if (!native)
		return NULL;
	native->memory = memfd_create("native_code", MFD_CLOEXEC);
	if (native->memory < 0 || ftruncate(native->memory, SHARED_BYTES) != 0)
		return NULL;
	native->shared = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, native->memory, 0);
	if (native->shared == MAP_FAILED)
		return NULL;
	(void)signal(SIGPIPE, SIG_IGN);
	*why = "the host refuses a child that runs under strict seccomp";
	if (start_child(native))
		return native;
	native_free(native);
	return NULL;
}

void native_free(struct native *native)
{
	if (native->child > 0) {
		(void)kill(native->child, SIGKILL);
		(void)waitpid(native->child, NULL, 0);
		(void)close(native->to_child);
		(void)close(native->from_child);
	}
	(void)munmap(native->shared, SHARED_BYTES);
	(void)close(native->memory);
	free(native);
}

uint8_t *native_code(struct native *native)
{
	return native->shared;
}

uint8_t *native_data(struct native *native)
{
	return native->shared + NATIVE_CODE_BYTES;
}

uint8_t *native_stack(struct native *native)
{
	return native->shared + NATIVE_CODE_BYTES + NATIVE_DATA_BYTES;
}

bool native_run(struct native *native, struct native_state *state)
{
	struct mailbox *mailbox = (struct mailbox *)(void *)(native->shared + SHARED_BYTES - 4096);
	mailbox->state = *state;
	char byte = 1;
	if (write(native->to_child, &byte, 1) == 1 && answered(native)) {
		*state = mailbox->state;
		return true;
	}
	int status = 0;
	(void)kill(native->child, SIGKILL);
	(void)waitpid(native->child, &status, 0);
	native->child = 0;
	printf("the child does not answer any more (wait status 0x%x)\n", (unsigned)status);
	return false;
}

#else

struct native *native_new(const char **why)
{
	*why = "the host is no x86-64 Linux, or AddressSanitizer has its shadow memory in the way";
	return (struct native *)0;
}

void native_free(struct native *native)
{
	(void)native;
}

uint8_t *native_code(struct native *native)
{
	(void)native;
	return (uint8_t *)0;
}

uint8_t *native_data(struct native *native)
{
	(void)native;
	return (uint8_t *)0;
}

uint8_t *native_stack(struct native *native)
{
	(void)native;
	return (uint8_t *)0;
}

bool native_run(struct native *native, struct native_state *state)
{
	(void)native, (void)state;
	return false;
}

#endif
