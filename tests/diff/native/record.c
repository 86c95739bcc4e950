#define _GNU_SOURCE
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "list.h"
#include "pagemap.h"
#include "pieces.h"

enum { LINE_BYTES = 4096 };

/* The simulated library's: TCACHE_KEY of glibc.h. */
#define NATIVE_TCACHE_KEY ((uint64_t)0x7463616368656b79)

enum { CALL_BRK, CALL_MMAP, CALL_MUNMAP, CALL_MREMAP, CALL_MADVISE, CALL_MPROTECT, CALLS };

static const struct {
	const char *name;
	long number;
} calls[CALLS] = {{"brk", SYS_brk},       {"mmap", SYS_mmap},       {"munmap", SYS_munmap},
		  {"mremap", SYS_mremap}, {"madvise", SYS_madvise}, {"mprotect", SYS_mprotect}};

struct recorder {
	struct native_list list;
	struct native_shared *shared;
	struct recording *out;
	pid_t pid;
	bool views, timed;
	int errors; /* what the program writes to its standard error */
	struct pieces pieces;
	char calls[LINE_BYTES]; /* of the operation in progress */
	uint32_t said;          /* operations whose line has been written */
	uint64_t call_counts[CALLS], fault_count;
};

void recording_release(struct recording *recording)
{
	for (size_t i = 0; i < recording->count; i++)
		free(recording->line[i]);
	free(recording->line);
	*recording = (struct recording){0};
}

static bool fail(struct recording *out, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(out->why, sizeof(out->why), format, args);
	va_end(args);
	return false;
}

static void say(struct recording *out, const char *text)
{
	if (out->count == out->capacity) {
		out->capacity = out->capacity ? 2 * out->capacity : 1024;
		out->line = realloc(out->line, out->capacity * sizeof(*out->line));
	}
	char *copy = strdup(text);
	if (!out->line || !copy)
		abort();
	out->line[out->count++] = copy;
}

/* ---- lines ---- */

struct address {
	char text[64];
};

static struct address address_text(const struct recorder *recorder, uint64_t address)
{
	struct address out;
	uint64_t base = recorder->shared->break_start;
	const struct piece *piece = pieces_find(&recorder->pieces, address);
	if (address == 0)
		(void)snprintf(out.text, sizeof(out.text), "0");
	else if (piece)
		(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "+0x%" PRIx64, piece->number,
			       address - piece->origin);
	else
		(void)snprintf(out.text, sizeof(out.text), "H%c0x%" PRIx64, address >= base ? '+' : '-',
			       address >= base ? address - base : base - address);
	return out;
}

static struct address new_mapping(struct recorder *recorder, uint64_t start, uint64_t bytes)
{
	struct address out;
	uint64_t number = pieces_add(&recorder->pieces, start, bytes);
	(void)snprintf(out.text, sizeof(out.text), "R%" PRIu64 "@T-0x%" PRIx64, number,
		       recorder->shared->ceiling - start);
	return out;
}

/* After the call: what it did to the mappings, and its result in words. */
static struct address result_text(struct recorder *recorder, unsigned call, const uint64_t a[4], int64_t result)
{
	struct address out;
	if (result < 0 && result >= -4095) {
		(void)snprintf(out.text, sizeof(out.text), "E%" PRId64, -result);
		return out;
	}
	if (call == CALL_BRK)
		return address_text(recorder, (uint64_t)result);
	if (call == CALL_MMAP)
		return new_mapping(recorder, (uint64_t)result, a[1]);
	if (call == CALL_MREMAP && (uint64_t)result != a[0]) {
		pieces_remove(&recorder->pieces, a[0], a[1]);
		return new_mapping(recorder, (uint64_t)result, a[2]);
	}
	if (call == CALL_MREMAP) {
		pieces_find(&recorder->pieces, a[0])->end = a[0] + ((a[2] + 4095) & ~(uint64_t)4095);
		return address_text(recorder, a[0]);
	}
	if (call == CALL_MUNMAP)
		pieces_remove(&recorder->pieces, a[0], a[1]);
	(void)snprintf(out.text, sizeof(out.text), "%" PRId64, result);
	return out;
}

