/* Which reason holds at a moment. What the event alone does not say is asked of the kernel as it stands there, or of
 * the events behind the moment. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/mman.h"
#include "faultline/pages.h"
#include "faultline/pte.h"
#include "reason.h"

static const char *row(const struct scene *scene)
{
	return reason_of_kind((enum event_kind)scene->event->kind)->why;
}

/* ---- what is known besides ---- */

static const struct kernel *kernel_of(const struct scene *scene)
{
	return scene->world ? world_kernel(scene->world) : NULL;
}

/* That of the event, not the one that is looked at. */
static const struct process *process_of(const struct scene *scene)
{
	uint32_t pid = scene->event->pid;
	return pid && kernel_of(scene) ? world_process(scene->world, pid - 1) : NULL;
}

/* The last event of these kinds of the same process, if it is not too long ago; NULL: none. */
static const struct travel_record *record_before(const struct scene *scene, uint64_t kinds)
{
	for (uint64_t number = scene->position; scene->travel && number > 1; number--) {
		const struct travel_record *record = travel_record(scene->travel, number - 1);
		if (!record)
			return NULL;
		if ((kinds & EVENT_BIT(record->event.kind)) && record->event.pid == scene->event->pid)
			return record;
	}
	return NULL;
}

/* ---- the program and its library ---- */

static const char *start_reason(const struct scene *scene)
{
	const struct travel_record *last = record_before(
	    scene, EVENT_BIT(EVENT_SYSCALL_RETURN) | EVENT_BIT(EVENT_OP_START) | EVENT_BIT(EVENT_OP_END));
	bool waited = last && last->event.kind == EVENT_SYSCALL_RETURN &&
		      (int64_t)last->event.arg[1] == -LINUX_ERESTARTSYS;
	return waited ? reason_of_case(REASON_CASE_OP_AGAIN) : row(scene);
}

/* The kinds of events since the call that now returns; 0: not known, for others may have run meanwhile. */
static uint64_t kinds_since_call(const struct scene *scene)
{
	uint64_t from = scene->travel ? travel_known_before(scene->travel, scene->position, EVENT_BIT(EVENT_LIBC_CALL))
				      : 0;
	uint64_t kinds = from ? travel_known_kinds(scene->travel, from - 1, scene->position) : 0;
	return kinds & EVENT_BIT(EVENT_SWITCH) ? 0 : kinds;
}

static const char *freed_reason(const struct scene *scene, const struct event *call)
{
	static const uint64_t given_back = EVENT_BIT(EVENT_VMA_REMOVE) | EVENT_BIT(EVENT_VMA_CHANGE) |
					   EVENT_BIT(EVENT_BREAK) | EVENT_BIT(EVENT_PTE_CLEAR);
	uint64_t kinds = kinds_since_call(scene);
	if (call && call->arg[1] == 0)
		return reason_of_case(REASON_CASE_FREE_NOTHING);
	if ((kinds & EVENT_BIT(EVENT_LIBC_SHRINK)) && (kinds & given_back))
		return reason_of_case(REASON_CASE_FREE_GIVEN_BACK);
	if (kinds && !(kinds & EVENT_BIT(EVENT_SYSCALL)))
		return reason_of_case(REASON_CASE_FREE_KEPT);
	return reason_of_return(LIBC_FUNCTION_FREE);
}

static const char *return_reason(const struct scene *scene, enum libc_function function)
{
	const struct travel_record *record = record_before(scene, EVENT_BIT(EVENT_LIBC_CALL));
	const struct event *call = record ? &record->event : NULL;
	uint64_t result = scene->event->arg[1];
	bool block = function <= LIBC_FUNCTION_REALLOC || function == LIBC_FUNCTION_ALIGNED_ALLOC;
	if (block && result == 0)
		return reason_of_case(REASON_CASE_NULL_BLOCK);
	if (function == LIBC_FUNCTION_FREE)
		return freed_reason(scene, call);
	if (function == LIBC_FUNCTION_REALLOC && call && call->arg[1] != 0)
		return reason_of_case(call->arg[1] == result ? REASON_CASE_REALLOC_IN_PLACE
							     : REASON_CASE_REALLOC_MOVED);
	return reason_of_return(function);
}

static const char *libc_reason(const struct scene *scene)
{
	static const char *const names[LIBC_FUNCTION_COUNT] = {
#define X(id, name, body) #name,
	    LIBC_FUNCTION_LIST(X)
#undef X
	};
	const struct event *event = scene->event;
	unsigned function = 0;
	while (function < LIBC_FUNCTION_COUNT && strcmp(names[function], event_arg_text(event, 0)) != 0)
		function++;
	if (function == LIBC_FUNCTION_COUNT)
		return "";
	if (event->kind == EVENT_LIBC_RETURN)
		return return_reason(scene, (enum libc_function)function);
	if (function == LIBC_FUNCTION_FREE && event->arg[1] == 0)
		return reason_of_case(REASON_CASE_FREE_NOTHING);
	return reason_of_call((enum libc_function)function);
}

