/* Op lists: recorded or generated lists of allocator calls and accesses, one a line, plain or compressed with gzip.
 *
 *	m ID SIZE | c ID N SIZE | r ID NEWID SIZE | a ID ALIGN SIZE | f ID      malloc calloc realloc memalign free
 *	t ID OFF LEN | l ID OFF LEN                                           write, read one byte of every page
 *	B DELTA | M ID LEN | U ID OFF LEN | D ID OFF LEN | P ID OFF LEN PROT  sbrk mmap munmap madvise mprotect
 *	w ID OFF VALUE                                                        write 8 bytes, OFF may be negative
 *	T PAD | O PARAM VALUE | G NAME=VALUE                                  malloc_trim mallopt, a tunable at the
 *start C THREAD | J THREAD                                                   pthread_create, end and pthread_join
 *
 * "@THREAD " in front of an operation says which thread does it; else it is the main one, 0.
 * Lines that begin with # and empty lines are no operations; ID 0 is the null pointer. The list is read in constant
 * memory, apart from one entry for each live ID: lists of any length can be replayed. */
#ifndef FAULTLINE_WORKLOAD_OP_LIST_H
#define FAULTLINE_WORKLOAD_OP_LIST_H

#include "faultline/document.h"
#include "faultline/op.h"
#include "faultline/status.h"

struct op_list;

enum { OP_LIST_MAX_TUNABLES = 32 };

/* Opens the list and reads its tunables. The caller closes it. */
enum status op_list_open(const char *path, struct op_list **out, struct error *error);
/* The same from memory, which must stay as long as the list is open. */
enum status op_list_open_text(const char *text, size_t length, const char *name, struct op_list **out,
			      struct error *error);
void op_list_close(struct op_list *list); /* NULL is allowed */

const struct tunable *op_list_tunables(const struct op_list *list, unsigned *count);

/* The next operation, valid until the next call; *op is NULL at the end. */
enum status op_list_next(struct op_list *list, const struct op **op, struct error *error);
/* The same once more; NULL: there was none yet. */
const struct op *op_list_op(const struct op_list *list);
/* Its line: IDs and numbers as written, signed ones in two's complement. */
struct op_list_line {
	char letter;
	uint64_t thread;
	uint64_t arg[4];
};
const struct op_list_line *op_list_line(const struct op_list *list);
/* What the last operation returned: a realloc that failed leaves its block alive. Called after each operation. */
void op_list_returned(struct op_list *list, uint64_t result);

/* A place to read on from again: a copy of the last operation, which may not have ended, and of what lives there, and
 * where the next line is. NULL: the host has no memory. */
struct op_list_mark;
struct op_list_mark *op_list_mark(const struct op_list *list);
enum status op_list_return(struct op_list *list, const struct op_list_mark *mark, struct error *error);
void op_list_mark_free(struct op_list_mark *mark); /* NULL is allowed */
size_t op_list_mark_bytes(const struct op_list_mark *mark);

/* Slots are reused: every slot of an operation is below this. */
uint32_t op_list_slots(const struct op_list *list);

#endif
