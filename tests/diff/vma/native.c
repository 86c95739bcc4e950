/* RUSAGE_THREAD and setresuid are of GNU. */
#define _GNU_SOURCE

/* Runs a sequence on the host's kernel, in a child that is nobody: without the rights of root. */
#include "sequence.h"

/* AddressSanitizer makes munlockall do nothing, and its own memory faults in where only the region's should. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_MEMORY 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_MEMORY 1
#endif

#if defined(__linux__) && defined(__x86_64__) && !defined(HAS_OWN_MEMORY)

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/prctl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Linux counts the pages of a locked mapping that MREMAP_DONTUNMAP moves twice, for ever: after that the limit means
 * something else, and a new child takes over. */
enum { CHILD_IS_WELL = 1, CHILD_IS_SPENT = 2 };
enum { NOBODY = 65534, RAW_BYTES = 1 << 20 };

struct native {
	pid_t child;
	int to_child, from_child;
	enum subject subject;
	struct outcomes *shared;
};

/* What the child needs at hand, far from the region; all its pages are there before anything is counted. */
struct child {
	sigjmp_buf back;
	uint64_t lost; /* promises of huge pages, before the sequence began */
	int smaps, status, stat, meminfo;
	unsigned char core[REGION_UNITS];
	char raw[RAW_BYTES];
};

static struct child *const child_at = (struct child *)0x6a5c00000000u;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(child_at->back, 1);
}

/* ---- looking ---- */

