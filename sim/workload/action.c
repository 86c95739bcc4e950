/* What each operation does, in ring 3. Nothing here holds host resources across an access: a process that is killed
 * never comes back from it. */
#include <string.h>

#include "action.h"
#include "faultline/heap.h"
#include "faultline/insn.h"

/* ---- variables and places ---- */

static void grow_variables(struct runner *runner, uint32_t slot)
{
	uint32_t count = runner->variable_count ? runner->variable_count : 64;
	while (count <= slot)
		count *= 2;
	struct variable *grown = arena_new_array(runner->world->arena, struct variable, count);
	if (runner->variable_count > 0)
		memcpy(grown, runner->variables, runner->variable_count * sizeof(*grown));
	runner->variables = grown;
	runner->variable_count = count;
}

void runner_assign(struct runner *runner, uint32_t slot, uint64_t address)
{
	if (slot == OP_NO_SLOT)
		return;
	if (slot >= runner->variable_count)
		grow_variables(runner, slot);
	runner->variables[slot] = (struct variable){address, true};
}

bool runner_variable(struct runner *runner, uint32_t slot, uint64_t *out)
{
	*out = 0;
	if (slot == OP_NO_SLOT)
		return true;
	if (slot >= runner->variable_count || !runner->variables[slot].set)
		return world_fail(runner->world, STATUS_BAD_INPUT,
				  "%s: %s uses a name that has no value yet; an operation before it must make it, such "
				  "as malloc or mmap",
				  runner_where(runner).text, op_info(runner->op->kind)->name);
	*out = runner->variables[slot].address;
	return true;
}

bool runner_place(struct runner *runner, const struct place *place, int64_t offset, uint64_t *out)
{
	uint64_t base = 0;
	switch (place->kind) {
	case PLACE_NONE:
		break;
	case PLACE_SLOT:
		if (!runner_variable(runner, place->slot, &base))
			return false;
		break;
	case PLACE_ADDRESS:
		base = place->address;
		break;
	case PLACE_SEGMENT:
		base = process_segment(runner->process, (enum segment)place->segment).v;
		break;
	case PLACE_BREAK:
		base = process_break(runner->process).v;
		break;
	}
	*out = base + (uint64_t)place->offset + (uint64_t)offset;
	return true;
}

/* ---- time in the C library ---- */

static void enter_libc(struct runner *runner)
{
	runner->in_libc = true;
	runner->libc_since = world_user_time(runner->world);
}

static void leave_libc(struct runner *runner)
{
	runner->in_libc = false;
	add_elapsed(&runner->world->libc_time, world_user_time(runner->world), runner->libc_since);
}

/* ---- accesses ---- */

static const enum access_kind access_kinds[OP_KIND_COUNT] = {
    [OP_READ] = ACCESS_READ, [OP_WRITE] = ACCESS_WRITE, [OP_EXECUTE] = ACCESS_FETCH};

/* Stores the low bytes of the word at va. */
static void store_word(struct runner *runner, uint64_t va, uint64_t length, uint64_t word)
{
	if (length >= 8) {
		user_store64(runner->user, va, word);
		return;
	}
	for (uint64_t i = 0; i < length; i++)
		user_store8(runner->user, va + i, (uint8_t)(word >> (8 * i)));
}

static void access_once(struct runner *runner, const struct op *op, uint64_t va, uint64_t length)
{
	if (op->has_value)
		store_word(runner, va, length, op->value);
	else
		user_touch(runner->user, va, length, access_kinds[op->kind]);
}

/* Each goes on behind the bytes that are done. */
static void access_pages(struct runner *runner, const struct op *op, uint64_t start, uint64_t end)
{
	const bool pauses = runner_may_pause(runner);
	for (uint64_t va = start + runner->done; va >= start && va < end; va = page_floor(va) + PAGE_BYTES) {
		access_once(runner, op, va, 1);
		if (pauses && runner_pauses(runner, page_floor(va) + PAGE_BYTES - start))
			return;
	}
}

static void access_strided(struct runner *runner, const struct op *op, uint64_t start, uint64_t length)
{
	const bool pauses = runner_may_pause(runner);
	for (uint64_t at = runner->done; at < length; at += op->stride) {
		access_once(runner, op, start + at, length - at < 8 ? length - at : 8);
		if (UINT64_MAX - at < op->stride || (pauses && runner_pauses(runner, at + op->stride)))
			break;
	}
}

static bool is_one_byte(const struct op *op)
{
	return op->value == (op->value & 0xff) * 0x0101010101010101u;
}

