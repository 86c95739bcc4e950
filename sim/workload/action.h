/* What the files of actions share. */
#ifndef FAULTLINE_WORKLOAD_ACTION_H
#define FAULTLINE_WORKLOAD_ACTION_H

#include "world_private.h"

typedef uint64_t action_fn(struct runner *runner, const struct op *op);

/* Gives the variable its address. */
void runner_assign(struct runner *runner, uint32_t slot, uint64_t address);
/* As the C library's wrappers: -1 and errno for an error. */
uint64_t runner_syscall(struct runner *runner, uint64_t number, const uint64_t args[6]);

/* False: nothing has been assigned to it yet (the world has failed). */
bool runner_variable(struct runner *runner, uint32_t slot, uint64_t *out);

action_fn do_malloc, do_calloc, do_realloc, do_free, do_aligned_alloc, do_reallocarray, do_posix_memalign, do_valloc,
    do_pvalloc, do_pthread_create, do_pthread_join, do_malloc_trim, do_mallopt, do_usable_size, do_sbrk;
action_fn do_open, do_close, do_read_fd, do_write_fd, do_pread, do_pwrite, do_lseek, do_ftruncate, do_fsync;
action_fn do_fork, do_vfork, do_exec, do_wait;
/* Writes a text, a local variable of the program, some way below its stack pointer. Returns its address. */
uint64_t runner_push_text(struct runner *runner, const char *text);
action_fn do_instruction, do_code;
action_fn do_brk, do_mmap, do_munmap, do_mremap, do_mprotect, do_madvise, do_mlock, do_munlock, do_mlockall,
    do_munlockall, do_mincore, do_msync, do_setrlimit;

#endif
