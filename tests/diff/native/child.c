/* The recorded program: does the operations that it finds in shared memory, with the real C library on the real kernel,
 * and notes what came back. Its surroundings are those of the recordings (tests/data/libc/README.md): the break at a
 * multiple of 64 MiB, everything above a ceiling occupied, all its own memory resident. It calls malloc only where an
 * operation says so. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "shared.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif

enum { MAPS_BYTES = 1 << 16, STACK_BYTES = 256 << 10, THREAD_STACK_BYTES = 64 << 10 };

static struct native_shared *shared;
static char maps[MAPS_BYTES];

static _Noreturn void give_up(const char *why)
{
	size_t length = 0;
	while (why[length])
		length++;
	(void)!write(2, why, length);
	(void)!write(2, "\n", 1);
	_exit(99);
}

/* ---- surroundings ---- */

/* The list of mappings, without stdio, which would call malloc. */
static void read_maps(void)
{
	size_t used = 0;
	ssize_t got;
	int file = open("/proc/self/maps", O_RDONLY);
	while ((got = read(file, maps + used, MAPS_BYTES - 1 - used)) > 0)
		used += (size_t)got;
	maps[used] = '\0';
	(void)close(file);
}

static const char *read_hex(const char *at, uint64_t *out)
{
	*out = 0;
	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			*out = *out * 16 + (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*out = *out * 16 + (uint64_t)(*at - 'a' + 10);
		else
			return at;
	}
}

struct area {
	uint64_t start, end;
	bool readable, writable;
};

/* The next line of maps; NULL behind the last. */
static const char *next_area(const char *at, struct area *out)
{
	if (*at == '\0')
		return NULL;
	at = read_hex(at, &out->start);
	at = read_hex(at + 1, &out->end);
	out->readable = at[1] == 'r';
	out->writable = at[2] == 'w';
	while (*at != '\n')
		at++;
	return at + 1;
}

/* The break moves by the system call alone, so that the library has not yet asked for it. */
static void place_break(void)
{
	uint64_t unit = (uint64_t)64 << 20;
	uint64_t now = (uint64_t)syscall(SYS_brk, 0);
	uint64_t wanted = (now + unit - 1) & ~(unit - 1);
	if ((uint64_t)syscall(SYS_brk, wanted) != wanted)
		give_up("the break cannot be moved");
	/* What is below the break is no heap. */
	now = (now + 4095) & ~(uint64_t)4095;
	if (now < wanted && munmap((void *)now, wanted - now) != 0)
		give_up("the space below the break cannot be unmapped");
	shared->break_start = wanted;
}

/* Occupies every gap above the multiple of 1 GiB below the lowest library. */
static void fill_above_ceiling(void)
{
	uint64_t lowest = UINT64_MAX;
	uint64_t break_end = (uint64_t)syscall(SYS_brk, 0);
	struct area area;
	read_maps();
	for (const char *at = maps; (at = next_area(at, &area)) != NULL;) {
		if (area.start > break_end + ((uint64_t)1 << 40) && area.start < lowest)
			lowest = area.start;
	}
	shared->ceiling = lowest & ~(((uint64_t)1 << 30) - 1);
	for (uint64_t bytes = (uint64_t)1 << 30; bytes >= 4096;) {
		void *at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (at == MAP_FAILED)
			give_up("the space above the ceiling cannot be occupied");
		if ((uint64_t)at >= shared->ceiling)
			continue;
		(void)munmap(at, bytes);
		bytes /= 2;
	}
}

/* So that every fault that is counted belongs to an operation. */
static void make_resident(void)
{
	struct area area;
	char stack[STACK_BYTES];
	for (size_t i = 0; i < STACK_BYTES; i += 4096)
		((volatile char *)stack)[i] = 1;
	read_maps();
	for (const char *at = maps; (at = next_area(at, &area)) != NULL;) {
		bool heap = area.end == shared->break_start;
		if (area.readable && !heap)
			(void)madvise((void *)area.start, area.end - area.start,
				      area.writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ);
	}
}

