/* Files by name: descriptors, calls, mappings, readahead and writeback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "open_file.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define BUFFER ((uint64_t)0x10000000)
#define AREA ((uint64_t)0x20000000)
#define NAME "/data"

static struct file *boot_with(struct rig *rig, const struct kernel_config *config, uint64_t pages)
{
	const struct file_spec spec = {NAME, pages * PAGE_BYTES, FILE_CONTENT_OFFSETS};
	rig_boot_kernel(rig, 0, config);
	assert_true(kernel_add_file(rig->kernel, &spec));
	assert_int_equal(rig_mmap(rig, BUFFER, 64 * PAGE_BYTES, RW, LINUX_MAP_FIXED), BUFFER);
	return file_find(rig->kernel, NAME);
}

static struct file *boot(struct rig *rig, uint64_t pages)
{
	const struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	return boot_with(rig, &config, pages);
}

static int64_t call(struct rig *rig, enum syscall_number number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	return rig_syscall(rig, number, a0, a1, a2, a3, 0);
}

static int64_t open_path(struct rig *rig, const char *path, uint64_t flags)
{
	for (uint64_t i = 0; i <= strlen(path); i += sizeof(uint64_t)) {
		uint64_t word = 0;
		memcpy(&word, path + i, strnlen(path + i, sizeof(word)));
		rig_store(rig, BUFFER + i, word);
	}
	return call(rig, SYS_NR_OPENAT, (uint64_t)-100, BUFFER, flags, 0644);
}

static uint64_t open_data(struct rig *rig)
{
	int64_t descriptor = open_path(rig, NAME, LINUX_O_RDWR);
	assert_true(descriptor >= FIRST_DESCRIPTOR);
	return (uint64_t)descriptor;
}

static int64_t map_file(struct rig *rig, uint64_t descriptor, uint64_t pages, uint64_t prot, uint64_t flags)
{
	return rig_syscall(rig, SYS_NR_MMAP, AREA, pages * PAGE_BYTES, prot, flags | LINUX_MAP_FIXED, descriptor);
}

/* ---- descriptors ---- */

static void open_says_what_is_wrong(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	assert_int_equal(open_path(&rig, "/nothing", LINUX_O_RDONLY), -LINUX_ENOENT);
	assert_int_equal(open_path(&rig, "", LINUX_O_RDONLY), -LINUX_ENOENT);
	assert_int_equal(open_path(&rig, NAME, LINUX_O_ACCMODE), -LINUX_EINVAL);
	assert_int_equal(open_path(&rig, NAME, LINUX_O_CREAT | LINUX_O_EXCL), -LINUX_EEXIST);
	assert_int_equal(open_path(&rig, "/usr/bin/test", LINUX_O_WRONLY), -LINUX_EACCES);
	assert_int_equal(call(&rig, SYS_NR_OPENAT, 0, 0x1000, 0, 0), -LINUX_EFAULT);
	assert_int_equal(open_path(&rig, "/usr/bin/test", LINUX_O_RDONLY), 3);
	assert_int_equal(open_path(&rig, "/new", LINUX_O_CREAT | LINUX_O_RDWR), 4);
	assert_int_equal(call(&rig, SYS_NR_CLOSE, 3, 0, 0, 0), 0);
	assert_int_equal(call(&rig, SYS_NR_CLOSE, 3, 0, 0, 0), -LINUX_EBADF);
	assert_int_equal(open_path(&rig, "/new", LINUX_O_RDONLY), 3);
	for (int64_t i = 5; i < DESCRIPTORS; i++)
		assert_int_equal(open_path(&rig, NAME, LINUX_O_RDONLY), i);
	assert_int_equal(open_path(&rig, NAME, LINUX_O_RDONLY), -LINUX_EMFILE);
	rig_release(&rig);
}