static void add_call(struct recorder *recorder, unsigned call, const uint64_t a[4], int64_t result)
{
	struct address at = address_text(recorder, a[0]);
	char arguments[160];
	if (call == CALL_BRK)
		(void)snprintf(arguments, sizeof(arguments), "%s", at.text);
	else if (call == CALL_MMAP)
		(void)snprintf(arguments, sizeof(arguments), "%s,0x%" PRIx64 ",%" PRIu64 ",0x%" PRIx64, at.text, a[1],
			       a[2], a[3]);
	else if (call == CALL_MREMAP)
		(void)snprintf(arguments, sizeof(arguments), "%s,0x%" PRIx64 ",0x%" PRIx64 ",%" PRIu64, at.text, a[1],
			       a[2], a[3]);
	else if (call == CALL_MUNMAP)
		(void)snprintf(arguments, sizeof(arguments), "%s,0x%" PRIx64, at.text, a[1]);
	else
		(void)snprintf(arguments, sizeof(arguments), "%s,0x%" PRIx64 ",%" PRIu64, at.text, a[1], a[2]);
	size_t used = strlen(recorder->calls);
	(void)snprintf(recorder->calls + used, LINE_BYTES - used, " %s(%s)=%s", calls[call].name, arguments,
		       result_text(recorder, call, a, result).text);
	recorder->call_counts[call]++;
	/* What lies above the ceiling is this computer's, the library itself among it. */
	bool gives_back = call == CALL_MUNMAP || call == CALL_MADVISE;
	uint64_t ceiling = recorder->shared->ceiling;
	if (gives_back && (a[1] > ceiling || a[0] > ceiling - a[1]))
		recorder->out->incomparable = "malloc gives back memory that is not the program's";
}

static void print_result(const struct recorder *recorder, uint32_t number, char *out, size_t room)
{
	const struct native_op *op = &native_ops(recorder->shared)[number];
	const struct native_result *result = &native_results(recorder->shared)[number];
	struct address at = address_text(recorder, result->value);
	if (strchr("ftlw", op->letter))
		(void)snprintf(out, room, "- -");
	else if (result->has_usable && result->value)
		(void)snprintf(out, room, "%s %" PRIu64, at.text, result->usable);
	else if (result->has_usable || (strchr("MB", op->letter) && result->value != UINT64_MAX))
		(void)snprintf(out, room, "%s -", at.text);
	else
		(void)snprintf(
		    out, room, "%" PRId64 " -",
		    (int64_t)(op->letter == 'O' || op->letter == 'T' ? (int)result->value : (int64_t)result->value));
}

/* The lines of all operations before the one in progress. */
static void catch_up(struct recorder *recorder)
{
	uint32_t current = recorder->shared->current;
	char text[2 * LINE_BYTES];
	char result[128];
	char error[16];
	while (current != UINT32_MAX && recorder->said < current) {
		const struct native_result *done = &native_results(recorder->shared)[recorder->said];
		print_result(recorder, recorder->said, result, sizeof(result));
		error[0] = '\0';
		if (done->error_number)
			(void)snprintf(error, sizeof(error), " E%d", done->error_number);
		(void)snprintf(text, sizeof(text), "%s %" PRIu64 "%s%s", result, done->faults, error, recorder->calls);
		say(recorder->out, text);
		recorder->fault_count += done->faults;
		recorder->calls[0] = '\0';
		recorder->said++;
	}
}

