/* Runs the points on threads. Workers take positions in order, run their worlds and append rows; the caller's thread
 * makes them durable and tells how far it has come. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"
#include "result_file.h"
#include "results.h"

enum { STUDY_MAX_JOBS = 1024, TICK_NS = 100000000 };

struct crew {
	const struct study *study;
	const struct study_request *request;
	struct journal journal;

	pthread_mutex_t mutex; /* of all below */
	pthread_cond_t idle;   /* the last worker has gone */
	uint64_t next;         /* position */
	unsigned active;
	bool stop;
	struct study_progress progress;
	struct error error; /* the first failure of the host */
};

/* ---- workers ---- */

static bool take_position(struct crew *crew, uint64_t *position)
{
	(void)pthread_mutex_lock(&crew->mutex);
	while (crew->next < crew->study->count && journal_has(&crew->journal, crew->next))
		crew->next++;
	bool more = !crew->stop && crew->next < crew->study->count;
	if (more)
		*position = crew->next++;
	(void)pthread_mutex_unlock(&crew->mutex);
	return more;
}

static void note_failure(struct crew *crew, const struct error *error)
{
	if (crew->error.status == STATUS_OK)
		crew->error = *error;
}

static void note_row(struct crew *crew, const struct study_row *row)
{
	struct study_progress *progress = &crew->progress;
	uint64_t value = row->stats.value[crew->request->best];
	if (row->status != STATUS_OK) {
		progress->failed++;
	} else if (!progress->has_best || value < progress->best_value) {
		progress->has_best = true;
		progress->best_value = value;
		progress->best_position = row->position;
	}
}

/* A point that the host could not run is no result: the next --resume tries it again. */
static void keep(struct crew *crew, const struct study_row *row, const char *line, size_t length)
{
	struct error error = {0};
	(void)pthread_mutex_lock(&crew->mutex);
	if (row->status == STATUS_HOST) {
		note_failure(crew, &row->why);
	} else if (journal_append(&crew->journal, row->position, line, length, &error) != STATUS_OK) {
		note_failure(crew, &error);
		crew->stop = true;
	} else {
		note_row(crew, row);
	}
	(void)pthread_mutex_unlock(&crew->mutex);
}

static void run_point(struct crew *crew, uint64_t position, struct study_row *row)
{
	char *line = NULL;
	size_t length = 0;
	if (study_point_run(crew->study, position, row) != STATUS_HOST) {
		FILE *memory = open_memstream(&line, &length);
		BUG_ON(!memory);
		study_row_write(memory, row);
		BUG_ON(fclose(memory) != 0);
	}
	keep(crew, row, line, length);
	free(line);
}

static void *work(void *self)
{
	struct crew *crew = self;
	struct study_row row;
	struct error error = {0};
	uint64_t position;
	if (study_row_init(&row, &error) == STATUS_OK) {
		while (take_position(crew, &position))
			run_point(crew, position, &row);
	}
	study_row_release(&row);
	(void)pthread_mutex_lock(&crew->mutex);
	if (error.status != STATUS_OK)
		note_failure(crew, &error);
	if (--crew->active == 0)
		(void)pthread_cond_signal(&crew->idle);
	(void)pthread_mutex_unlock(&crew->mutex);
	return NULL;
}

/* ---- the caller's thread ---- */

static void wait_a_tick(struct crew *crew)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += TICK_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&crew->idle, &crew->mutex, &until);
}

/* Whoever is told that a point is done may pull the plug. */
static void make_durable(struct crew *crew, uint64_t written)
{
	struct error error = {0};
	if (crew->progress.done == written)
		return;
	(void)pthread_mutex_unlock(&crew->mutex);
	enum status status = journal_sync(&crew->journal, &error);
	(void)pthread_mutex_lock(&crew->mutex);
	if (status == STATUS_OK) {
		crew->progress.done = written;
	} else {
		note_failure(crew, &error);
		crew->stop = true;
	}
}

static void watch(struct crew *crew)
{
	const struct study_request *request = crew->request;
	(void)pthread_mutex_lock(&crew->mutex);
	for (bool more = true; more;) {
		if (crew->active > 0)
			wait_a_tick(crew);
		more = crew->active > 0;
		make_durable(crew, crew->journal.done);
		struct study_progress progress = crew->progress;
		(void)pthread_mutex_unlock(&crew->mutex);
		bool go_on = !request->progress || request->progress(request->self, &progress);
		(void)pthread_mutex_lock(&crew->mutex);
		crew->stop = crew->stop || !go_on;
	}
	(void)pthread_mutex_unlock(&crew->mutex);
}

static unsigned thread_count(const struct crew *crew)
{
	uint64_t left = crew->study->count - crew->journal.done;
	uint64_t jobs = crew->request->jobs < STUDY_MAX_JOBS ? crew->request->jobs : STUDY_MAX_JOBS;
	return (unsigned)(left < jobs ? left : jobs);
}

/* Fewer threads than wanted are fewer; none at all is a failure of the host. */
static void run_threads(struct crew *crew)
{
	pthread_t threads[STUDY_MAX_JOBS];
	unsigned wanted = thread_count(crew);
	unsigned count = 0;
	int why = 0;
	(void)pthread_mutex_lock(&crew->mutex);
	while (count < wanted && (why = pthread_create(&threads[count], NULL, work, crew)) == 0) {
		crew->active++;
		count++;
	}
	(void)pthread_mutex_unlock(&crew->mutex);
	if (count == 0 && wanted > 0)
		(void)error_set(&crew->error, STATUS_HOST, "the host gives no thread: %s", strerror(why));
	watch(crew);
	for (unsigned i = 0; i < count; i++)
		(void)pthread_join(threads[i], NULL);
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
	run_threads(crew);
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
	BUG_ON(pthread_mutex_init(&crew.mutex, NULL) != 0 || pthread_cond_init(&crew.idle, NULL) != 0);
	enum status status = journal_open(&crew.journal, study, request->folder, request->resume, error);
	if (status == STATUS_OK)
		status = run_open(&crew, summary, error);
	journal_close(&crew.journal);
	(void)pthread_cond_destroy(&crew.idle);
	(void)pthread_mutex_destroy(&crew.mutex);
	return status;
}