/* ---- system calls ---- */

static enum syscall_index syscall_of(const struct event *event)
{
	unsigned index = 0;
	while (index < SYSCALL_UNKNOWN &&
	       strcmp(syscall_info((enum syscall_index)index)->name, event_arg_text(event, 0)) != 0)
		index++;
	return (enum syscall_index)index;
}

static const char *brk_reason(const struct scene *scene)
{
	const struct process *process = process_of(scene);
	uint64_t end = scene->event->arg[1];
	if (end == 0)
		return reason_of_case(REASON_CASE_BRK_ASKS);
	if (process && process->mm && end < process_break(process).v)
		return reason_of_case(REASON_CASE_BRK_DOWN);
	return reason_of_syscall(SYSCALL_BRK);
}

static const char *syscall_reason(const struct scene *scene)
{
	const struct event *event = scene->event;
	enum syscall_index index = syscall_of(event);
	if (index == SYSCALL_BRK)
		return brk_reason(scene);
	if (index == SYSCALL_MMAP && (event->arg[4] & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED)))
		return reason_of_case(REASON_CASE_MMAP_NOW);
	if (index == SYSCALL_MSYNC && !(event->arg[3] & LINUX_MS_SYNC))
		return reason_of_case(REASON_CASE_MSYNC_LATER);
	return reason_of_syscall(index);
}

static const char *answer_reason(const struct scene *scene)
{
	int64_t result = (int64_t)scene->event->arg[1];
	if (result == -LINUX_ERESTARTSYS)
		return reason_of_case(REASON_CASE_CALL_AGAIN);
	return result < 0 && result >= -4095 ? reason_of_case(REASON_CASE_CALL_REFUSED) : row(scene);
}

/* ---- entries ---- */

/* What an entry was or is for: that of a table, of a page, or one that is not present. */
enum entry_use { USE_TABLE, USE_PAGE, USE_READ_ONLY, USE_ABSENT, USE_SWAP, USE_KEPT };

static enum entry_use entry_use(const struct scene *scene)
{
	struct pte entry = {scene->event->arg[1]};
	if (!pte_present(entry)) {
		struct absent_entry absent = {0};
		if (kernel_of(scene))
			absent = kernel_absent_entry(kernel_of(scene), entry);
		return absent.swapped ? USE_SWAP : absent.kept ? USE_KEPT : USE_ABSENT;
	}
	if (scene->event->arg[2] > 1 && !pte_page_size(entry))
		return USE_TABLE;
	return pte_writable(entry) ? USE_PAGE : USE_READ_ONLY;
}

static const char *entry_reason(const struct scene *scene)
{
	static const enum reason_case cases[][2] = {
	    [USE_TABLE] = {REASON_CASE_TABLE_SET, REASON_CASE_TABLE_CLEAR},
	    [USE_PAGE] = {REASON_CASE_COUNT, REASON_CASE_COUNT},
	    [USE_READ_ONLY] = {REASON_CASE_READ_ONLY_SET, REASON_CASE_COUNT},
	    [USE_ABSENT] = {REASON_CASE_ABSENT_SET, REASON_CASE_ABSENT_CLEAR},
	    [USE_SWAP] = {REASON_CASE_SWAP_SET, REASON_CASE_SWAP_CLEAR},
	    [USE_KEPT] = {REASON_CASE_KEPT_SET, REASON_CASE_KEPT_CLEAR},
	};
	enum reason_case which = cases[entry_use(scene)][scene->event->kind == EVENT_PTE_CLEAR];
	return which == REASON_CASE_COUNT ? row(scene) : reason_of_case(which);
}

/* How much of the walk was read is known where the moment's translation is that of the walk. */
static const char *walk_reason(const struct scene *scene)
{
	const struct walk *walk = &scene->translation.walk;
	const struct event *event = scene->event;
	bool same = scene->has_address && scene->shown && scene->shown->pid == event->pid &&
		    scene->address.v == event->arg[0];
	return same && event->arg[1] < walk->count - walk->registers ? reason_of_case(REASON_CASE_WALK_CACHED)
								     : row(scene);
}

/* ---- memory that gets short ---- */

/* The kernel works on madvise(MADV_PAGEOUT): the registers still hold what it was called with. */
static bool is_paging_out(const struct scene *scene)
{
	static const uint64_t doors = EVENT_BIT(EVENT_SYSCALL) | EVENT_BIT(EVENT_SYSCALL_RETURN) |
				      EVENT_BIT(EVENT_EXCEPTION) | EVENT_BIT(EVENT_SWITCH);
	if (!scene->travel || !scene->now)
		return false;
	uint64_t door = travel_known_before(scene->travel, scene->position, doors);
	const uint64_t *gpr = scene->now->registers.gpr;
	return travel_kind(scene->travel, door) == EVENT_SYSCALL && gpr[GPR_RDX] == LINUX_MADV_PAGEOUT &&
	       (gpr[GPR_RAX] == SYS_NR_MADVISE || gpr[GPR_RAX] == (uint64_t)syscall_i386_number(SYS_NR_MADVISE));
}

