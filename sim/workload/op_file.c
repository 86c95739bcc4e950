/* Keys of the file calls. The words of their flags are the kernel's lists. */
#include "faultline/fcntl.h"
#include "op_keys.h"

#define X(id, value, text) {"O_" #id, (value), (text)},
static const struct op_choice open_flags[] = {OPEN_FLAG_LIST(X){0}};
#undef X
#define X(id, value, text) {"SEEK_" #id, (value), (text)},
static const struct op_choice whences[] = {SEEK_LIST(X){0}};
#undef X

#define KEY_BUFFER KEY_AT("the memory")
#define KEY_BYTES KEY_LENGTH("bytes")

static const struct op_key open_keys[] = {
    KEY_NEW_ID("name of the descriptor"),
    {"path", OP_TYPE_TEXT, REQUIRED, FIELD(name), NULL, "name of the file"},
    {"flags", OP_TYPE_FLAGS, DEFAULT("O_RDONLY"), FIELD(flags), open_flags, "how"},
};
static const struct op_key fd_keys[] = {KEY_FD(REQUIRED)};
static const struct op_key transfer_keys[] = {KEY_FD(REQUIRED), KEY_BUFFER, KEY_OFFSET, KEY_BYTES};
static const struct op_key positioned_keys[] = {KEY_FD(REQUIRED), KEY_BUFFER, KEY_OFFSET, KEY_BYTES,
						KEY_FILE_OFFSET(REQUIRED)};
static const struct op_key lseek_keys[] = {
    KEY_FD(REQUIRED),
    {"by", OP_TYPE_INTEGER, DEFAULT("0"), FIELD(increment), NULL, "bytes, may be negative"},
    {"whence", OP_TYPE_CHOICE, DEFAULT("SEEK_SET"), FIELD(whence), whences, "from where"},
};
static const struct op_key ftruncate_keys[] = {KEY_FD(REQUIRED), KEY_LENGTH("the new size")};

static const struct key_list lists[OP_KIND_COUNT] = {
    [OP_OPEN] = KEYS(open_keys),        [OP_CLOSE] = KEYS(fd_keys),
    [OP_READ_FD] = KEYS(transfer_keys), [OP_WRITE_FD] = KEYS(transfer_keys),
    [OP_PREAD] = KEYS(positioned_keys), [OP_PWRITE] = KEYS(positioned_keys),
    [OP_LSEEK] = KEYS(lseek_keys),      [OP_FTRUNCATE] = KEYS(ftruncate_keys),
    [OP_FSYNC] = KEYS(fd_keys),
};

const struct key_list *op_file_keys(enum op_kind kind)
{
	return lists[kind].keys ? &lists[kind] : NULL;
}
