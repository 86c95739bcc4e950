/* pthread_create and pthread_join, as far as memory notices them (nptl/allocatestack.c, nptl/pthread_create.c). A stack
 * is a mapping of RLIMIT_STACK with a guard page below; the thread's descriptor and its thread-local variables lie at
 *its top. Ended threads leave their stacks in a cache for the next ones.
 *
 *	stack ->  guard page | ... <- RSP | static TLS | struct pthread */
#include "faultline/heap.h"
#include "faultline/status.h"
#include "faultline/syscall.h"
#include "faultline/units.h"

/* Default of __default_pthread_attr: RLIMIT_STACK; its guard is one page. */
#define STACK_BYTES (8 * MIB + PAGE_BYTES)
/* stack_cache_maxsize */
#define CACHE_BYTES (40 * MIB)
/* PTHREAD_STACK_MIN: so much stays when a thread ends. */
#define KEPT_BYTES (16 * KIB)
/* struct pthread, and the room for static TLS in front of it, of which the libc has the end. */
#define DESCRIPTOR_BYTES 0x900u
#define LIBC_TLS_BYTES 0x80u
#define STATIC_TLS_BYTES 0x1000u
/* The vector of pointers to the TLS of each module: 16 entries behind a head of one, made by calloc. */
#define DTV_ENTRIES 17u
#define DTV_ENTRY_BYTES 16u
/* In the descriptor: where its vector is. */
#define DESCRIPTOR_DTV 8u

static uint64_t descriptor_of(const struct heap_thread *thread)
{
	return thread->stack + STACK_BYTES - DESCRIPTOR_BYTES;
}

static int64_t call(struct heap *heap, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[6] = {a0, a1, a2, a3, number == SYS_NR_MMAP ? UINT64_MAX : 0, 0};
	return user_syscall(heap->user, number, args);
}

/* ---- stacks ---- */

/* Blocks of thread-local variables that were allocated late; the second word of an entry is what is to be freed. */
static void free_blocks_of(struct heap *heap, uint64_t dtv)
{
	uint64_t count = user_load64(heap->user, dtv);
	for (uint64_t i = 2; i < count + 2; i++) {
		uint64_t block = user_load64(heap->user, dtv + i * DTV_ENTRY_BYTES + sizeof(uint64_t));
		if (block)
			heap->ops->free(heap, block);
	}
}

/* get_cached_stack: the last one that came back. Its vector of TLS pointers is cleared. */
static bool take_cached(struct heap *heap, struct heap_thread *thread)
{
	struct heap_threads *threads = heap->threads;
	if (threads->cached_count == 0)
		return false;
	thread->stack = threads->cached[--threads->cached_count];
	uint64_t dtv = user_load64(heap->user, descriptor_of(thread) + DESCRIPTOR_DTV);
	free_blocks_of(heap, dtv);
	user_fill(heap->user, dtv + DTV_ENTRY_BYTES, 0, (user_load64(heap->user, dtv) + 1) * DTV_ENTRY_BYTES);
	return true;
}

/* allocate_stack */
static bool make_stack(struct heap *heap, struct heap_thread *thread)
{
	int64_t at = call(heap, SYS_NR_MMAP, 0, STACK_BYTES, 0,
			  LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_STACK);
	if (at < 0 && at >= -4095)
		return false;
	thread->stack = (uint64_t)at;
	if (call(heap, SYS_NR_MPROTECT, thread->stack + PAGE_BYTES, STACK_BYTES - PAGE_BYTES,
		 LINUX_PROT_READ | LINUX_PROT_WRITE, 0) != 0) {
		(void)call(heap, SYS_NR_MUNMAP, thread->stack, STACK_BYTES, 0, 0);
		return false;
	}
	uint64_t dtv = heap->ops->calloc(heap, DTV_ENTRIES, DTV_ENTRY_BYTES);
	if (dtv == 0) {
		(void)call(heap, SYS_NR_MUNMAP, thread->stack, STACK_BYTES, 0, 0);
		return false;
	}
	user_store64(heap->user, dtv, DTV_ENTRIES - 2);
	user_store64(heap->user, descriptor_of(thread) + DESCRIPTOR_DTV, dtv);
	return true;
}

