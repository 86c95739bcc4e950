/* Processes that run points: a bug in one world, which ends its process, ends neither the study nor the other worlds.
 * Each is a copy of this process made by fork(2), so it has the documents without reading them again; it is given
 * positions over a socket, one or two at a time, and answers with lines for the journal. */
#ifndef FAULTLINE_STUDY_WORKER_H
#define FAULTLINE_STUDY_WORKER_H

#include <sys/types.h>

#include "study_private.h"

enum { WORKER_QUEUE = 2 };

/* pid 0: there is none. */
struct worker {
	pid_t pid;
	int socket;
	uint64_t queue[WORKER_QUEUE]; /* positions that it was given; the first is the one that it runs */
	unsigned queued;
	uint64_t since_ns; /* when it began with it */
	bool quick;        /* its last point took less time than a tick */
	char *text;        /* what it has answered so far */
	size_t got, room;
};

struct worker_crew {
	const struct study *study;
	enum stat best;
	int journal; /* descriptor, which workers must not hold: it is locked */
	struct worker *workers;
	unsigned count;
};

/* What a point came to. The text lives until the worker is listened to again. */
struct worker_answer {
	uint64_t position;
	struct error error; /* status HOST: there is no line */
	uint64_t best;
	const char *line;
	size_t length;
};

enum worker_news { WORKER_SILENT, WORKER_ANSWERED, WORKER_GONE };

/* HOST: no process can be made. */
enum status worker_start(struct worker_crew *crew, unsigned index, struct error *error);
/* False: it has gone. */
bool worker_give(struct worker *worker, uint64_t position, uint64_t now_ns);
/* Call it when the socket has something to say, and again until it is silent. After an answer the next position of
 * the queue is the one that it runs. */
enum worker_news worker_listen(struct worker *worker, struct worker_answer *out, uint64_t now_ns, uint64_t tick_ns);
/* Of one that has gone: what became of the point that it ran. BUG: it was a bug of ours; HOST: something from outside.
 */
enum status worker_bury(struct worker *worker, struct error *why);
/* Ends one that has nothing to do. */
void worker_end(struct worker *worker);

#endif
