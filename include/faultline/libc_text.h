/* The C library's code in simulated memory: an entry for each of its functions, and a stub for each system call. A stub
 * is the code that enters the kernel; a function's entry is where RIP stands while the function's native body runs, and
 * where machine code may call it: the body takes its arguments as the ABI has them, and the RET behind it is real. */
#ifndef FAULTLINE_LIBC_TEXT_H
#define FAULTLINE_LIBC_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "faultline/arena.h"
#include "faultline/syscall.h"

/* X(ID, name, body): the body is of a heap with arguments a and b. */
#define LIBC_FUNCTION_LIST(X)                                                                                          \
	X(MALLOC, malloc, heap_malloc(heap, a))                                                                        \
	X(CALLOC, calloc, heap_calloc(heap, a, b))                                                                     \
	X(REALLOC, realloc, heap_realloc(heap, a, b))                                                                  \
	X(FREE, free, (heap_free(heap, a), (uint64_t)0))                                                               \
	X(ALIGNED_ALLOC, aligned_alloc, heap_aligned_alloc(heap, a, b))                                                \
	X(MALLOC_USABLE_SIZE, malloc_usable_size, heap_usable_size(heap, a))                                           \
	X(MALLOC_TRIM, malloc_trim, (uint64_t)heap_trim(heap, a))                                                      \
	X(MALLOPT, mallopt, (uint64_t)heap_mallopt(heap, (int)a, (int)b))

enum libc_function {
#define X(id, name, body) LIBC_FUNCTION_##id,
	LIBC_FUNCTION_LIST(X)
#undef X
	    LIBC_FUNCTION_COUNT
};

/* From the start of the libc's text. An entry is ENDBR, then RET; a stub is MOV EAX, the entry into the kernel, RET. */
enum { LIBC_ENTRY_BYTES = 16, LIBC_STUBS = 0x400, LIBC_RET_OFFSET = 4, LIBC_STUB_RETURN_OFFSET = 7 };

static inline uint64_t libc_entry_offset(enum libc_function function)
{
	return (uint64_t)function * LIBC_ENTRY_BYTES;
}

static inline uint64_t libc_stub_offset(enum syscall_index index)
{
	return LIBC_STUBS + (uint64_t)index * LIBC_ENTRY_BYTES;
}

/* The image of the text for code of 64 or of 32 bits. Returns its bytes. */
uint64_t libc_text_build(struct arena *arena, bool wide, const uint8_t **out);

#endif
