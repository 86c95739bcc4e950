/* The C library's memory allocators, by name. An allocator keeps all of its metadata in simulated memory and reaches it
 * only through user.h, so it faults, hits the TLB and crosses into the kernel as a real one does. */
#ifndef FAULTLINE_HEAP_H
#define FAULTLINE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/user.h"

/* errno values that the libc sets. */
enum { HEAP_EINVAL = 22, HEAP_ENOMEM = 12, HEAP_EAGAIN = 11 };

/* What the libc itself counts about one process's heap. live = allocated - freed at any time. */
struct heap_stats {
	uint64_t mallocs; /* successful malloc, calloc, realloc-as-malloc, aligned_alloc */
	uint64_t frees;
	uint64_t reallocs;
	uint64_t failures;        /* calls that returned NULL with ENOMEM or EINVAL */
	uint64_t live_blocks;     /* blocks handed out and not yet freed */
	uint64_t live_bytes;      /* their usable bytes */
	uint64_t peak_live_bytes; /* highest live_bytes so far */
	uint64_t requested_bytes; /* sum of all requests */
	uint64_t searched;        /* free chunks looked at */
	uint64_t splits;
	uint64_t coalesces;
};

/* One block as a walk over the heap finds it. */
enum heap_block_state { HEAP_BLOCK_USED, HEAP_BLOCK_FREE, HEAP_BLOCK_CACHED, HEAP_BLOCK_TOP };

struct heap_block {
	uint64_t chunk; /* address of the header */
	uint64_t user;  /* address handed out */
	uint64_t bytes; /* of the whole chunk */
	enum heap_block_state state;
	const char *where; /* the list that holds it, "" if none */
};

typedef void heap_block_fn(void *self, const struct heap_block *block);

/* struct mallinfo2 of malloc.h, in its order. */
#define HEAP_MALLINFO_LIST(X)                                                                                          \
	X(arena, "bytes of heap from the kernel, without mapped blocks")                                               \
	X(ordblks, "free chunks, with the top")                                                                        \
	X(smblks, "chunks in fastbins")                                                                                \
	X(hblks, "mapped blocks")                                                                                      \
	X(hblkhd, "bytes in mapped blocks")                                                                            \
	X(usmblks, "always 0")                                                                                         \
	X(fsmblks, "bytes in fastbins")                                                                                \
	X(uordblks, "bytes in use, tcache included")                                                                   \
	X(fordblks, "bytes in free chunks, with the top")                                                              \
	X(keepcost, "bytes in the top")

struct heap_mallinfo {
#define X(field, text) uint64_t field;
	HEAP_MALLINFO_LIST(X)
#undef X
};

/* What can be seen of a heap. X(ID, "name", "text") */
#define HEAP_VIEW_LIST(X)                                                                                              \
	X(MALLOC_STATS, "malloc_stats", "as malloc_stats(3) prints it")                                                \
	X(MALLOC_INFO, "malloc_info", "as malloc_info(3) prints it: XML")                                              \
	X(MALLINFO2, "mallinfo2", "the fields of mallinfo2(3), one a line")                                            \
	X(CHUNKS, "chunks", "every chunk in the order of its address, and the list that holds it")

enum heap_view {
#define X(id, name, text) HEAP_VIEW_##id,
	HEAP_VIEW_LIST(X)
#undef X
	    HEAP_VIEW_COUNT
};

struct heap_view_info {
	const char *name, *text;
};

typedef void heap_write_fn(void *self, const char *text, size_t length);

struct heap;

const struct heap_view_info *heap_view_info(enum heap_view view);
bool heap_view_find(const char *name, enum heap_view *out);
/* Looks without touching. False: the allocator has no such view. */
bool heap_view_print(const struct heap *heap, enum heap_view view, heap_write_fn *write, void *self);

/* One row per allocator. `malloc` and friends return 0 for NULL and set heap->errno_value as the real function would
 * (they leave it alone on success). */
struct heap_ops {
	const char *name;
	const char *summary; /* one line for `faultline list allocators` */
	const char *source;  /* book, paper or version that the model follows */

	/* Where the allocator's static variables live is heap->data_va (.data/.bss of the libc, resident, zero at
	 * start); how many bytes of it are used. */
	uint64_t data_bytes;

	/* Called once, before main, as ld.so would: may write static data, makes no system call. */
	void (*start)(struct heap *heap);

	uint64_t (*malloc)(struct heap *heap, uint64_t bytes);
	uint64_t (*calloc)(struct heap *heap, uint64_t count, uint64_t bytes);
	uint64_t (*realloc)(struct heap *heap, uint64_t block, uint64_t bytes);
	void (*free)(struct heap *heap, uint64_t block);
	uint64_t (*aligned_alloc)(struct heap *heap, uint64_t alignment, uint64_t bytes);
	uint64_t (*usable_size)(struct heap *heap, uint64_t block);
	int (*trim)(struct heap *heap, uint64_t pad);
	int (*mallopt)(struct heap *heap, int param, int value); /* NULL: always 0 */
	/* GLIBC_TUNABLES "glibc.malloc.NAME": kept in heap->tunings until start reads it. False: unknown name. NULL:
	 * none known. */
	bool (*tunable)(struct heap *heap, const char *name, uint64_t value);

