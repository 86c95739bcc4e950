#include "test_document.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "live_ids.h"
#include "op_list.h"

static struct op_list *open_list(const char *text)
{
	struct op_list *list = NULL;
	struct error error;
	if (op_list_open_text(text, strlen(text), "test.ops", &list, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return list;
}

static const struct op *next(struct op_list *list)
{
	const struct op *op = NULL;
	struct error error;
	if (op_list_next(list, &op, &error) != STATUS_OK)
		fail_msg("%s", error.text);
	return op;
}

static void assert_refused(const char *text, const char *message)
{
	uint64_t operations = 0;
	struct error error;
	assert_int_equal(document_check_op_list_text(text, strlen(text), "test.ops", &operations, &error),
			 STATUS_BAD_INPUT);
	assert_mentions(error, message);
}

static void lines_become_operations(void **state)
{
	(void)state;
	struct op_list *list = open_list(
	    "# a comment\n\nm 1 100\nc 2 3 4\na 3 64 5\nt 1 8 9\nl 1 0 1\nB -4096\nT 7\nO -3 "
	    "65536");
	assert_int_equal(next(list)->size, 100);
	assert_int_equal(next(list)->count, 3);
	assert_int_equal(next(list)->alignment, 64);
	const struct op *touch = next(list);
	assert_int_equal(touch->kind, OP_WRITE);
	assert_int_equal(touch->stride, OP_STRIDE_PAGE);
	assert_int_equal(touch->offset, 8);
	assert_int_equal(touch->line, 6);
	assert_int_equal(next(list)->kind, OP_READ);
	assert_int_equal(next(list)->increment, -4096);
	assert_int_equal(next(list)->pad, 7);
	const struct op *mallopt = next(list);
	assert_int_equal(mallopt->param, -3);
	assert_int_equal(mallopt->increment, 65536);
	assert_null(next(list));
	op_list_close(list);
}

static void sizes_are_unsigned_64_bit(void **state)
{
	(void)state;
	struct op_list *list = open_list("m 1 18446744073709551615\n");
	assert_int_equal(next(list)->size, UINT64_MAX);
	op_list_close(list);
}

static void slots_of_freed_ids_are_used_again(void **state)
{
	(void)state;
	struct op_list *list = open_list("m 1 8\nf 1\nm 2 8\nf 2\nm 3 8\n");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(next(list)->id.slot, 0);
		op_list_returned(list, 1);
	}
	assert_int_equal(op_list_slots(list), 1);
	op_list_close(list);
}

static void a_failed_realloc_leaves_its_block_alive(void **state)
{
	(void)state;
	struct op_list *list = open_list("m 1 8\nr 1 2 100\nf 1\n");
	(void)next(list);
	op_list_returned(list, 16);
	(void)next(list);
	op_list_returned(list, 0);
	assert_int_equal(next(list)->kind, OP_FREE);
	op_list_close(list);
	list = open_list("m 1 8\nr 1 2 0\nf 1\n");
	const struct op *op;
	struct error error;
	(void)next(list);
	op_list_returned(list, 16);
	(void)next(list);
	op_list_returned(list, 0);
	assert_int_equal(op_list_next(list, &op, &error), STATUS_BAD_INPUT);
	op_list_close(list);
}

static void a_mapping_ends_when_it_is_unmapped_whole(void **state)
{
	(void)state;
	uint64_t operations = 0;
	struct error error;
	const char *parts = "M 1 8192\nU 1 0 4096\nt 1 4096 1\nU 1 4096 4096\n";
	assert_int_equal(document_check_op_list_text(parts, strlen(parts), "x", &operations, &error), STATUS_OK);
	assert_int_equal(operations, 4);
	assert_refused("M 1 8192\nU 1 0 8192\nt 1 0 1\n", "test.ops:3: ID 1 is not alive");
}

static void tunables_stand_before_the_first_operation(void **state)
{
	(void)state;
	unsigned count = 0;
	struct op_list *list = open_list("# x\nG glibc.malloc.perturb=90\nG glibc.malloc.tcache_max=64\nm 1 8\n");
	const struct tunable *tunables = op_list_tunables(list, &count);
	assert_int_equal(count, 2);
	assert_string_equal(tunables[0].name, "glibc.malloc.perturb");
	assert_int_equal(tunables[1].value, 64);
	assert_int_equal(next(list)->kind, OP_MALLOC);
	op_list_close(list);
	assert_refused("m 1 8\nG glibc.malloc.perturb=90\n", "test.ops:2: a tunable behind the first operation");
}

static void mistakes_are_named_with_their_line(void **state)
{
	(void)state;
	assert_refused("m 1\n", "test.ops:1: m has 1 fields, expected \"m ID SIZE\"");
	assert_refused("m 1 8 9\n", "expected \"m ID SIZE\"");
	assert_refused("x 1 8\n", "test.ops:1: there is no operation \"x\"");
	assert_refused("m 1 8\nm 1 8\n", "test.ops:2: ID 1 is alive");
	assert_refused("m 0 8\n", "null pointer");
	assert_refused("f 9\n", "ID 9 is not alive");
	assert_refused("m 1 -8\n", "decimal digits");
	assert_refused("m 1 18446744073709551616\n", "below 2^64");
	assert_refused("m  1 8\n", "fields");
	assert_refused("m 1 8\r\n", "decimal digits");
	assert_refused("t 0 0 1\n", "ID 0 is not alive");
	assert_refused("G foo\nm 1 8\n", "a tunable is written");
	char line[400];
	memset(line, '1', sizeof(line));
	memcpy(line, "m 1 ", 4);
	line[sizeof(line) - 1] = '\0';
	assert_refused(line, "longer than");
}

static void a_compressed_list_that_is_cut_short_is_an_error(void **state)
{
	(void)state;
	char path[] = "/tmp/faultline-op-list-XXXXXX";
	char cut[64];
	uint64_t operations = 0;
	struct error error;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	gzFile out = gzdopen(fd, "wb");
	for (unsigned i = 1; i < 50000; i++)
		(void)gzprintf(out, "m %u %u\n", i, i * 7919 % 4096);
	(void)gzclose(out);
	assert_int_equal(document_check_op_list(path, &operations, &error), STATUS_OK);
	assert_int_equal(operations, 49999);
	assert_int_equal(truncate(path, 10000), 0);
	assert_int_equal(document_check_op_list(path, &operations, &error), STATUS_BAD_INPUT);
	assert_mentions(error, "cut short");
	(void)snprintf(cut, sizeof(cut), "%s", path);
	(void)unlink(cut);
}

static void live_ids_shrink_with_frees(void **state)
{
	(void)state;
	struct live_ids ids = {0};
	for (uint64_t id = 1; id <= 10000; id++)
		assert_non_null(live_ids_add(&ids, id));
	uint32_t high = ids.capacity;
	for (uint64_t id = 1; id <= 10000; id += 2)
		live_ids_remove(&ids, id);
	for (uint64_t id = 1; id <= 10000; id++) {
		const struct live_id *live = live_ids_find(&ids, id);
		assert_true((live != NULL) == (id % 2 == 0));
		assert_true(!live || live->id == id);
	}
	for (uint64_t id = 2; id <= 10000; id += 2)
		live_ids_remove(&ids, id);
	assert_int_equal(ids.count, 0);
	assert_true(ids.capacity < high / 16);
	live_ids_release(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_become_operations),
	    cmocka_unit_test(sizes_are_unsigned_64_bit),
	    cmocka_unit_test(slots_of_freed_ids_are_used_again),
	    cmocka_unit_test(a_failed_realloc_leaves_its_block_alive),
	    cmocka_unit_test(a_mapping_ends_when_it_is_unmapped_whole),
	    cmocka_unit_test(tunables_stand_before_the_first_operation),
	    cmocka_unit_test(mistakes_are_named_with_their_line),
	    cmocka_unit_test(a_compressed_list_that_is_cut_short_is_an_error),
	    cmocka_unit_test(live_ids_shrink_with_frees),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
