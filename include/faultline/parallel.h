/* Independent pieces of work on several threads. */
#ifndef FAULTLINE_PARALLEL_H
#define FAULTLINE_PARALLEL_H

/* Does piece `index`. */
typedef void parallel_fn(void *self, unsigned index);

/* Calls fn once for each index below count, up to `jobs` at a time, and returns when all have returned. Where the host
 * gives fewer threads, fewer work. */
void parallel_do(unsigned count, unsigned jobs, parallel_fn *fn, void *self);
/* As many jobs as the host has processors. */
unsigned parallel_jobs(void);

#endif