/* What malloc_stats and malloc_info have printed, a line each. */
static void say_views(struct recorder *recorder)
{
	char text[LINE_BYTES];
	FILE *printed = fdopen(dup(recorder->errors), "r");
	if (!printed)
		return;
	rewind(printed);
	while (fgets(text + 4, sizeof(text) - 4, printed)) {
		memcpy(text, "# | ", 4);
		text[strcspn(text, "\n")] = '\0';
		say(recorder->out, text);
	}
	(void)fclose(printed);
}

static void say_end(struct recorder *recorder)
{
	char text[512];
	const struct mallinfo2 *m = &recorder->shared->mallinfo;
	struct present heap, mapped;
	(void)snprintf(text, sizeof(text), "# end ops=%u minor_faults=%" PRIu64, recorder->said, recorder->fault_count);
	say(recorder->out, text);
	(void)snprintf(text, sizeof(text), "# calls");
	for (unsigned i = 0; i < CALLS; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s=%" PRIu64, calls[i].name,
			       recorder->call_counts[i]);
	say(recorder->out, text);
	(void)snprintf(text, sizeof(text), "# break %s", address_text(recorder, recorder->shared->break_end).text);
	say(recorder->out, text);
	(void)snprintf(text, sizeof(text),
		       "# mallinfo2 arena=%zu ordblks=%zu smblks=%zu hblks=%zu hblkhd=%zu fsmblks=%zu uordblks=%zu "
		       "fordblks=%zu keepcost=%zu",
		       m->arena, m->ordblks, m->smblks, m->hblks, m->hblkhd, m->fsmblks, m->uordblks, m->fordblks,
		       m->keepcost);
	say(recorder->out, text);
	if (recorder->views)
		say_views(recorder);
	if (!pagemap_count(recorder->pid, recorder->shared->break_start, recorder->shared->break_end, &heap) ||
	    !pagemap_count(recorder->pid, recorder->shared->break_end, recorder->shared->ceiling, &mapped))
		return; /* an older kernel does not tell the zero page apart */
	(void)snprintf(text, sizeof(text),
		       "# present_pages heap=%" PRIu64 " heap_zero=%" PRIu64 " mapped=%" PRIu64 " mapped_zero=%" PRIu64,
		       heap.pages, heap.zero, mapped.pages, mapped.zero);
	say(recorder->out, text);
}

/* ---- watching ---- */

/* The key of the tcache is random; a program that reads what it should not may see it. */
static void fix_tcache_key(pid_t thread, uint64_t buffer, uint64_t bytes)
{
	if (bytes == sizeof(uint64_t))
		(void)ptrace(PTRACE_POKEDATA, thread, (void *)buffer, (void *)NATIVE_TCACHE_KEY);
}

/* A memory call is entered: it runs to its end, then it is told. */
static bool follow_call(struct recorder *recorder, pid_t thread)
{
	struct user_regs_struct regs;
	int status;
	unsigned call = 0;
	if (ptrace(PTRACE_GETREGS, thread, NULL, &regs) != 0)
		return false;
	while (call < CALLS && calls[call].number != (long)regs.orig_rax)
		call++;
	const uint64_t arguments[4] = {regs.rdi, regs.rsi, regs.rdx, regs.r10};
	if (ptrace(PTRACE_SYSCALL, thread, NULL, NULL) != 0 || waitpid(thread, &status, __WALL) != thread ||
	    !WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, thread, NULL, &regs) != 0)
		return false;
	if (regs.orig_rax == SYS_getrandom)
		fix_tcache_key(thread, arguments[0], arguments[1]);
	if (recorder->shared->current < recorder->list.count && call < CALLS)
		add_call(recorder, call, arguments, (int64_t)regs.rax);
	return true;
}

static int signal_to_deliver(int status)
{
	int stopped_by = WSTOPSIG(status);
	return status >> 16 != 0 || stopped_by == SIGSTOP || stopped_by == SIGTRAP ? 0 : stopped_by;
}