static void store_words(struct runner *runner, const struct op *op, uint64_t start, uint64_t length)
{
	for (uint64_t at = 0; at < length; at += 8)
		store_word(runner, start + at, length - at < 8 ? length - at : 8, op->value);
}

static void access_range(struct runner *runner, const struct op *op, uint64_t start, uint64_t length)
{
	if (!op->has_value)
		user_touch(runner->user, start, length, access_kinds[op->kind]);
	else if (is_one_byte(op))
		user_fill(runner->user, start, (uint8_t)op->value, length);
	else
		store_words(runner, op, start, length);
}

/* What the machine does without looking up anew: up to the end of a page, or so many whole words. */
static uint64_t one_piece(const struct op *op, uint64_t va, uint64_t left)
{
	bool words = op->has_value && !is_one_byte(op);
	uint64_t most = words ? PAGE_BYTES : PAGE_BYTES - page_offset(va);
	return left < most ? left : most;
}

/* All at once, or in pieces where somebody may come in between; for the machine it is the same. */
static void access_whole(struct runner *runner, const struct op *op, uint64_t start)
{
	const bool pauses = runner_may_pause(runner);
	for (uint64_t at = runner->done, part; at < op->length; at += part) {
		uint64_t left = op->length - at;
		part = pauses ? one_piece(op, start + at, left) : left;
		access_range(runner, op, start + at, part);
		if (pauses && part < left && runner_pauses(runner, at + part))
			return;
	}
}

static uint64_t do_access(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	if (!runner_place(runner, &op->at, op->offset, &start) || op->length == 0)
		return 0;
	struct bus *bus = &runner->world->bus;
	if (runner->done == 0)
		emit(bus, EVENT_ACCESS, event_text(access_kind_name(access_kinds[op->kind])), start, op->length);
	uint64_t end = op->length > UINT64_MAX - start ? UINT64_MAX : start + op->length;
	if (op->stride == OP_STRIDE_PAGE)
		access_pages(runner, op, start, end);
	else if (op->stride != 0)
		access_strided(runner, op, start, op->length);
	else
		access_whole(runner, op, start);
	return 0;
}

static uint64_t do_pattern(struct runner *runner, const struct op *op)
{
	uint64_t start = 0;
	if (runner_place(runner, &op->at, op->offset, &start))
		runner_access_pattern(runner, op, start);
	return 0;
}

/* ---- system calls: those about memory are in action_memory.c ---- */

static uint64_t do_getpid(struct runner *runner, const struct op *op)
{
	(void)op;
	return runner_syscall(runner, SYS_NR_GETPID, (const uint64_t[6]){0});
}

static uint64_t do_exit(struct runner *runner, const struct op *op)
{
	return runner_syscall(runner, SYS_NR_EXIT, (const uint64_t[6]){op->status});
}

/* ---- processor, stack, control ---- */

static uint64_t do_call(struct runner *runner, const struct op *op)
{
	if (runner->call_depth == RUNNER_MAX_CALLS) {
		world_fail(runner->world, STATUS_BAD_INPUT, "%s: more than %d functions have not returned",
			   runner_where(runner).text, RUNNER_MAX_CALLS);
		return 0;
	}
	user_call(runner->user, op->frame);
	runner->call_frames[runner->call_depth++] = op->frame;
	return 0;
}

static uint64_t do_return(struct runner *runner, const struct op *op)
{
	if (runner->call_depth == 0) {
		world_fail(runner->world, STATUS_BAD_INPUT, "%s: return without a call: add a call before it",
			   runner_where(runner).text);
		return 0;
	}
	uint64_t frame = runner->call_frames[--runner->call_depth];
	user_return(runner->user, op->has_frame ? op->frame : frame);
	return 0;
}

static uint64_t do_phase(struct runner *runner, const struct op *op)
{
	struct world *world = runner->world;
	if (world->phase_count == WORLD_MAX_PHASES) {
		world_fail(world, STATUS_BAD_INPUT, "%s: more than %d phases", runner_where(runner).text,
			   WORLD_MAX_PHASES - 1);
		return 0;
	}
	struct phase *phase = &world->phases[world->phase_count++];
	phase->name = op->name;
	world_machine_stats(world, &phase->before);
	for (unsigned i = 0; i < world->runner_count; i++)
		world_process_stats(world, i, &world->runners[i].before_phase);
	emit(&world->bus, EVENT_PHASE, event_text(op->name));
	return 0;
}