static size_t read_all(int file)
{
	size_t used = 0;
	ssize_t got = 1;
	(void)lseek(file, 0, SEEK_SET);
	while (got > 0 && used + 1 < RAW_BYTES) {
		got = read(file, child_at->raw + used, RAW_BYTES - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	child_at->raw[used] = '\0';
	return used;
}

static uint64_t minor_faults(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_minflt;
}

/* Lines between a header of the region and one that is not. */
static void read_smaps(char *text, uint64_t end_of_region)
{
	size_t bytes = read_all(child_at->smaps);
	bool inside = false;
	text[0] = '\0';
	for (char *line = child_at->raw, *end; line < child_at->raw + bytes; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		char *dash = NULL;
		uint64_t start = strtoull(line, &dash, 16);
		if (dash && *dash == '-')
			inside = start >= REGION && start < end_of_region;
		if (inside)
			smaps_add_line(text, line, (size_t)(end - line));
	}
}

static uint64_t meminfo_number(const char *key)
{
	(void)read_all(child_at->meminfo);
	const char *line = strstr(child_at->raw, key);
	return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}

/* Pages promised to nobody: Linux loses a promise at times. They are not there for the sequence, nor for its counts. */
static void read_pool(char *text)
{
	pool_text(text, meminfo_number("HugePages_Free:") - child_at->lost,
		  meminfo_number("HugePages_Rsvd:") - child_at->lost);
}

static uint64_t status_pages(const char *key)
{
	(void)read_all(child_at->status);
	const char *line = strstr(child_at->raw, key);
	return line ? strtoull(line + strlen(key), NULL, 10) / 4 : 0;
}

/* ---- doing ---- */

/* Fields of /proc/self/stat, from 1, as proc(5) counts them; the second may hold blanks. */
static uint64_t stat_field(unsigned wanted)
{
	char *at = strrchr(child_at->raw, ')') + 2;
	for (unsigned field = 3; field < wanted; field++)
		at = strchr(at, ' ') + 1;
	return strtoull(at, NULL, 10);
}

/* The heap begins in the region from now on, and is empty. Nothing in the child allocates. */
static bool set_break(void)
{
	if (read_all(child_at->stat) == 0)
		return false;
	struct prctl_mm_map map = {
	    .start_code = stat_field(26),
	    .end_code = stat_field(27),
	    .start_data = stat_field(45),
	    .end_data = stat_field(46),
	    .start_brk = REGION_BREAK,
	    .brk = REGION_BREAK,
	    .start_stack = stat_field(28),
	    .arg_start = stat_field(48),
	    .arg_end = stat_field(49),
	    .env_start = stat_field(50),
	    .env_end = stat_field(51),
	    .exe_fd = UINT32_MAX,
	};
	return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) == 0;
}

static void set_soft(unsigned resource, uint64_t bytes)
{
	struct rlimit limit;
	(void)getrlimit(resource, &limit);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	(void)setrlimit(resource, &limit);
}

static void set_limits(const struct sequence *sequence)
{
	set_soft(RLIMIT_MEMLOCK, sequence->lock_pages * 4096);
	if (sequence->as_room)
		set_soft(RLIMIT_AS, (status_pages("VmSize:") + sequence->as_room) * 4096);
	if (sequence->data_room)
		set_soft(RLIMIT_DATA, (status_pages("VmData:") + sequence->data_room) * 4096);
}

static int64_t access_page(const struct vma_step *step)
{
	volatile unsigned char *byte = (volatile unsigned char *)(uintptr_t)step->at;
	if (sigsetjmp(child_at->back, 0) != 0)
		return RESULT_SIGNAL;
	if (step->kind == STEP_WRITE)
		*byte = 1;
	else
		(void)*byte;
	return 0;
}

static int64_t call(const struct vma_step *step)
{
	uint64_t args[6];
	step_arguments(step, (uintptr_t)child_at->core, args);
	long result = syscall(step_number(step), args[0], args[1], args[2], args[3], args[4], args[5]);
	return result == -1 ? -errno : result;
}

/* What lies elsewhere is taken away again. */
static int64_t settle(const struct vma_step *step, int64_t result, uint64_t end_of_region)
{
	bool places = step->kind == STEP_MMAP || step->kind == STEP_MREMAP;
	if (!places || result < 0 || ((uint64_t)result >= REGION && (uint64_t)result < end_of_region))
		return result;
	(void)munmap((void *)(uintptr_t)result, step_mapped(step));
	return RESULT_ELSEWHERE;
}

static void run_step(const struct sequence *sequence, const struct vma_step *step, struct outcome *outcome)
{
	const uint64_t end_of_region = region_end(sequence->subject);
	memset(child_at->core, 0, sizeof(child_at->core));
	bool access = step->kind == STEP_READ || step->kind == STEP_WRITE;
	uint64_t before = minor_faults();
	int64_t result = access ? access_page(step) : call(step);
	outcome->faults = minor_faults() - before;
	outcome->result = settle(step, result, end_of_region);
	memcpy(outcome->core, child_at->core, sizeof(outcome->core));
	read_smaps(outcome->smaps, end_of_region);
	if (sequence->subject == SUBJECT_HUGETLB)
		read_pool(outcome->smaps);
}

static void run_sequence(struct outcomes *outcomes)
{
	const struct sequence *sequence = &outcomes->sequence;
	set_limits(sequence);
	child_at->lost = meminfo_number("HugePages_Rsvd:");
	for (unsigned i = 0; i < sequence->count; i++)
		run_step(sequence, &sequence->steps[i], &outcomes->of[i]);
	(void)munlockall();
	/* Also what has grown out of it. */
	(void)munmap((void *)(uintptr_t)REGION, 64 * (region_end(sequence->subject) - REGION));
	set_soft(RLIMIT_AS, UINT64_MAX);
	set_soft(RLIMIT_DATA, UINT64_MAX);
	(void)set_break();
}

/* ---- the child ---- */

static bool become_nobody(void)
{
	if (geteuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0;
}

static bool prepare(enum subject subject)
{
	const size_t bytes = region_end(subject) - REGION;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_FIXED_NOREPLACE;
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
	if (mmap(child_at, sizeof(*child_at), PROT_READ | PROT_WRITE, flags, -1, 0) != child_at)
		return false;
	void *region = mmap((void *)(uintptr_t)REGION, bytes, PROT_NONE, flags, -1, 0);
	if (region != (void *)(uintptr_t)REGION || munmap(region, bytes) != 0)
		return false;
	if (!become_nobody() || prctl(PR_SET_DUMPABLE, 1) != 0 ||
	    prctl(PR_SET_THP_DISABLE, subject != SUBJECT_HUGE, 0, 0, 0) != 0)
		return false;
	child_at->smaps = open("/proc/self/smaps", O_RDONLY);
	child_at->status = open("/proc/self/status", O_RDONLY);
	(void)sigaction(SIGSEGV, &action, NULL);
	(void)sigaction(SIGBUS, &action, NULL);
	child_at->stat = open("/proc/self/stat", O_RDONLY);
	child_at->meminfo = open("/proc/meminfo", O_RDONLY);
	return child_at->smaps >= 0 && child_at->status >= 0 && child_at->stat >= 0 && child_at->meminfo >= 0 &&
	       set_break();
}

/* The child's own code and data come in while it runs; those faults are not to be counted. */
static void warm_up(struct outcomes *outcomes, enum subject subject)
{
	for (uint64_t i = 0; i < 10; i++) {
		sequence_make(&outcomes->sequence, UINT64_MAX - i, subject);
		outcomes->sequence.lock_pages = 0;
		run_sequence(outcomes);
	}
}

static _Noreturn void child_main(const struct native *native, int requests, int answers)
{
	bool ready = prepare(native->subject);
	char byte = (char)ready;
	if (ready)
		warm_up(native->shared, native->subject);
	while (write(answers, &byte, 1) == 1 && byte == CHILD_IS_WELL && read(requests, &byte, 1) == 1) {
		run_sequence(native->shared);
		byte = status_pages("VmLck:") == 0 ? CHILD_IS_WELL : CHILD_IS_SPENT;
	}
	_exit(0);
}

/* What it says; 0: it has died. */
static int wait_for_child(struct native *native)
{
	char byte = 0;
	return read(native->from_child, &byte, 1) == 1 ? byte : 0;
}

/* ---- the parent ---- */

static bool start_child(struct native *native)
{
	int requests[2], answers[2];
	if (pipe(requests) != 0 || pipe(answers) != 0)
		return false;
	(void)fflush(NULL);
	native->child = fork();
	if (native->child == 0) {
		(void)close(requests[1]);
		(void)close(answers[0]);
		child_main(native, requests[0], answers[1]);
	}
	(void)close(requests[0]);
	(void)close(answers[1]);
	native->to_child = requests[1];
	native->from_child = answers[0];
	return native->child > 0 && wait_for_child(native) == CHILD_IS_WELL;
}

static void stop_child(struct native *native)
{
	int status;
	(void)close(native->to_child);
	(void)close(native->from_child);
	if (native->child > 0)
		(void)waitpid(native->child, &status, 0);
}

struct native *native_start(enum subject subject)
{
	struct native *native = calloc(1, sizeof(*native));
	void *shared = mmap(NULL, sizeof(struct outcomes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!native || shared == MAP_FAILED)
		return NULL;
	native->shared = shared;
	native->subject = subject;
	(void)signal(SIGPIPE, SIG_IGN);
	if (start_child(native))
		return native;
	native_stop(native);
	return NULL;
}

bool native_run(struct native *native, struct outcomes *outcomes)
{
	char byte = 1;
	native->shared->sequence = outcomes->sequence;
	int answer = write(native->to_child, &byte, 1) == 1 ? wait_for_child(native) : 0;
	*outcomes = *native->shared;
	if (answer == CHILD_IS_WELL)
		return true;
	stop_child(native);
	return answer == CHILD_IS_SPENT && start_child(native);
}

void native_stop(struct native *native)
{
	stop_child(native);
	(void)munmap(native->shared, sizeof(struct outcomes));
	free(native);
}

#else

struct native *native_start(enum subject subject)
{
	(void)subject;
	return NULL;
}

bool native_run(struct native *native, struct outcomes *outcomes)
{
	(void)native, (void)outcomes;
	return false;
}

void native_stop(struct native *native)
{
	(void)native;
}

#endif