/* The program was killed in the middle of an operation: "died SIGNAL MESSAGE". */
static void say_death(struct recorder *recorder, int signal)
{
	char message[NATIVE_WHY_BYTES] = "";
	char text[NATIVE_WHY_BYTES + 32];
	catch_up(recorder);
	if (recorder->shared->current == recorder->list.count)
		return;
	(void)!pread(recorder->errors, message, sizeof(message) - 1, 0);
	message[strcspn(message, "\n")] = '\0';
	(void)snprintf(text, sizeof(text), "died %d%s%s", signal, message[0] ? " " : "", message);
	say(recorder->out, text);
}

/* Behind the last operation; a ruined heap may still kill it in mallinfo2. */
static bool ended_well(const struct recorder *recorder)
{
	unsigned long status = 1;
	(void)ptrace(PTRACE_GETEVENTMSG, recorder->pid, NULL, &status);
	return status == 0 && recorder->shared->current == recorder->list.count;
}

static bool watch(struct recorder *recorder)
{
	for (;;) {
		int status;
		pid_t thread = waitpid(-1, &status, __WALL);
		if (thread < 0)
			return fail(recorder->out, "waiting failed: %s", strerror(errno));
		if (thread == recorder->pid && WIFSIGNALED(status)) {
			if (WTERMSIG(status) == SIGXCPU)
				recorder->out->incomparable = "malloc goes round for ever";
			else if (WTERMSIG(status) == SIGALRM)
				recorder->out->incomparable = "malloc waits for ever";
			say_death(recorder, WTERMSIG(status));
			return true;
		}
		if (thread == recorder->pid && WIFEXITED(status))
			return WEXITSTATUS(status) == 0 ||
			       fail(recorder->out, "the native program ended with status %d", WEXITSTATUS(status));
		if (!WIFSTOPPED(status))
			continue;
		catch_up(recorder);
		int event = status >> 16;
		if (event == PTRACE_EVENT_SECCOMP && !follow_call(recorder, thread))
			return fail(recorder->out, "following a call failed: %s", strerror(errno));
		/* At its end, all is still there to be looked at. */
		if (event == PTRACE_EVENT_EXIT && thread == recorder->pid && ended_well(recorder))
			say_end(recorder);
		(void)ptrace(PTRACE_CONT, thread, NULL, (void *)(intptr_t)signal_to_deliver(status));
	}
}

/* ---- starting ---- */

static bool share(struct recorder *recorder, int *file)
{
	struct native_shared layout = {.op_count = recorder->list.count, .id_count = recorder->list.id_count};
	layout.ops = 4096;
	layout.results = layout.ops + layout.op_count * sizeof(struct native_op);
	layout.pointers = layout.results + layout.op_count * sizeof(struct native_result);
	layout.bytes = (layout.pointers + layout.id_count * sizeof(void *) + 4095) & ~(uint64_t)4095;
	*file = memfd_create("operations", 0);
	if (*file < 0 || ftruncate(*file, (off_t)layout.bytes) != 0)
		return false;
	recorder->shared = mmap(NULL, layout.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
	if (recorder->shared == MAP_FAILED)
		return false;
	layout.timed = recorder->timed;
	layout.current = UINT32_MAX;
	*recorder->shared = layout;
	if (layout.op_count)
		memcpy(native_ops(recorder->shared), recorder->list.op, layout.op_count * sizeof(struct native_op));
	return true;
}

static _Noreturn void become(const char *child, int file, int errors, bool traced, const char *tunables)
{
	const struct rlimit no_core = {0, 0};
	const struct rlimit stack = {8 << 20, 8 << 20};
	const struct rlimit processor = {NATIVE_CPU_SECONDS, NATIVE_CPU_SECONDS + 1};
	if (traced) {
		(void)setrlimit(RLIMIT_CPU, &processor);
		(void)alarm(NATIVE_SECONDS);
	}
	(void)setrlimit(RLIMIT_STACK, &stack);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)personality(ADDR_NO_RANDOMIZE);
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (dup2(errors, STDERR_FILENO) < 0 || (file != NATIVE_FD && dup2(file, NATIVE_FD) < 0))
		_exit(97);
	char environment[LIST_TUNABLES_BYTES + 32];
	(void)snprintf(environment, sizeof(environment), "GLIBC_TUNABLES=%s", tunables);
	char name[] = "libc_native_child";
	char *arguments[] = {name, NULL};
	char *variables[] = {tunables[0] ? environment : NULL, NULL};
	if (traced)
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	(void)execve(child, arguments, variables);
	_exit(98);
}