static void descriptors_allow_what_they_were_opened_for(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	uint64_t reads = (uint64_t)open_path(&rig, NAME, LINUX_O_RDONLY);
	uint64_t writes = (uint64_t)open_path(&rig, NAME, LINUX_O_WRONLY);
	assert_int_equal(call(&rig, SYS_NR_WRITE, reads, BUFFER, 8, 0), -LINUX_EBADF);
	assert_int_equal(call(&rig, SYS_NR_READ, writes, BUFFER, 8, 0), -LINUX_EBADF);
	assert_int_equal(call(&rig, SYS_NR_FTRUNCATE, reads, 0, 0, 0), -LINUX_EINVAL);
	assert_int_equal(call(&rig, SYS_NR_PREAD64, reads, BUFFER, 8, (uint64_t)-1), -LINUX_EINVAL);
	assert_int_equal(call(&rig, SYS_NR_READ, reads, 0x1000, 8, 0), -LINUX_EFAULT);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, reads, (uint64_t)-1, LINUX_SEEK_SET, 0), -LINUX_EINVAL);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, reads, 0, 3, 0), -LINUX_EINVAL);
	assert_int_equal(call(&rig, SYS_NR_FSYNC, 99, 0, 0, 0), -LINUX_EBADF);
	assert_int_equal(map_file(&rig, reads, 1, RW, LINUX_MAP_SHARED), -LINUX_EACCES);
	assert_int_equal(map_file(&rig, writes, 1, LINUX_PROT_READ, LINUX_MAP_PRIVATE), -LINUX_EACCES);
	assert_int_equal(map_file(&rig, 99, 1, RW, LINUX_MAP_SHARED), -LINUX_EBADF);
	/* Shared only to look at: no later mprotect makes it writable. */
	assert_int_equal(map_file(&rig, reads, 1, LINUX_PROT_READ, LINUX_MAP_SHARED), AREA);
	assert_int_equal(call(&rig, SYS_NR_MPROTECT, AREA, PAGE_BYTES, RW, 0), -LINUX_EACCES);
	/* Private, anything may be written. */
	assert_int_equal(map_file(&rig, reads, 1, RW, LINUX_MAP_PRIVATE), AREA);
	rig_store(&rig, AREA, 1);
	rig_release(&rig);
}

static void reading_and_writing_move_the_position_up_to_the_end(void **state)
{
	(void)state;
	struct rig rig;
	struct file *file = boot(&rig, 2);
	uint64_t fd = open_data(&rig);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, fd, (uint64_t)-8, LINUX_SEEK_END, 0), 2 * PAGE_BYTES - 8);
	assert_int_equal(call(&rig, SYS_NR_READ, fd, BUFFER, 100, 0), 8);
	assert_int_equal(rig_load(&rig, BUFFER), 2 * PAGE_BYTES - 8);
	assert_int_equal(call(&rig, SYS_NR_READ, fd, BUFFER, 100, 0), 0);
	/* Behind the end there is a hole of zeroes. */
	assert_int_equal(call(&rig, SYS_NR_LSEEK, fd, PAGE_BYTES, LINUX_SEEK_CUR, 0), 3 * PAGE_BYTES);
	assert_int_equal(call(&rig, SYS_NR_WRITE, fd, BUFFER, 8, 0), 8);
	assert_int_equal(file->bytes, 3 * PAGE_BYTES + 8);
	assert_int_equal(call(&rig, SYS_NR_PREAD64, fd, BUFFER, 8, 2 * PAGE_BYTES), 8);
	assert_int_equal(rig_load(&rig, BUFFER), 0);
	uint64_t log = (uint64_t)open_path(&rig, NAME, LINUX_O_WRONLY | LINUX_O_APPEND);
	assert_int_equal(call(&rig, SYS_NR_PWRITE64, log, BUFFER, 8, 0), 8);
	assert_int_equal(file->bytes, 3 * PAGE_BYTES + 16);
	assert_int_equal(open_path(&rig, NAME, LINUX_O_WRONLY | LINUX_O_TRUNC), 5);
	assert_int_equal(file->bytes, 0);
	rig_release(&rig);
}

/* ---- readahead ---- */

static uint64_t pages_in(const struct rig *rig)
{
	return kernel_vm_counts(rig->kernel)->file_pages_in;
}