struct action {
	action_fn *fn;
	bool libc; /* its time in ring 3 is the C library's */
};

static const struct action actions[OP_KIND_COUNT] = {
    [OP_MALLOC] = {do_malloc, true},
    [OP_CALLOC] = {do_calloc, true},
    [OP_REALLOC] = {do_realloc, true},
    [OP_FREE] = {do_free, true},
    [OP_ALIGNED_ALLOC] = {do_aligned_alloc, true},
    [OP_REALLOCARRAY] = {do_reallocarray, true},
    [OP_POSIX_MEMALIGN] = {do_posix_memalign, true},
    [OP_VALLOC] = {do_valloc, true},
    [OP_PVALLOC] = {do_pvalloc, true},
    [OP_PTHREAD_CREATE] = {do_pthread_create, true},
    [OP_PTHREAD_JOIN] = {do_pthread_join, true},
    [OP_MALLOC_TRIM] = {do_malloc_trim, true},
    [OP_MALLOPT] = {do_mallopt, true},
    [OP_USABLE_SIZE] = {do_usable_size, true},
    [OP_SBRK] = {do_sbrk, true},
    [OP_READ] = {do_access, false},
    [OP_WRITE] = {do_access, false},
    [OP_EXECUTE] = {do_access, false},
    [OP_ACCESS] = {do_pattern, false},
    [OP_BRK] = {do_brk, false},
    [OP_MMAP] = {do_mmap, false},
    [OP_MUNMAP] = {do_munmap, false},
    [OP_MREMAP] = {do_mremap, false},
    [OP_MPROTECT] = {do_mprotect, false},
    [OP_MADVISE] = {do_madvise, false},
    [OP_MLOCK] = {do_mlock, false},
    [OP_MUNLOCK] = {do_munlock, false},
    [OP_MLOCKALL] = {do_mlockall, false},
    [OP_MUNLOCKALL] = {do_munlockall, false},
    [OP_MINCORE] = {do_mincore, false},
    [OP_MSYNC] = {do_msync, false},
    [OP_OPEN] = {do_open, false},
    [OP_CLOSE] = {do_close, false},
    [OP_READ_FD] = {do_read_fd, false},
    [OP_WRITE_FD] = {do_write_fd, false},
    [OP_PREAD] = {do_pread, false},
    [OP_PWRITE] = {do_pwrite, false},
    [OP_LSEEK] = {do_lseek, false},
    [OP_FTRUNCATE] = {do_ftruncate, false},
    [OP_FSYNC] = {do_fsync, false},
    [OP_SETRLIMIT] = {do_setrlimit, false},
    [OP_GETPID] = {do_getpid, false},
    [OP_FORK] = {do_fork, false},
    [OP_VFORK] = {do_vfork, false},
    [OP_EXEC] = {do_exec, false},
    [OP_WAIT] = {do_wait, false},
    [OP_EXIT] = {do_exit, false},
    [OP_INSTRUCTION] = {do_instruction, false},
    [OP_CODE] = {do_code, false},
    [OP_CALL] = {do_call, false},
    [OP_RETURN] = {do_return, false},
    [OP_PHASE] = {do_phase, false},
};

uint64_t runner_perform(struct runner *runner, const struct op *op)
{
	const struct action *action = &actions[op->kind];
	if (!action->libc)
		return action->fn(runner, op);
	enter_libc(runner);
	uint64_t result = action->fn(runner, op);
	leave_libc(runner);
	return result;
}

/* GLIBC_TUNABLES, which ld.so reads before the library starts. */
static void set_tunables(struct runner *runner)
{
	static const char prefix[] = "glibc.malloc.";
	const struct document_process *spec = runner->spec;
	for (unsigned i = 0; i < spec->tunable_count; i++) {
		const char *name = spec->tunables[i].name;
		bool known = strncmp(name, prefix, sizeof(prefix) - 1) == 0 && spec->libc->tunable &&
			     spec->libc->tunable(runner->heap, name + sizeof(prefix) - 1, spec->tunables[i].value);
		if (!known)
			world_fail(runner->world, STATUS_BAD_INPUT,
				   "%s: the allocator %s has no tunable \"%s\": remove it",
				   runner->world->document->path, spec->libc->name, quoted(name).text);
	}
}

void runner_start_libc(struct runner *runner)
{
	runner->started = true;
	enter_libc(runner);
	set_tunables(runner);
	if (runner->spec->libc->start)
		runner->spec->libc->start(runner->heap);
	leave_libc(runner);
}