/* The recorder wants to see the six memory calls, and getrandom, which makes the key of the tcache. */
static void show_memory_calls(void)
{
#define CALL(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)
	static struct sock_filter filter[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    CALL(SYS_brk),
	    CALL(SYS_mmap),
	    CALL(SYS_munmap),
	    CALL(SYS_mremap),
	    CALL(SYS_madvise),
	    CALL(SYS_mprotect),
	    CALL(SYS_getrandom),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		give_up("seccomp filters are not allowed here");
}

/* ---- threads, in lock-step ---- */

/* turn is the number of the thread that may run; a thread hands it on and waits until it comes back. */
static volatile uint32_t turn;
static volatile uint32_t ended; /* the thread that is to return, 0: none */
static pthread_t threads[NATIVE_MAX_THREADS];
static uint32_t creator[NATIVE_MAX_THREADS];
static _Alignas(16) char stacks[NATIVE_MAX_THREADS][THREAD_STACK_BYTES];

static void give_turn(uint32_t to)
{
	__atomic_store_n(&turn, to, __ATOMIC_SEQ_CST);
	(void)syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, NATIVE_MAX_THREADS, NULL, NULL, 0);
}

static void await_turn(uint32_t self)
{
	for (uint32_t now; (now = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) != self;)
		(void)syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL, NULL, 0);
}

static void run_operations(uint32_t self);

static void run_thread(uint32_t self)
{
	give_turn(creator[self]);
	await_turn(self);
	run_operations(self);
}

/* Operations run on a stack that is resident, so that the thread's own is touched only by the library's start. */
static void run_elsewhere(uint32_t self)
{
	char *top = stacks[self] + THREAD_STACK_BYTES;
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[top], %%rsp\n\t"
			 "call *%[run]\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(self)
			 : [top] "r"(top), [run] "r"(run_thread)
			 : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory");
}

static void *thread_main(void *number)
{
	run_elsewhere((uint32_t)(uintptr_t)number);
	return NULL;
}

static uint64_t create_thread(uint32_t self, uint32_t number)
{
	creator[number] = self;
	turn = number; /* until it has started */
	int failed = pthread_create(&threads[number], NULL, thread_main, (void *)(uintptr_t)number);
	int error_number = errno;
	if (!failed)
		await_turn(self);
	turn = self;
	errno = error_number;
	return (uint64_t)failed;
}

static uint64_t join_thread(uint32_t self, uint32_t number)
{
	ended = number;
	give_turn(number);
	errno = 0;
	int failed = pthread_join(threads[number], NULL);
	ended = 0;
	turn = self;
	return (uint64_t)failed;
}

/* ---- operations ---- */

static uint64_t minor_faults(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt;
}

static void touch(volatile char *at, uint64_t length, bool writes)
{
	volatile char *end = at + length;
	if (length == 0)
		return;
	for (volatile char *byte = at; byte < end;
	     byte = (volatile char *)(((uintptr_t)byte + 4096) & ~(uintptr_t)4095)) {
		if (writes)
			*byte = 1;
		else
			(void)*byte;
	}
}

/* madvise and mprotect of the whole pages inside a range. */
static uint64_t whole_pages(char letter, char *at, uint64_t length, uint64_t prot)
{
	uintptr_t start = ((uintptr_t)at + 4095) & ~(uintptr_t)4095;
	uintptr_t end = ((uintptr_t)at + length) & ~(uintptr_t)4095;
	if (end <= start)
		return 0;
	if (letter == 'D')
		return (uint64_t)madvise((void *)start, end - start, MADV_DONTNEED);
	return (uint64_t)mprotect((void *)start, end - start, (int)prot);
}