/* Pages that reading page after page has brought in: the windows of Linux for a largest one of 32 pages. */
static void windows_grow_while_a_reader_goes_on(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 256);
	uint64_t fd = open_data(&rig);
	static const uint64_t after[] = {4, 12, 12, 12, 28, 28};
	for (uint64_t i = 0; i < sizeof(after) / sizeof(*after); i++) {
		assert_int_equal(call(&rig, SYS_NR_READ, fd, BUFFER, PAGE_BYTES, 0), PAGE_BYTES);
		assert_int_equal(pages_in(&rig), after[i]);
	}
	/* What stands alone is read alone. */
	assert_int_equal(call(&rig, SYS_NR_PREAD64, fd, BUFFER, 8, 200 * PAGE_BYTES), 8);
	assert_int_equal(pages_in(&rig), 29);
	rig_release(&rig);
}

static void mappings_read_as_they_are_advised(void **state)
{
	(void)state;
	static const struct {
		uint64_t advice, pages;
	} cases[] = {{LINUX_MADV_NORMAL, 32}, {LINUX_MADV_RANDOM, 1}, {LINUX_MADV_SEQUENTIAL, 1}};
	for (unsigned i = 0; i < 3; i++) {
		struct rig rig;
		boot(&rig, 256);
		assert_int_equal(map_file(&rig, open_data(&rig), 256, RW, LINUX_MAP_SHARED), AREA);
		assert_int_equal(call(&rig, SYS_NR_MADVISE, AREA, 256 * PAGE_BYTES, cases[i].advice, 0), 0);
		assert_int_equal(rig_load(&rig, AREA + 100 * PAGE_BYTES), 100 * PAGE_BYTES);
		assert_int_equal(pages_in(&rig), cases[i].pages);
		assert_int_equal(rig_faults(&rig, FAULT_CAUSE_FILE_READ), 1);
		assert_int_equal(call(&rig, SYS_NR_MADVISE, AREA, 64 * PAGE_BYTES, LINUX_MADV_WILLNEED, 0), 0);
		assert_int_equal(pages_in(&rig), cases[i].pages + 64);
		rig_release(&rig);
	}
}

static void a_page_on_its_way_is_waited_for(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64);
	uint64_t fd = open_data(&rig);
	assert_int_equal(call(&rig, SYS_NR_READ, fd, BUFFER, PAGE_BYTES, 0), PAGE_BYTES);
	uint64_t waited = rig.process->stats.waited_cycles;
	assert_int_equal(call(&rig, SYS_NR_PREAD64, fd, BUFFER, PAGE_BYTES, 3 * PAGE_BYTES), PAGE_BYTES);
	assert_true(rig.process->stats.waited_cycles > waited);
	rig_release(&rig);
}

/* ---- what is dirty ---- */

static void a_page_is_noticed_when_it_becomes_dirty(void **state)
{
	(void)state;
	struct rig rig;
	const struct file *file = boot(&rig, 4);
	assert_int_equal(map_file(&rig, open_data(&rig), 4, RW, LINUX_MAP_SHARED), AREA);
	(void)rig_load(&rig, AREA);
	assert_int_equal(file->dirty, 0);
	rig_store(&rig, AREA, 1);
	rig_store(&rig, AREA + 8, 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_MKWRITE), 1);
	assert_int_equal(file->dirty, 1);
	assert_int_equal(call(&rig, SYS_NR_MSYNC, AREA, PAGE_BYTES, LINUX_MS_ASYNC, 0), 0);
	assert_int_equal(file->dirty, 1);
	assert_int_equal(call(&rig, SYS_NR_MSYNC, AREA, PAGE_BYTES, LINUX_MS_SYNC, 0), 0);
	assert_int_equal(file->dirty, 0);
	assert_int_equal(file_peek64(rig.kernel, file, 8), 1);
	assert_int_equal(file_peek64(rig.kernel, file, 16), 16);
	rig_store(&rig, AREA, 2);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_MKWRITE), 2);
	/* Protected and back: what is dirty stays writable, what is not does not become it. */
	(void)rig_load(&rig, AREA + PAGE_BYTES);
	assert_int_equal(call(&rig, SYS_NR_MPROTECT, AREA, 4 * PAGE_BYTES, LINUX_PROT_READ, 0), 0);
	assert_int_equal(call(&rig, SYS_NR_MPROTECT, AREA, 4 * PAGE_BYTES, RW, 0), 0);
	rig_store(&rig, AREA, 3);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_MKWRITE), 2);
	rig_store(&rig, AREA + PAGE_BYTES, 3);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_MKWRITE), 3);
	rig_release(&rig);
}

