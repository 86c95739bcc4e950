#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* Writing to one that has gone is a failure of the call, not a signal; macOS says so once for all of a socket. */
#ifdef MSG_NOSIGNAL
enum { SEND_FLAGS = MSG_NOSIGNAL };
static void spare_signals(int socket)
{
	(void)socket;
}
#else
enum { SEND_FLAGS = 0 };
static void spare_signals(int socket)
{
	const int yes = 1;
	(void)setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof(yes));
}
#endif

/* Before the text: the line, or why there is none. */
struct head {
	uint64_t length, best;
	int32_t status;
};

/* ---- in the worker ---- */

static bool read_whole(int socket, void *out, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t got = recv(socket, (char *)out + done, bytes - done, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool write_whole(int socket, const void *from, size_t bytes)
{
	for (size_t done = 0; done < bytes;) {
		ssize_t put = send(socket, (const char *)from + done, bytes - done, SEND_FLAGS);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		done += (size_t)put;
	}
	return true;
}

static bool answer(const struct worker_crew *crew, int socket, uint64_t position, struct study_row *row)
{
	char *text = NULL;
	struct head head = {.status = (int32_t)study_point_run(crew->study, position, row)};
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);
	BUG_ON(!memory);
	if (head.status == STATUS_HOST)
		(void)fputs(row->why.text, memory);
	else
		study_row_write(memory, row);
	BUG_ON(fclose(memory) != 0);
	head.length = length;
	head.best = row->stats.value[crew->best];
	bool sent = write_whole(socket, &head, sizeof(head)) && write_whole(socket, text, length);
	free(text);
	return sent;
}

/* Nobody waits for the answers of a study that was killed. */
static void die_with_parent(pid_t parent)
{
#ifdef __linux__
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
	if (getppid() != parent)
		_exit(0);
}

static _Noreturn void serve(const struct worker_crew *crew, int socket)
{
	struct study_row row;
	struct error error;
	uint64_t position;
	if (study_row_init(&row, &error) != STATUS_OK)
		_exit(STATUS_HOST);
	while (read_whole(socket, &position, sizeof(position)) && answer(crew, socket, position, &row))
		;
	_exit(0);
}

/* ---- its making and its end ---- */

/* The lock of the journal and the sockets of the others are not its own. */
static void close_all_but(const struct worker_crew *crew, unsigned index)
{
	(void)close(crew->journal);
	for (unsigned i = 0; i < crew->count; i++) {
		if (i != index && crew->workers[i].pid != 0)
			(void)close(crew->workers[i].socket);
	}
}

enum status worker_start(struct worker_crew *crew, unsigned index, struct error *error)
{
	struct worker *worker = &crew->workers[index];
	int ends[2];
	pid_t parent = getpid();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return error_set(error, STATUS_HOST, "the host gives no socket: %s", strerror(errno));
	spare_signals(ends[0]);
	spare_signals(ends[1]);
	(void)fflush(NULL); /* or both would print it */
	worker->pid = fork();
	if (worker->pid == 0) {
		die_with_parent(parent);
		(void)close(ends[0]);
		close_all_but(crew, index);
		serve(crew, ends[1]);
	}
	(void)close(ends[1]);
	if (worker->pid > 0) {
		worker->socket = ends[0];
		return STATUS_OK;
	}
	(void)close(ends[0]);
	worker->pid = 0;
	return error_set(error, STATUS_HOST, "the host gives no process: %s", strerror(errno));
}

static int wait_for(struct worker *worker)
{
	int status = 0;
	while (waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(worker->socket);
	free(worker->text);
	*worker = (struct worker){.pid = 0};
	return status;
}

void worker_end(struct worker *worker)
{
	if (worker->pid == 0)
		return;
	(void)shutdown(worker->socket, SHUT_RDWR);
	(void)wait_for(worker);
}

/* What a program does to itself; every other signal comes from somebody else. */
static const char *own_signal(int number)
{
	static const struct {
		int number;
		const char *name;
	} own[] = {
	    {SIGABRT, "SIGABRT"}, {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}};
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (own[i].number == number)
			return own[i].name;
	}
	return NULL;
}

enum status worker_bury(struct worker *worker, struct error *why)
{
	int status = wait_for(worker);
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	if (number != 0 && !own_signal(number))
		return error_set(why, STATUS_HOST,
				 "a point was ended by signal %d from outside, perhaps for want of memory: with "
				 "--resume it is tried again",
				 number);
	if (number == 0 && WEXITSTATUS(status) == STATUS_HOST)
		return error_set(why, STATUS_HOST, "the host has no memory for a point");
	return error_set(why, STATUS_BUG,
			 "faultline itself failed here (%s): that is a bug of it. The settings of this row with "
			 "\"faultline run\" show it",
			 number ? own_signal(number) : "it ended early");
}

/* ---- talking to it ---- */

bool worker_give(struct worker *worker, uint64_t position, uint64_t now_ns)
{
	BUG_ON(worker->queued == WORKER_QUEUE);
	if (worker->queued == 0)
		worker->since_ns = now_ns;
	worker->queue[worker->queued++] = position;
	return write_whole(worker->socket, &position, sizeof(position));
}

static void make_room(struct worker *worker, size_t bytes)
{
	if (worker->room >= bytes)
		return;
	worker->room = bytes < 4096 ? 4096 : bytes;
	worker->text = realloc(worker->text, worker->room);
	BUG_ON(!worker->text);
}

/* How much of the answer is still to come. */
static size_t missing(const struct worker *worker)
{
	struct head head;
	if (worker->got < sizeof(head))
		return sizeof(head) - worker->got;
	memcpy(&head, worker->text, sizeof(head));
	return sizeof(head) + head.length - worker->got;
}

static void take_answer(struct worker *worker, struct worker_answer *out, uint64_t now_ns, uint64_t tick_ns)
{
	struct head head;
	memcpy(&head, worker->text, sizeof(head));
	*out = (struct worker_answer){.position = worker->queue[0],
				      .best = head.best,
				      .line = worker->text + sizeof(head),
				      .length = head.length};
	out->error.status = (enum status)head.status;
	if (head.status == STATUS_HOST)
		(void)snprintf(out->error.text, sizeof(out->error.text), "%.*s", (int)head.length, out->line);
	worker->got = 0;
	worker->queued--;
	memmove(worker->queue, worker->queue + 1, worker->queued * sizeof(worker->queue[0]));
	worker->quick = now_ns - worker->since_ns < tick_ns;
	worker->since_ns = now_ns;
}

enum worker_news worker_listen(struct worker *worker, struct worker_answer *out, uint64_t now_ns, uint64_t tick_ns)
{
	make_room(worker, sizeof(struct head));
	for (;;) {
		make_room(worker, worker->got + missing(worker));
		ssize_t got = recv(worker->socket, worker->text + worker->got, missing(worker), MSG_DONTWAIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return WORKER_SILENT;
		if (got <= 0)
			return WORKER_GONE;
		worker->got += (size_t)got;
		if (worker->got < sizeof(struct head) || missing(worker) > 0)
			continue;
		take_answer(worker, out, now_ns, tick_ns);
		return WORKER_ANSWERED;
	}
}
