/* The caller's thread works too; pieces are taken in order. */
#include "faultline/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS_MOST = 1024 };

struct work {
	parallel_fn *fn;
	void *self;
	unsigned count;
	atomic_uint next;
};

static void *do_pieces(void *argument)
{
	struct work *work = argument;
	for (unsigned index = atomic_fetch_add(&work->next, 1); index < work->count;
	     index = atomic_fetch_add(&work->next, 1))
		work->fn(work->self, index);
	return NULL;
}

void parallel_do(unsigned count, unsigned jobs, parallel_fn *fn, void *self)
{
	struct work work = {.fn = fn, .self = self, .count = count};
	pthread_t threads[THREADS_MOST];
	unsigned started = 0;
	while (started + 1 < jobs && started + 1 < count && started < THREADS_MOST &&
	       pthread_create(&threads[started], NULL, do_pieces, &work) == 0)
		started++;
	(void)do_pieces(&work);
	while (started > 0)
		(void)pthread_join(threads[--started], NULL);
}

unsigned parallel_jobs(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	return processors > 0 ? (unsigned)processors : 1;
}