static void the_flusher_and_the_limit_keep_dirty_pages_few(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.dirty_background_ratio = 1;
	config.dirty_ratio = 2;
	const struct file *file = boot_with(&rig, &config, 4000);
	uint64_t fd = open_data(&rig), background = file_dirty_limits(rig.kernel).background, most = 0;
	for (uint64_t i = 0; i < 4000; i += 64) {
		assert_int_equal(call(&rig, SYS_NR_WRITE, fd, BUFFER, 64 * PAGE_BYTES, 0), 64 * PAGE_BYTES);
		most = file->dirty > most ? file->dirty : most;
	}
	assert_true(most > 0 && most <= background);
	assert_true(rig.process->stats.waited_cycles > 0);
	assert_true(disk_writes_on_their_way(rig.kernel) <= file_dirty_limits(rig.kernel).limit);
	rig_release(&rig);
}

/* ---- size ---- */

static void a_shorter_file_takes_pages_away_also_private_ones(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	uint64_t fd = open_data(&rig);
	assert_int_equal(map_file(&rig, fd, 4, RW, LINUX_MAP_PRIVATE), AREA);
	rig_store(&rig, AREA + PAGE_BYTES, 7);
	rig_store(&rig, AREA + 2 * PAGE_BYTES, 7);
	assert_int_equal(call(&rig, SYS_NR_FTRUNCATE, fd, PAGE_BYTES + 16, 0, 0), 0);
	assert_int_equal(rig_load(&rig, AREA + PAGE_BYTES), 7); /* its page is still there */
	assert_int_equal(call(&rig, SYS_NR_FTRUNCATE, fd, 4 * PAGE_BYTES, 0, 0), 0);
	assert_int_equal(rig_load(&rig, AREA + 2 * PAGE_BYTES), 0);
	assert_int_equal(call(&rig, SYS_NR_PREAD64, fd, BUFFER, 32, PAGE_BYTES), 32);
	assert_int_equal(rig_load(&rig, BUFFER + 8), PAGE_BYTES + 8);
	assert_int_equal(rig_load(&rig, BUFFER + 16), 0);
	assert_int_equal(call(&rig, SYS_NR_FTRUNCATE, fd, PAGE_BYTES, 0, 0), 0);
	assert_false(rig_read(&rig, AREA + PAGE_BYTES));
	assert_int_equal(rig.process->death.signal, 7);
	rig_release(&rig);
}

static void offsets_of_64_bits_reach_32_bit_code(void **state)
{
	(void)state;
	struct rig rig;
	const struct file_spec spec = {NAME, 5 * GIB, FILE_CONTENT_OFFSETS};
	rig_boot_paging(&rig, PAGING_32BIT);
	assert_true(kernel_add_file(rig.kernel, &spec));
	assert_int_equal(rig_mmap(&rig, BUFFER, PAGE_BYTES, RW, LINUX_MAP_FIXED), BUFFER);
	uint64_t fd = open_data(&rig), upper = 4 * GIB >> 32;
	assert_int_equal(rig_syscall(&rig, SYS_NR_PREAD64, fd, BUFFER, 8, 64, upper), 8);
	assert_int_equal(rig_load(&rig, BUFFER), 4 * GIB + 64);
	rig_release(&rig);
}

static void a_child_shares_the_position(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	uint64_t fd = open_data(&rig);
	int64_t pid = call(&rig, SYS_NR_FORK, 0, 0, 0, 0);
	assert_int_equal(call(&rig, SYS_NR_READ, fd, BUFFER, 16, 0), 16);
	kernel_run(rig.kernel, kernel_process(rig.kernel, (unsigned)pid - 1));
	assert_int_equal(call(&rig, SYS_NR_LSEEK, fd, 0, LINUX_SEEK_CUR, 0), 16);
	assert_int_equal(call(&rig, SYS_NR_CLOSE, fd, 0, 0, 0), 0);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, fd, 0, LINUX_SEEK_CUR, 0), 16);
	rig_release(&rig);
}