/* Nobody says why a page must go, but what the kernel goes by can be seen. Where two causes are possible none is told.
 */
static const char *evict_reason(const struct scene *scene)
{
	const struct kernel *kernel = kernel_of(scene);
	const struct process *process = process_of(scene);
	if (is_paging_out(scene))
		return reason_of_case(REASON_CASE_EVICT_ASKED);
	if (!kernel)
		return row(scene);
	struct page_group group = {0};
	if (process && process->mm)
		group = kernel_page_group(kernel, process);
	bool limited = group.limit != 0 && group.charged >= group.limit;
	bool is_short = frame_pool_free(kernel_frames(kernel)) < kernel_watermarks(kernel).high;
	if (limited == is_short)
		return row(scene);
	return reason_of_case(limited ? REASON_CASE_EVICT_LIMIT : REASON_CASE_EVICT_SHORT);
}

static const char *truncate_reason(const struct scene *scene)
{
	uint64_t from = scene->event->arg[1], to = scene->event->arg[2];
	return to < from ? row(scene) : reason_of_case(to > from ? REASON_CASE_FILE_LONGER : REASON_CASE_FILE_AS_LONG);
}

/* ---- faults and signals ---- */

static const char *fault_reason(const struct scene *scene)
{
	const char *name = event_arg_text(scene->event, 1);
	for (unsigned cause = 0; cause < FAULT_CAUSE_COUNT; cause++) {
		if (strcmp(fault_cause_name((enum fault_cause)cause), name) == 0)
			return reason_of_fault((enum fault_cause)cause);
	}
	return "";
}

static const char *exception_reason(const struct scene *scene)
{
	static const char *const traps[] = {"#BP", "#OF", "#DB"};
	const char *name = event_arg_text(scene->event, 0);
	if (strcmp(name, "INT") == 0)
		return reason_of_case(REASON_CASE_INTERRUPT);
	for (unsigned i = 0; i < sizeof(traps) / sizeof(*traps); i++) {
		if (strcmp(name, traps[i]) == 0)
			return reason_of_case(REASON_CASE_TRAP);
	}
	return row(scene);
}

/* Who dies: the dead one that has its memory still. */
static const struct process *receiver(const struct scene *scene)
{
	const struct process *process;
	for (unsigned i = 0; kernel_of(scene) && (process = world_process(scene->world, i)) != NULL; i++) {
		if (process->death.dead && process->mm)
			return process;
	}
	return NULL;
}

static struct reason signal_reason(const struct scene *scene)
{
	const struct process *process = receiver(scene);
	struct reason reason = {0};
	if (process && process->pid != scene->event->pid)
		(void)snprintf(reason.text, sizeof(reason.text), "Process %" PRIu32 " gets {name}: {why}.",
			       process->pid);
	else
		(void)snprintf(reason.text, sizeof(reason.text), "%s",
			       !process || process->death.vector == 0 ? row(scene)
			       : process->death.vector == VECTOR_PAGE_FAULT
				   ? reason_of_case(REASON_CASE_SIGNAL_FAULT)
				   : reason_of_case(REASON_CASE_SIGNAL_EXCEPTION));
	return reason;
}

/* ---- the choice ---- */

static const char *choose(const struct scene *scene)
{
	switch ((int)scene->event->kind) {
	case EVENT_OP_START:
		return start_reason(scene);
	case EVENT_LIBC_CALL:
	case EVENT_LIBC_RETURN:
		return libc_reason(scene);
	case EVENT_SYSCALL:
		return syscall_reason(scene);
	case EVENT_SYSCALL_RETURN:
		return answer_reason(scene);
	case EVENT_FAULT:
		return fault_reason(scene);
	case EVENT_EXCEPTION:
		return exception_reason(scene);
	case EVENT_PTE_SET:
	case EVENT_PTE_CLEAR:
		return entry_reason(scene);
	case EVENT_WALK:
		return walk_reason(scene);
	case EVENT_EVICT:
		return evict_reason(scene);
	case EVENT_TRUNCATE:
		return truncate_reason(scene);
	case EVENT_RING:
		return scene->event->arg[1] > scene->event->arg[0] ? reason_of_case(REASON_CASE_RING_OUT) : row(scene);
	default:
		return row(scene);
	}
}

struct reason reason_of(const struct scene *scene)
{
	struct reason reason = {0};
	if (scene->event->kind == EVENT_SIGNAL)
		return signal_reason(scene);
	(void)snprintf(reason.text, sizeof(reason.text), "%s", choose(scene));
	return reason;
}