static bool start(struct recorder *recorder, const char *child)
{
	int file;
	int status;
	if (!share(recorder, &file))
		return fail(recorder->out, "no shared memory: %s", strerror(errno));
	recorder->errors = memfd_create("errors", MFD_CLOEXEC);
	recorder->pid = fork();
	if (recorder->pid == 0)
		become(child, file, recorder->errors, !recorder->timed, recorder->list.tunables);
	(void)close(file);
	if (recorder->timed)
		return waitpid(recorder->pid, &status, 0) == recorder->pid && status == 0;
	if (recorder->pid < 0 || waitpid(recorder->pid, &status, 0) != recorder->pid || !WIFSTOPPED(status))
		return fail(recorder->out, "%s cannot be started", child);
	long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	if (ptrace(PTRACE_SETOPTIONS, recorder->pid, NULL, (void *)options) != 0 ||
	    ptrace(PTRACE_CONT, recorder->pid, NULL, NULL) != 0)
		return fail(recorder->out, "ptrace is not allowed here: %s", strerror(errno));
	return true;
}

/* The recorded program is built with the same options as everything: a sanitizer would bring a malloc of its own. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_MALLOC 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_MALLOC 1
#endif

bool native_supported(char why[NATIVE_WHY_BYTES])
{
#if defined(__clang__)
	(void)snprintf(why, NATIVE_WHY_BYTES,
		       "this is built with clang, whose code takes faults of its own; gcc's is known");
	return false;
#elif defined(HAS_OWN_MALLOC)
	(void)snprintf(why, NATIVE_WHY_BYTES, "this is built with a sanitizer that has a malloc of its own");
	return false;
#else
	bool right = strcmp(gnu_get_libc_version(), "2.36") == 0;
	if (!right)
		(void)snprintf(why, NATIVE_WHY_BYTES, "this is glibc %s, not 2.36", gnu_get_libc_version());
	return right;
#endif
}

uint64_t native_time(const char *child, const char *text)
{
	struct recording none = {0};
	struct recorder recorder = {.out = &none, .timed = true, .errors = -1};
	uint32_t line = 0;
	uint64_t nanoseconds = 0;
	if (native_list_read(text, &recorder.list, &line) && start(&recorder, child))
		nanoseconds = recorder.shared->nanoseconds;
	(void)close(recorder.errors);
	if (recorder.shared && recorder.shared != MAP_FAILED)
		(void)munmap(recorder.shared, recorder.shared->bytes);
	native_list_release(&recorder.list);
	return nanoseconds;
}

bool native_record(const char *child, const char *text, bool views, struct recording *recording)
{
	struct recorder recorder = {.out = recording, .views = views, .errors = -1};
	uint32_t line = 0;
	*recording = (struct recording){0};
	if (!native_list_read(text, &recorder.list, &line))
		return fail(recording, "line %u is no operation", line);
	bool good = start(&recorder, child) && watch(&recorder);
	if (!good && recorder.pid > 0) {
		(void)kill(recorder.pid, SIGKILL);
		(void)waitpid(recorder.pid, NULL, __WALL);
	}
	(void)close(recorder.errors);
	if (recorder.shared && recorder.shared != MAP_FAILED)
		(void)munmap(recorder.shared, recorder.shared->bytes);
	native_list_release(&recorder.list);
	pieces_release(&recorder.pieces);
	return good;
}