/* ---- execve ---- */

static int64_t exec_path(struct rig *rig, const char *path)
{
	(void)open_path(rig, path, LINUX_O_RDONLY); /* its text is in the buffer now */
	return call(rig, SYS_NR_EXECVE, BUFFER, 0, 0, 0);
}

static void exec_needs_a_program(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	assert_int_equal(exec_path(&rig, "/usr/bin/nothing"), -LINUX_ENOENT);
	assert_int_equal(exec_path(&rig, NAME), -LINUX_EACCES);
	assert_int_equal(call(&rig, SYS_NR_EXECVE, 0x1000, 0, 0, 0), -LINUX_EFAULT);
	rig_release(&rig);
}

/* At every event there is a whole address space to look at, or none. */
static void look(void *self, const struct event *event)
{
	const struct rig *rig = self;
	(void)event;
	assert_non_null(kernel_page_group(rig->kernel, rig->process).policy);
	assert_true(process_resident_pages(rig->process) < 10000);
}

static void who_looks_during_exec_finds_a_whole_address_space_or_none(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	assert_true(kernel_install(rig.kernel, &(struct process_spec){.name = "other"}));
	bus_subscribe(&rig.bus, EVENT_MASK_ALL, look, &rig);
	(void)exec_path(&rig, "/usr/bin/other");
	assert_non_null(rig.process->mm);
	bus_unsubscribe(&rig.bus, &rig);
	rig_release(&rig);
}

static void exec_replaces_the_address_space_and_keeps_the_rest(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	const struct process_spec other = {.name = "other", .text_bytes = 64 * KIB};
	assert_true(kernel_install(rig.kernel, &other));
	uint64_t kept = open_data(&rig), closed = (uint64_t)open_path(&rig, NAME, LINUX_O_RDWR | LINUX_O_CLOEXEC);
	rig_store(&rig, BUFFER + PAGE_BYTES, 1);
	uint64_t faults = rig.process->stats.minor_faults, taken = rig.process->stats.frames_taken;
	(void)exec_path(&rig, "/usr/bin/other");
	const struct cpu *cpu = machine_cpu_const(rig.machine);
	assert_false(rig.process->death.dead);
	assert_string_equal(rig.process->name, "other");
	assert_int_equal(cpu->cpl, 3);
	assert_int_equal(cpu->rip, rig.process->segment_start[SEGMENT_TEXT].v);
	assert_int_equal(cpu->gpr[GPR_RAX], 0);
	assert_int_equal(rig.process->segment_bytes[SEGMENT_TEXT], 64 * KIB);
	assert_int_equal(rig.process->stats.frames_taken, taken);
	assert_true(rig.process->stats.minor_faults >= faults);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, closed, 0, LINUX_SEEK_CUR, 0), -LINUX_EBADF);
	assert_int_equal(call(&rig, SYS_NR_LSEEK, kept, 0, LINUX_SEEK_CUR, 0), 0);
	/* No translation of the old address space is left. */
	assert_false(rig_read(&rig, BUFFER + PAGE_BYTES));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open_says_what_is_wrong),
	    cmocka_unit_test(descriptors_allow_what_they_were_opened_for),
	    cmocka_unit_test(reading_and_writing_move_the_position_up_to_the_end),
	    cmocka_unit_test(windows_grow_while_a_reader_goes_on),
	    cmocka_unit_test(mappings_read_as_they_are_advised),
	    cmocka_unit_test(a_page_on_its_way_is_waited_for),
	    cmocka_unit_test(a_page_is_noticed_when_it_becomes_dirty),
	    cmocka_unit_test(the_flusher_and_the_limit_keep_dirty_pages_few),
	    cmocka_unit_test(a_shorter_file_takes_pages_away_also_private_ones),
	    cmocka_unit_test(offsets_of_64_bits_reach_32_bit_code),
	    cmocka_unit_test(a_child_shares_the_position),
	    cmocka_unit_test(exec_needs_a_program),
	    cmocka_unit_test(who_looks_during_exec_finds_a_whole_address_space_or_none),
	    cmocka_unit_test(exec_replaces_the_address_space_and_keeps_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
