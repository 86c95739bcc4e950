/* Keys of the memory calls. The words of their flags are the kernel's lists. */
#include "faultline/syscall.h"
#include "op_keys.h"

#define X(id, value, text) {"PROT_" #id, (value), (text)},
static const struct op_choice prots[] = {PROT_LIST(X){0}};
#undef X
#define X(id, value, text) {"MAP_" #id, (value), (text)},
static const struct op_choice map_flags[] = {MAP_FLAG_LIST(X){0}};
#undef X
#define X(id, value, text) {"MREMAP_" #id, (value), (text)},
static const struct op_choice mremap_flags[] = {MREMAP_FLAG_LIST(X){0}};
#undef X
#define X(id, value, text) {"MADV_" #id, (value), (text)},
static const struct op_choice advices[] = {MADV_LIST(X){0}};
#undef X
#define X(id, value, text) {"MLOCK_" #id, (value), (text)},
static const struct op_choice mlock_flags[] = {MLOCK_FLAG_LIST(X){0}};
#undef X
#define X(id, value, text) {"MCL_" #id, (value), (text)},
static const struct op_choice mlockall_flags[] = {MCL_LIST(X){0}};
#undef X
#define X(id, value, text) {"MS_" #id, (value), (text)},
static const struct op_choice msync_flags[] = {MS_LIST(X){0}};
#undef X
#define X(id, number, words, unit, text) {"RLIMIT_" #id, (number), (text)},
static const struct op_choice resources[] = {RLIMIT_LIST(X){0}};
#undef X

#define KEY_PROT(mode)                                                                                                 \
	{                                                                                                              \
		"prot", OP_TYPE_FLAGS, mode, FIELD(prot), prots, "what the pages allow"                                \
	}
#define KEY_FLAGS(mode, choices, text)                                                                                 \
	{                                                                                                              \
		"flags", OP_TYPE_FLAGS, mode, FIELD(flags), choices, text                                              \
	}
#define KEY_HERE KEY_AT("start of the range")
#define KEY_BYTES KEY_LENGTH("bytes")

static const struct op_key brk_keys[] = {KEY_AT("the new break")};
static const struct op_key mmap_keys[] = {
    KEY_NEW_ID("name of the mapping"),
    {"at", OP_TYPE_PLACE, DEFAULT("NULL: the kernel chooses"), FIELD(at), NULL, "where, or near where"},
    KEY_BYTES,
    KEY_PROT(DEFAULT("PROT_READ|PROT_WRITE")),
    KEY_FLAGS(DEFAULT("MAP_PRIVATE|MAP_ANONYMOUS, of a file MAP_PRIVATE"), map_flags, "kind of mapping"),
    KEY_FD(DEFAULT("no file")),
    KEY_FILE_OFFSET(DEFAULT("0")),
};
static const struct op_key munmap_keys[] = {KEY_HERE, KEY_OFFSET, KEY_BYTES};
static const struct op_key mremap_keys[] = {
    KEY_AT("start of the mapping"),
    KEY_OFFSET,
    KEY_LENGTH("its bytes now"),
    {"new_length", OP_TYPE_SIZE, REQUIRED, FIELD(new_length), NULL, "its bytes then"},
    KEY_FLAGS(DEFAULT("MREMAP_MAYMOVE"), mremap_flags, "how"),
    {"to", OP_TYPE_PLACE, DEFAULT("NULL"), FIELD(to), NULL, "where to move, for MREMAP_FIXED"},
    {"new_id", OP_TYPE_NEW_ID, DEFAULT("the block or mapping of `at`"), FIELD(new_id), NULL, "name of the result"},
};
static const struct op_key mprotect_keys[] = {KEY_HERE, KEY_OFFSET, KEY_BYTES, KEY_PROT(REQUIRED), KEY_WHOLE_PAGES};
static const struct op_key madvise_keys[] = {
    KEY_HERE,
    KEY_OFFSET,
    KEY_BYTES,
    {"advice", OP_TYPE_CHOICE, DEFAULT("MADV_DONTNEED"), FIELD(advice), advices, "what the kernel may do"},
    KEY_WHOLE_PAGES,
};
static const struct op_key mlock_keys[] = {
    KEY_HERE,
    KEY_OFFSET,
    KEY_BYTES,
    KEY_FLAGS(DEFAULT("mlock has none"), mlock_flags, "with flags it is mlock2"),
};
static const struct op_key mlockall_keys[] = {KEY_FLAGS(REQUIRED, mlockall_flags, "which memory")};
static const struct op_key mincore_keys[] = {
    KEY_HERE,
    KEY_OFFSET,
    KEY_BYTES,
    {"vec", OP_TYPE_PLACE, REQUIRED, FIELD(to), NULL, "where the answers go, a byte a page"},
};
static const struct op_key msync_keys[] = {
    KEY_HERE,
    KEY_OFFSET,
    KEY_BYTES,
    KEY_FLAGS(DEFAULT("MS_SYNC"), msync_flags, "how"),
};
static const struct op_key setrlimit_keys[] = {
    {"resource", OP_TYPE_CHOICE, REQUIRED, FIELD(resource), resources, "what is limited"},
    {"soft", OP_TYPE_SIZE, REQUIRED, FIELD(soft), NULL, "the limit; 0xffffffffffffffff: none"},
    {"hard", OP_TYPE_SIZE, DEFAULT("as it is"), FIELD(hard), NULL, "how far the program may raise it again"},
};

static const struct key_list lists[OP_KIND_COUNT] = {
    [OP_BRK] = KEYS(brk_keys),         [OP_MMAP] = KEYS(mmap_keys),         [OP_MUNMAP] = KEYS(munmap_keys),
    [OP_MREMAP] = KEYS(mremap_keys),   [OP_MPROTECT] = KEYS(mprotect_keys), [OP_MADVISE] = KEYS(madvise_keys),
    [OP_MLOCK] = KEYS(mlock_keys),     [OP_MUNLOCK] = KEYS(munmap_keys),    [OP_MLOCKALL] = KEYS(mlockall_keys),
    [OP_MINCORE] = KEYS(mincore_keys), [OP_MSYNC] = KEYS(msync_keys),       [OP_SETRLIMIT] = KEYS(setrlimit_keys),
};

const struct key_list *op_memory_keys(enum op_kind kind)
{
	return lists[kind].keys ? &lists[kind] : NULL;
}

uint64_t op_memory_flags(enum op_kind kind)
{
	if (kind == OP_MMAP)
		return LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS;
	if (kind == OP_MREMAP)
		return LINUX_MREMAP_MAYMOVE;
	return kind == OP_MSYNC ? LINUX_MS_SYNC : 0;
}
