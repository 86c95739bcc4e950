/* Runs the points in worker processes. This one hands out positions in order, keeps the rows in the journal, makes them
 * durable and tells how far it has come. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"
#include "result_file.h"
#include "results.h"
#include "worker.h"

enum { STUDY_MAX_JOBS = 1024, TICK_NS = 100000000 };

struct crew {
	const struct study *study;
	const struct study_request *request;
	struct journal journal;
	struct worker_crew processes;

	uint64_t next;       /* position that nobody was given yet */
	uint64_t *again;     /* positions that were taken from a worker that has gone, */
	unsigned again_many; /* at most one a worker */
	bool stop;
	struct study_progress progress;
	struct error error; /* the first failure of the host */
};

/* For ticks alone: nothing that is kept depends on it. */
static uint64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- what came of a point ---- */

static void note_failure(struct crew *crew, const struct error *error)
{
	if (crew->error.status == STATUS_OK)
		crew->error = *error;
}

static void note_row(struct crew *crew, const struct worker_answer *answer)
{
	struct study_progress *progress = &crew->progress;
	if (answer->error.status != STATUS_OK) {
		progress->failed++;
	} else if (!progress->has_best || answer->best < progress->best_value) {
		progress->has_best = true;
		progress->best_value = answer->best;
		progress->best_position = answer->position;
	}
}

/* A point that the host could not run is no result: the next --resume tries it again. */
static void keep(struct crew *crew, const struct worker_answer *answer)
{
	struct error error = {0};
	if (answer->error.status == STATUS_HOST) {
		note_failure(crew, &answer->error);
	} else if (journal_append(&crew->journal, answer->position, answer->line, answer->length, &error) !=
		   STATUS_OK) {
		note_failure(crew, &error);
		crew->stop = true;
	} else {
		note_row(crew, answer);
	}
}

/* The row of a point whose worker has not survived it. */
static void keep_bug(struct crew *crew, uint64_t position, const struct error *why)
{
	struct study_row row = {.position = position, .number = study_point_number(crew->study, position)};
	struct worker_answer answer = {.position = position, .error = *why};
	char *line = NULL;
	FILE *memory = open_memstream(&line, &answer.length);
	BUG_ON(!memory);
	row.status = why->status;
	row.why = *why;
	row.digest = study_point_digest(crew->study, position);
	study_row_write(memory, &row);
	BUG_ON(fclose(memory) != 0);
	answer.line = line;
	keep(crew, &answer);
	free(line);
}

/* The point that it ran is lost, the one behind it is given to another. */
static void bury(struct crew *crew, unsigned index)
{
	struct worker *worker = &crew->processes.workers[index];
	struct error why = {0};
	uint64_t ran = worker->queue[0];
	bool had_any = worker->queued > 0;
	if (worker->queued > 1)
		crew->again[crew->again_many++] = worker->queue[1];
	if (worker_bury(worker, &why) == STATUS_BUG && had_any)
		keep_bug(crew, ran, &why);
	else
		note_failure(crew, &why);
	if (!crew->stop && worker_start(&crew->processes, index, &why) != STATUS_OK)
		note_failure(crew, &why);
}

/* ---- handing out ---- */

static bool take_position(struct crew *crew, uint64_t *position)
{
	if (crew->stop)
		return false;
	if (crew->again_many > 0) {
		*position = crew->again[--crew->again_many];
		return true;
	}
	while (crew->next < crew->study->count && journal_has(&crew->journal, crew->next))
		crew->next++;
	if (crew->next == crew->study->count)
		return false;
	*position = crew->next++;
	return true;
}

/* One of whose points takes less than a tick has the next one at hand, or it would wait while the journal is synced. */
static void feed(struct crew *crew, unsigned index)
{
	struct worker *worker = &crew->processes.workers[index];
	uint64_t position;
	unsigned wanted = worker->quick ? WORKER_QUEUE : 1;
	while (worker->pid != 0 && worker->queued < wanted && take_position(crew, &position)) {
		/* What one that has gone was given is found when it is listened to. */
		if (!worker_give(worker, position, now_ns()))
			return;
	}
}

static void listen_to(struct crew *crew, unsigned index)
{
	struct worker *worker = &crew->processes.workers[index];
	struct worker_answer answer;
	enum worker_news news;
	while ((news = worker_listen(worker, &answer, now_ns(), TICK_NS)) == WORKER_ANSWERED) {
		feed(crew, index);
		keep(crew, &answer);
	}
	if (news == WORKER_GONE)
		bury(crew, index);
	feed(crew, index);
}

/* ---- watching ---- */