static uint64_t perform(const struct native_op *op, uint32_t self)
{
	void **p = native_pointers(shared);
	const uint64_t *a = op->arg;
	switch (op->letter) {
	case 'm':
		return (uint64_t)(p[a[0]] = malloc(a[1]));
	case 'c':
		return (uint64_t)(p[a[0]] = calloc(a[1], a[2]));
	case 'r':
		return (uint64_t)(p[a[1]] = realloc(p[a[0]], a[2]));
	case 'a':
		return (uint64_t)(p[a[0]] = memalign(a[1], a[2]));
	case 'f':
		free(p[a[0]]);
		return 0;
	case 't':
	case 'l':
		touch((char *)p[a[0]] + a[1], a[2], op->letter == 't');
		return 0;
	case 'w':
		*(volatile uint64_t *)((char *)p[a[0]] + a[1]) = a[2];
		return 0;
	case 'B':
		return (uint64_t)sbrk((intptr_t)a[0]);
	case 'M':
		p[a[0]] = mmap(NULL, a[1], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		return (uint64_t)p[a[0]];
	case 'U':
		return (uint64_t)munmap((char *)p[a[0]] + a[1], a[2]);
	case 'D':
	case 'P':
		return whole_pages(op->letter, (char *)p[a[0]] + a[1], a[2], a[3]);
	case 'T':
		return (uint64_t)malloc_trim(a[0]);
	case 'O':
		return (uint64_t)mallopt((int)a[0], (int)a[1]);
	case 'C':
		return create_thread(self, (uint32_t)a[0]);
	case 'J':
		return join_thread(self, (uint32_t)a[0]);
	default:
		give_up("an operation that is none");
	}
}

/* A word of memory that may be missing or forbidden; looking brings no page. */
static bool look(uint64_t address, uint64_t *word)
{
	unsigned char resident = 0;
	const struct iovec here = {word, sizeof(*word)};
	const struct iovec there = {(void *)address, sizeof(*word)};
	return mincore((void *)(address & ~(uint64_t)4095), 1, &resident) == 0 && (resident & 1) &&
	       syscall(SYS_process_vm_readv, syscall(SYS_getpid), &here, 1, &there, 1, 0) == sizeof(*word);
}

/* A ruined size leads malloc_usable_size anywhere, and that is no operation of the list: it is called only if what it
 * will read is there. */
static uint64_t usable_size(uint64_t block)
{
	uint64_t word;
	uint64_t next;
	bool readable = look(block - 8, &word) && ((word & 2) || look(block - 8 + (word & ~(uint64_t)7), &next));
	return readable ? malloc_usable_size((void *)block) : 0;
}

static void run_one(uint32_t number, uint32_t self)
{
	const struct native_op *op = &native_ops(shared)[number];
	struct native_result *result = &native_results(shared)[number];
	shared->current = number;
	uint64_t before = minor_faults();
	errno = 0;
	result->value = perform(op, self);
	result->error_number = errno;
	result->faults = minor_faults() - before;
	result->has_usable = op->letter == 'm' || op->letter == 'c' || op->letter == 'r' || op->letter == 'a';
	if (result->has_usable && result->value)
		result->usable = usable_size(result->value);
}

/* Runs those of this thread as their turn comes; returns behind the last, or when the thread is to end. */
static void run_operations(uint32_t self)
{
	for (;;) {
		uint32_t next = shared->current + 1;
		if (ended == self && self != 0)
			return;
		if (next == shared->op_count) {
			if (self == 0)
				return;
			give_turn(0);
			await_turn(self);
			continue;
		}
		uint32_t whose = native_ops(shared)[next].thread;
		if (whose == self) {
			run_one(next, self);
		} else {
			give_turn(whose);
			await_turn(self);
		}
	}
}

static uint64_t now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* One thread, and nothing but the operations. */
static void run_timed(void)
{
	const struct native_op *ops = native_ops(shared);
	uint64_t start = now();
	for (uint32_t i = 0; i < shared->op_count; i++)
		(void)perform(&ops[i], 0);
	shared->nanoseconds = now() - start;
}

int main(void)
{
	struct native_shared *head = mmap(NULL, 4096, PROT_READ, MAP_SHARED, NATIVE_FD, 0);
	if (head == MAP_FAILED)
		give_up("start this by libc_native");
	uint64_t bytes = head->bytes;
	(void)munmap(head, 4096);
	shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, NATIVE_FD, 0);
	if (shared == MAP_FAILED)
		give_up("the operations cannot be mapped");
	place_break();
	fill_above_ceiling();
	make_resident();
	shared->current = UINT32_MAX;
	if (shared->timed) {
		run_timed();
		_exit(0);
	}
	show_memory_calls();
	run_operations(0);
	shared->current = shared->op_count;
	shared->break_end = (uint64_t)syscall(SYS_brk, 0);
	shared->mallinfo = mallinfo2();
	malloc_stats();
	(void)malloc_info(0, stderr);
	_exit(0);
}