/* __nptl_free_stacks: the oldest go until the cache is small enough. */
static void shrink_cache(struct heap *heap)
{
	struct heap_threads *threads = heap->threads;
	while (threads->cached_count * STACK_BYTES > CACHE_BYTES) {
		struct heap_thread oldest = {.stack = threads->cached[0]};
		for (unsigned i = 1; i < threads->cached_count; i++)
			threads->cached[i - 1] = threads->cached[i];
		threads->cached_count--;
		uint64_t dtv = user_load64(heap->user, descriptor_of(&oldest) + DESCRIPTOR_DTV);
		free_blocks_of(heap, dtv);
		heap->ops->free(heap, dtv);
		(void)call(heap, SYS_NR_MUNMAP, oldest.stack, STACK_BYTES, 0, 0);
	}
}

/* ---- threads ---- */

static void make_table(struct heap *heap)
{
	struct heap_threads *threads = arena_new_object(heap->arena, struct heap_threads);
	threads->thread[0] = (struct heap_thread){.alive = true, .tls = heap->thread_va};
	heap->threads = threads;
}

bool heap_thread_is_alive(const struct heap *heap, uint64_t number)
{
	if (!heap->threads)
		return number == 0;
	return number < HEAP_MAX_THREADS && heap->threads->thread[number].alive;
}

void heap_thread_switch(struct heap *heap, uint64_t number)
{
	if (number == heap->thread)
		return;
	BUG_ON(!heap_thread_is_alive(heap, number));
	struct heap_threads *threads = heap->threads;
	threads->thread[heap->thread].rsp = user_switch_stack(heap->user, threads->thread[number].rsp);
	heap->thread = (unsigned)number;
	heap->thread_va = threads->thread[number].tls;
}

/* The new thread's first steps: its descriptor was written by its maker, it writes the first frame of its stack. */
static void start(struct heap *heap, struct heap_thread *thread)
{
	uint64_t descriptor = descriptor_of(thread);
	thread->alive = true;
	thread->tls = descriptor - LIBC_TLS_BYTES;
	thread->rsp = descriptor - STATIC_TLS_BYTES;
	user_fill(heap->user, thread->tls, 0, LIBC_TLS_BYTES);
	user_store64(heap->user, descriptor, descriptor);
	user_store64(heap->user, thread->rsp, 0);
}

int heap_thread_create(struct heap *heap, uint64_t number)
{
	emit(heap->bus, EVENT_LIBC_CALL, event_text("pthread_create"), number, 0);
	if (!heap->threads)
		make_table(heap);
	BUG_ON(number >= HEAP_MAX_THREADS || heap->threads->thread[number].alive);
	struct heap_thread *thread = &heap->threads->thread[number];
	int result = HEAP_EAGAIN;
	/* From here on the library locks, and looks for arenas: SINGLE_THREAD_P is over. */
	heap->threaded = true;
	if (take_cached(heap, thread) || make_stack(heap, thread)) {
		start(heap, thread);
		result = 0;
	}
	emit(heap->bus, EVENT_LIBC_RETURN, event_text("pthread_create"), (uint64_t)result);
	return result;
}

/* The thread returns from its function: what it has in the libc is given back, then the unused part of its stack; its
 * maker takes the stack into the cache. */
void heap_thread_join(struct heap *heap, uint64_t number)
{
	emit(heap->bus, EVENT_LIBC_CALL, event_text("pthread_join"), number, 0);
	BUG_ON(number == 0 || number == heap->thread || !heap_thread_is_alive(heap, number));
	struct heap_threads *threads = heap->threads;
	struct heap_thread *thread = &threads->thread[number];
	unsigned joiner = heap->thread;
	heap_thread_switch(heap, number);
	if (heap->ops->thread_exit)
		heap->ops->thread_exit(heap);
	uint64_t unused = page_floor(thread->rsp - thread->stack) - KEPT_BYTES;
	(void)call(heap, SYS_NR_MADVISE, thread->stack, unused, LINUX_MADV_DONTNEED, 0);
	heap_thread_switch(heap, joiner);
	thread->alive = false;
	threads->cached[threads->cached_count++] = thread->stack;
	shrink_cache(heap);
	emit(heap->bus, EVENT_LIBC_RETURN, event_text("pthread_join"), 0);
}