	/* Walks the heap by peeking, lowest address first. False with a reason in *why when a structure is broken:
	 * the invariant checker calls it after every operation. */
	bool (*walk)(const struct heap *heap, heap_block_fn *visit, void *self, const char **why);

	/* What the libc does when the calling thread ends. NULL: nothing. */
	void (*thread_exit)(struct heap *heap);

	/* By peeking: mallinfo2(3), the texts of malloc_stats(3) and malloc_info(3). NULL: the allocator has no such
	 * function. */
	void (*mallinfo)(const struct heap *heap, struct heap_mallinfo *out);
	void (*print_stats)(const struct heap *heap, heap_write_fn *write, void *self);
	void (*print_info)(const struct heap *heap, heap_write_fn *write, void *self);
};

/* Invariant: ops, user, bus and data_va never change after heap_new. */
enum { HEAP_MAX_TUNINGS = 16 };

/* Threads of the process, 0 is the main one. They run in the order in which the script says so, one at a time; what the
 * library keeps of them, and the stacks that ended ones have left, the newest last. */
enum { HEAP_MAX_THREADS = 1024 };

struct heap_thread {
	bool alive;
	uint64_t stack; /* start of its mapping; 0: the main thread's */
	uint64_t tls;   /* the libc's own variables of the thread */
	uint64_t rsp;   /* while it does not run */
};

struct heap_threads {
	struct heap_thread thread[HEAP_MAX_THREADS];
	uint64_t cached[HEAP_MAX_THREADS];
	unsigned cached_count;
};

struct heap {
	const struct heap_ops *ops;
	struct user *user;
	struct bus *bus; /* the user's */
	uint64_t data_va;
	uint64_t thread_va;           /* the libc's own variables of the thread that runs */
	uint64_t av;                  /* glibc: the arena that the call in progress works in; 0: none */
	bool threaded;                /* a second thread has been made */
	unsigned thread;              /* the one that runs */
	struct heap_threads *threads; /* NULL until then */
	struct arena *arena;
	uint64_t cores;  /* what get_nprocs() says */
	int errno_value; /* the program's errno */
	struct heap_stats stats;
	/* The program's environment, as far as it is about the allocator: rows of its own table and their values. */
	struct {
		unsigned row;
		uint64_t value;
	} tunings[HEAP_MAX_TUNINGS];
	unsigned tuning_count;
	uint64_t caller;      /* RIP of the program while one of the libc's functions runs */
	bool inside;          /* there is one to go back to */
	uint64_t known_break; /* the libc's own idea of the break; 0: not yet asked */
	/* Set by ops, so that counting needs no access of its own: usable bytes of the block that malloc, calloc,
	 * realloc or aligned_alloc has just handed out, and of the one that free or realloc has just taken back. */
	uint64_t last_usable, last_freed;
};

/* All allocators, NULL-terminated, in the order in which they are listed. */
extern const struct heap_ops *const heap_registry[];
const struct heap_ops *heap_find(const char *name); /* NULL: no such allocator */

struct heap *heap_new(struct arena *arena, const struct heap_ops *ops, struct user *user, uint64_t data_va);

/* Machine code of the process, too, may call the functions, at the entries of the libc's text (libc_text.h). */
void user_serve_calls(struct arena *arena, struct kernel *kernel, struct process *process, struct heap *heap);

/* The calls of the program. They publish LIBC_CALL and LIBC_RETURN and keep heap->stats. */
uint64_t heap_malloc(struct heap *heap, uint64_t bytes);
uint64_t heap_calloc(struct heap *heap, uint64_t count, uint64_t bytes);
uint64_t heap_realloc(struct heap *heap, uint64_t block, uint64_t bytes);
void heap_free(struct heap *heap, uint64_t block);
uint64_t heap_aligned_alloc(struct heap *heap, uint64_t alignment, uint64_t bytes);
uint64_t heap_usable_size(struct heap *heap, uint64_t block);
int heap_trim(struct heap *heap, uint64_t pad);
int heap_mallopt(struct heap *heap, int param, int value);

/* reallocarray(3), posix_memalign(3) with the result in *out, valloc(3), pvalloc(3). */
uint64_t heap_reallocarray(struct heap *heap, uint64_t block, uint64_t count, uint64_t bytes);
int heap_posix_memalign(struct heap *heap, uint64_t *out, uint64_t alignment, uint64_t bytes);
uint64_t heap_valloc(struct heap *heap, uint64_t bytes);
uint64_t heap_pvalloc(struct heap *heap, uint64_t bytes);

/* Threads: made by the one that runs, under a number that no living thread has; 0, or EAGAIN. Which one runs next. The
 * end of another one. */
bool heap_thread_is_alive(const struct heap *heap, uint64_t number);
int heap_thread_create(struct heap *heap, uint64_t number);
void heap_thread_switch(struct heap *heap, uint64_t number);
void heap_thread_join(struct heap *heap, uint64_t number);

/* sbrk(3) on top of brk(2), as glibc has it: the first call asks the kernel for the break (sbrk(0) later does not).
 * Returns the old break, or UINT64_MAX with errno ENOMEM. */
uint64_t heap_sbrk(struct heap *heap, int64_t increment);

#endif
