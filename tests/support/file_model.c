#include "file_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { HALF = PAGE_BYTES / 2, WORD = sizeof(uint64_t), RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define NAME "/data"

static uint64_t pages_of(const struct file_model *model)
{
	return page_ceil(model->bytes) / PAGE_BYTES;
}

static int64_t map(struct rig *rig, uint64_t at, uint64_t flags, uint64_t descriptor)
{
	return rig_syscall(rig, SYS_NR_MMAP, at, FILE_MODEL_PAGES * PAGE_BYTES, RW, flags | LINUX_MAP_FIXED,
			   descriptor);
}

void file_model_init(struct file_model *model, struct rig *rig, struct rng *rng)
{
	*model = (struct file_model){.rig = rig, .rng = rng, .bytes = FILE_MODEL_PAGES / 2 * PAGE_BYTES};
	const struct file_spec spec = {NAME, model->bytes, FILE_CONTENT_OFFSETS};
	assert_true(kernel_add_file(rig->kernel, &spec));
	for (uint64_t i = 0; i * HALF < model->bytes; i++)
		model->word[i] = i * HALF;
}

void file_model_open(struct file_model *model, struct file_view *view, uint64_t scratch)
{
	struct rig *rig = model->rig;
	uint64_t path = 0;
	memcpy(&path, NAME, sizeof(NAME));
	rig_store(rig, scratch, path);
	int64_t descriptor = rig_syscall(rig, SYS_NR_OPENAT, UINT64_MAX, scratch, LINUX_O_RDWR, 0, 0);
	rig_store(rig, scratch, 0);
	assert_true(descriptor >= 3);
	*view = (struct file_view){.descriptor = (uint64_t)descriptor};
	assert_int_equal(map(rig, FILE_MODEL_SHARED, LINUX_MAP_SHARED, view->descriptor), FILE_MODEL_SHARED);
	assert_int_equal(map(rig, FILE_MODEL_PRIVATE, LINUX_MAP_PRIVATE, view->descriptor), FILE_MODEL_PRIVATE);
}

/* ---- what a process sees ---- */

static uint64_t private_word(const struct file_model *model, const struct file_view *view, uint64_t half)
{
	return view->copied[half / 2] ? view->word[half] : model->word[half];
}

static void expect(const struct file_model *model, uint64_t va, uint64_t half, uint64_t word, const char *where)
{
	uint64_t found = rig_load(model->rig, va + half * HALF);
	if (found != word)
		fail_msg("half page %llu of the file is 0x%llx in %s, it should be 0x%llx", (unsigned long long)half,
			 (unsigned long long)found, where, (unsigned long long)word);
}

void file_model_check(const struct file_model *model, const struct file_view *view)
{
	for (uint64_t half = 0; half < 2 * pages_of(model); half++) {
		expect(model, FILE_MODEL_SHARED, half, model->word[half], "a shared mapping");
		expect(model, FILE_MODEL_PRIVATE, half, private_word(model, view, half), "a private mapping");
	}
}

/* ---- steps ---- */

/* One process, its buffer, and a half page that exists. */
struct turn {
	struct file_model *model;
	struct file_view *view;
	uint64_t buffer;
	uint64_t *word;
	uint64_t half;
};

typedef void step_fn(const struct turn *turn);

static void load_both(const struct turn *turn)
{
	expect(turn->model, FILE_MODEL_SHARED, turn->half, turn->model->word[turn->half], "a shared mapping");
	expect(turn->model, FILE_MODEL_PRIVATE, turn->half, private_word(turn->model, turn->view, turn->half),
	       "a private mapping");
}

/* What is stored behind the end of the file is nobody's business. */
static bool is_inside(const struct turn *turn)
{
	return turn->half * HALF + WORD <= turn->model->bytes;
}

static void store_shared(const struct turn *turn)
{
	if (!is_inside(turn))
		return;
	turn->model->word[turn->half] = rng_next(turn->model->rng);
	rig_store(turn->model->rig, FILE_MODEL_SHARED + turn->half * HALF, turn->model->word[turn->half]);
}

static void store_private(const struct turn *turn)
{
	struct file_view *view = turn->view;
	uint64_t page = turn->half / 2;
	if (!view->copied[page])
		memcpy(&view->word[2 * page], &turn->model->word[2 * page], 2 * WORD);
	view->copied[page] = true;
	view->word[turn->half] = rng_next(turn->model->rng);
	rig_store(turn->model->rig, FILE_MODEL_PRIVATE + turn->half * HALF, view->word[turn->half]);
}

static int64_t transfer(const struct turn *turn, enum syscall_number number, uint64_t bytes)
{
	return rig_syscall(turn->model->rig, number, turn->view->descriptor, turn->buffer, bytes, turn->half * HALF, 0);
}

