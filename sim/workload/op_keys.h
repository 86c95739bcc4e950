/* Words in which the keys of operations are written down: op.c has those of most, op_memory.c of the memory calls. */
#ifndef FAULTLINE_WORKLOAD_OP_KEYS_H
#define FAULTLINE_WORKLOAD_OP_KEYS_H

#include "faultline/op.h"

#define FIELD(name) offsetof(struct op, name)
#define REQUIRED true, ""
#define DEFAULT(text) false, text

#define KEY_ID                                                                                                         \
	{                                                                                                              \
		"id", OP_TYPE_ID, REQUIRED, FIELD(id), NULL, "the block"                                               \
	}
#define KEY_NEW_ID(text)                                                                                               \
	{                                                                                                              \
		"id", OP_TYPE_NEW_ID, REQUIRED, FIELD(id), NULL, text                                                  \
	}
#define KEY_SIZE                                                                                                       \
	{                                                                                                              \
		"size", OP_TYPE_SIZE, REQUIRED, FIELD(size), NULL, "bytes"                                             \
	}
#define KEY_AT(text)                                                                                                   \
	{                                                                                                              \
		"at", OP_TYPE_PLACE, REQUIRED, FIELD(at), NULL, text                                                   \
	}
#define KEY_OFFSET                                                                                                     \
	{                                                                                                              \
		"offset", OP_TYPE_INTEGER, DEFAULT("0"), FIELD(offset), NULL, "added to `at`"                          \
	}
#define KEY_LENGTH(text)                                                                                               \
	{                                                                                                              \
		"length", OP_TYPE_SIZE, REQUIRED, FIELD(length), NULL, text                                            \
	}
#define KEY_RANGE                                                                                                      \
	{                                                                                                              \
		"length", OP_TYPE_SIZE, DEFAULT("1"), FIELD(length), NULL, "bytes of the range"                        \
	}
#define KEY_STRIDE                                                                                                     \
	{                                                                                                              \
		"stride", OP_TYPE_STRIDE, DEFAULT("every byte, as 8-byte words"), FIELD(stride), NULL,                 \
		    "one word of 8 bytes every so many bytes; \"page\": one byte of every page"                        \
	}
#define KEY_FD(mode)                                                                                                   \
	{                                                                                                              \
		"fd", OP_TYPE_ID, mode, FIELD(fd), NULL, "the descriptor that an open made"                            \
	}
#define KEY_FILE_OFFSET(mode)                                                                                          \
	{                                                                                                              \
		"file_offset", OP_TYPE_SIZE, mode, FIELD(file_offset), NULL, "where in the file"                       \
	}
#define KEY_WHOLE_PAGES                                                                                                \
	{                                                                                                              \
		"whole_pages", OP_TYPE_FLAG, DEFAULT("false"), FIELD(whole_pages), NULL,                               \
		    "round to the whole pages inside the range, and make no call when there is none"                   \
	}

struct key_list {
	const struct op_key *keys;
	unsigned count;
};

#define KEYS(array)                                                                                                    \
	{                                                                                                              \
		array, (unsigned)(sizeof(array) / sizeof(*(array)))                                                    \
	}

/* NULL: no memory call, no file call. */
const struct key_list *op_memory_keys(enum op_kind kind);
const struct key_list *op_file_keys(enum op_kind kind);
uint64_t op_memory_flags(enum op_kind kind); /* the default of `flags` */

#endif