/* Whoever is told that a point is done may pull the plug. */
static void make_durable(struct crew *crew)
{
	struct error error = {0};
	uint64_t written = crew->journal.done;
	if (crew->progress.done == written)
		return;
	if (journal_sync(&crew->journal, &error) == STATUS_OK) {
		crew->progress.done = written;
	} else {
		note_failure(crew, &error);
		crew->stop = true;
	}
}

static void tick(struct crew *crew)
{
	const struct study_request *request = crew->request;
	make_durable(crew);
	if (request->progress && !request->progress(request->self, &crew->progress))
		crew->stop = true;
}

/* Those that run a point. Returns how many. */
static unsigned who_is_busy(const struct crew *crew, struct pollfd *polls, unsigned *indices)
{
	unsigned busy = 0;
	for (unsigned i = 0; i < crew->processes.count; i++) {
		const struct worker *worker = &crew->processes.workers[i];
		if (worker->pid == 0 || worker->queued == 0)
			continue;
		polls[busy] = (struct pollfd){.fd = worker->socket, .events = POLLIN};
		indices[busy++] = i;
	}
	return busy;
}

static void watch(struct crew *crew)
{
	struct pollfd polls[STUDY_MAX_JOBS];
	unsigned indices[STUDY_MAX_JOBS];
	uint64_t due = now_ns() + TICK_NS;
	unsigned busy;
	for (unsigned i = 0; i < crew->processes.count; i++)
		feed(crew, i);
	while ((busy = who_is_busy(crew, polls, indices)) > 0) {
		uint64_t now = now_ns();
		int wait_ms = now < due ? (int)((due - now) / 1000000) + 1 : 0;
		int ready = poll(polls, busy, wait_ms);
		for (unsigned i = 0; ready > 0 && i < busy; i++) {
			if (polls[i].revents)
				listen_to(crew, indices[i]);
		}
		if (now_ns() < due)
			continue;
		tick(crew);
		due = now_ns() + TICK_NS;
	}
	tick(crew);
}

static unsigned worker_count(const struct crew *crew)
{
	uint64_t left = crew->study->count - crew->journal.done;
	uint64_t jobs = crew->request->jobs < STUDY_MAX_JOBS ? crew->request->jobs : STUDY_MAX_JOBS;
	return (unsigned)(left < jobs ? left : jobs);
}

/* Fewer processes than wanted are fewer; none at all is a failure of the host. */
static void run_workers(struct crew *crew)
{
	struct worker_crew *processes = &crew->processes;
	struct error error = {0};
	unsigned wanted = worker_count(crew);
	*processes = (struct worker_crew){
	    .study = crew->study, .best = crew->request->best, .journal = crew->journal.fd};
	processes->workers = calloc(wanted + 1, sizeof(*processes->workers));
	crew->again = calloc(wanted + 1, sizeof(*crew->again));
	BUG_ON(!processes->workers || !crew->again);
	while (processes->count < wanted && worker_start(processes, processes->count, &error) == STATUS_OK)
		processes->count++;
	if (processes->count == 0 && wanted > 0)
		note_failure(crew, &error);
	watch(crew);
	for (unsigned i = 0; i < processes->count; i++)
		worker_end(&processes->workers[i]);
	free(processes->workers);
	free(crew->again);
}

/* ---- a study ---- */

static enum status run_open(struct crew *crew, struct study_summary *summary, struct error *error)
{
	const struct study *study = crew->study;
	const char *folder = crew->request->folder;
	if (results_describe(study, folder, error) != STATUS_OK || journal_sync(&crew->journal, error) != STATUS_OK)
		return error->status;
	result_folder_sync(folder);
	crew->progress.points = study->count;
	crew->progress.done = crew->progress.before = crew->journal.done;
	run_workers(crew);
	summary->done = crew->progress.done;
	if (crew->error.status != STATUS_OK) {
		*error = crew->error;
		return error->status;
	}
	if (summary->done < study->count) {
		summary->failed = crew->progress.failed;
		return STATUS_OK;
	}
	enum status status = results_write(&crew->journal, folder, summary, error);
	summary->complete = status == STATUS_OK;
	return status;
}

enum status study_run(const struct study *study, const struct study_request *request, struct study_summary *summary,
		      struct error *error)
{
	struct crew crew = {.study = study, .request = request, .journal.fd = -1};
	*summary = (struct study_summary){.points = study->count};
	if (result_folder_make(request->folder, error) != STATUS_OK)
		return error->status;
	enum status status = journal_open(&crew.journal, study, request->folder, request->resume, error);
	if (status == STATUS_OK)
		status = run_open(&crew, summary, error);
	journal_close(&crew.journal);
	return status;
}