static void read_call(const struct turn *turn)
{
	uint64_t left = turn->half * HALF < turn->model->bytes ? turn->model->bytes - turn->half * HALF : 0;
	*turn->word = rng_next(turn->model->rng);
	rig_store(turn->model->rig, turn->buffer, *turn->word);
	assert_int_equal(transfer(turn, SYS_NR_PREAD64, WORD), left < WORD ? left : WORD);
	if (left >= WORD)
		*turn->word = turn->model->word[turn->half];
	assert_int_equal(rig_load(turn->model->rig, turn->buffer), *turn->word);
}

static void grow_to(struct file_model *model, uint64_t bytes)
{
	model->bytes = bytes > model->bytes ? bytes : model->bytes;
}

static void write_call(const struct turn *turn)
{
	assert_int_equal(transfer(turn, SYS_NR_PWRITE64, WORD), WORD);
	turn->model->word[turn->half] = *turn->word;
	grow_to(turn->model, turn->half * HALF + WORD);
}

/* A whole page, wherever it may lie; its second half is zeroes. */
static void write_page(const struct turn *turn)
{
	struct rig *rig = turn->model->rig;
	uint64_t half = rng_below(turn->model->rng, FILE_MODEL_HALVES - 1), descriptor = turn->view->descriptor;
	assert_int_equal(rig_syscall(rig, SYS_NR_LSEEK, descriptor, half * HALF, LINUX_SEEK_SET, 0, 0), half * HALF);
	assert_int_equal(rig_syscall(rig, SYS_NR_WRITE, descriptor, turn->buffer, PAGE_BYTES, 0, 0), PAGE_BYTES);
	turn->model->word[half] = *turn->word;
	turn->model->word[half + 1] = 0;
	grow_to(turn->model, half * HALF + PAGE_BYTES);
}

static void sync_call(const struct turn *turn)
{
	assert_int_equal(rig_syscall(turn->model->rig, SYS_NR_FSYNC, turn->view->descriptor, 0, 0, 0, 0), 0);
}

static void sync_mapping(const struct turn *turn)
{
	assert_int_equal(rig_syscall(turn->model->rig, SYS_NR_MSYNC, FILE_MODEL_SHARED, FILE_MODEL_PAGES * PAGE_BYTES,
				     LINUX_MS_SYNC, 0, 0),
			 0);
}

static void advise(const struct turn *turn, uint64_t area, uint64_t advice)
{
	uint64_t page = turn->half / 2, at = area + page * PAGE_BYTES;
	assert_int_equal(rig_syscall(turn->model->rig, SYS_NR_MADVISE, at, PAGE_BYTES, advice, 0, 0), 0);
}

static void drop_private(const struct turn *turn)
{
	advise(turn, FILE_MODEL_PRIVATE, LINUX_MADV_DONTNEED);
	turn->view->copied[turn->half / 2] = false;
}

static void drop_shared(const struct turn *turn)
{
	advise(turn, FILE_MODEL_SHARED, LINUX_MADV_DONTNEED);
}

static void page_out(const struct turn *turn)
{
	advise(turn, FILE_MODEL_SHARED, LINUX_MADV_PAGEOUT);
	advise(turn, FILE_MODEL_PRIVATE, LINUX_MADV_PAGEOUT);
}

static void punch_hole(const struct turn *turn)
{
	advise(turn, FILE_MODEL_SHARED, LINUX_MADV_REMOVE);
	memset(&turn->model->word[turn->half / 2 * 2], 0, 2 * WORD);
}

static const struct {
	step_fn *fn;
	unsigned share; /* of 100 */
} steps[] = {
    {load_both, 28}, {store_shared, 20}, {store_private, 8}, {read_call, 12},  {write_call, 12}, {write_page, 5},
    {sync_call, 2},  {sync_mapping, 2},  {drop_private, 3},  {drop_shared, 3}, {page_out, 3},    {punch_hole, 2},
};

/* ftruncate concerns all processes: their private copies behind the end go, too. */
static void resize(struct file_model *model, struct file_view *view)
{
	uint64_t halves = rng_below(model->rng, FILE_MODEL_HALVES + 1);
	assert_int_equal(rig_syscall(model->rig, SYS_NR_FTRUNCATE, view->descriptor, halves * HALF, 0, 0, 0), 0);
	for (uint64_t half = halves; half < FILE_MODEL_HALVES; half++)
		model->word[half] = 0;
	model->bytes = halves * HALF;
}

bool file_model_step(struct file_model *model, struct file_view *view, uint64_t buffer, uint64_t *word)
{
	uint64_t dice = rng_below(model->rng, 100), before = pages_of(model);
	struct turn turn = {model, view, buffer, word, 0};
	if (before == 0 || rng_below(model->rng, 50) == 0) {
		resize(model, view);
		return pages_of(model) < before;
	}
	turn.half = rng_below(model->rng, 2 * before);
	unsigned i = 0;
	for (; dice >= steps[i].share; i++)
		dice -= steps[i].share;
	steps[i].fn(&turn);
	return false;
}

void file_model_forget_copies(const struct file_model *model, struct file_view *view)
{
	for (uint64_t page = pages_of(model); page < FILE_MODEL_PAGES; page++)
		view->copied[page] = false;
}
