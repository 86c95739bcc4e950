#include "faultline/op.h"

#include <string.h>

#include "faultline/insn.h"
#include "faultline/syscall.h"
#include "op_keys.h"

static const struct op_info infos[OP_KIND_COUNT] = {
#define X(id, name, group, text) [OP_##id] = {name, OP_GROUP_##group, text},
    OP_LIST(X)
#undef X
};

static const char *const group_names[OP_GROUP_COUNT] = {
#define X(id, name, text) [OP_GROUP_##id] = (name),
    OP_GROUP_LIST(X)
#undef X
};

static const char *const type_texts[OP_TYPES] = {
#define X(id, text) [OP_TYPE_##id] = (text),
    OP_TYPE_LIST(X)
#undef X
};

/* mallopt(3), malloc.h of glibc 2.36. */
static const struct op_choice mallopt_params[] = {
    {"M_MXFAST", 1, "largest request of a fastbin"},
    {"M_TRIM_THRESHOLD", (uint64_t)-1, "top chunk size from which free gives memory back"},
    {"M_TOP_PAD", (uint64_t)-2, "extra bytes of every brk"},
    {"M_MMAP_THRESHOLD", (uint64_t)-3, "requests from here on are mapped"},
    {"M_MMAP_MAX", (uint64_t)-4, "how many blocks may be mapped"},
    {"M_CHECK_ACTION", (uint64_t)-5, "has no effect since glibc 2.26"},
    {"M_PERTURB", (uint64_t)-6, "byte that fills new and freed blocks"},
    {"M_ARENA_TEST", (uint64_t)-7, "arenas from which on their number is limited by the cores"},
    {"M_ARENA_MAX", (uint64_t)-8, "most arenas"},
    {0},
};

static const struct op_choice patterns[] = {
#define X(id, name, text) {name, ACCESS_PATTERN_##id, text},
    ACCESS_PATTERN_LIST(X)
#undef X
	{0},
};

static const struct op_choice insns[] = {
#define X(id, name, who, gives, bytes, operand, effect, page) {#name, INSN_##id, effect},
    INSN_LIST(X)
#undef X
	{0},
};

static const struct op_key malloc_keys[] = {KEY_NEW_ID("name of the block"), KEY_SIZE};
static const struct op_key calloc_keys[] = {
    KEY_NEW_ID("name of the block"),
    {"count", OP_TYPE_SIZE, DEFAULT("1"), FIELD(count), NULL, "elements"},
    KEY_SIZE,
};
static const struct op_key realloc_keys[] = {
    KEY_ID,
    {"new_id", OP_TYPE_NEW_ID, DEFAULT("id"), FIELD(new_id), NULL, "name of the result"},
    KEY_SIZE,
};
static const struct op_key free_keys[] = {KEY_ID};
static const struct op_key aligned_alloc_keys[] = {
    KEY_NEW_ID("name of the block"),
    {"alignment", OP_TYPE_SIZE, REQUIRED, FIELD(alignment), NULL, "the address is a multiple of it"},
    KEY_SIZE,
};
static const struct op_key reallocarray_keys[] = {
    KEY_ID,
    {"new_id", OP_TYPE_NEW_ID, DEFAULT("id"), FIELD(new_id), NULL, "name of the result"},
    {"count", OP_TYPE_SIZE, REQUIRED, FIELD(count), NULL, "elements"},
    KEY_SIZE,
};
static const struct op_key thread_keys[] = {
    {"child", OP_TYPE_COUNT, REQUIRED, FIELD(child), NULL, "number of the thread, from 1 up"},
};
static const struct op_key malloc_trim_keys[] = {
    {"pad", OP_TYPE_SIZE, DEFAULT("0"), FIELD(pad), NULL, "bytes to keep at the top"},
};
static const struct op_key mallopt_keys[] = {
    {"param", OP_TYPE_PARAM, REQUIRED, FIELD(param), mallopt_params, "which parameter"},
    {"value", OP_TYPE_INTEGER, REQUIRED, FIELD(increment), NULL, "its new value"},
};
static const struct op_key read_keys[] = {KEY_AT("start of the range"), KEY_OFFSET, KEY_RANGE, KEY_STRIDE};
static const struct op_key write_keys[] = {
    KEY_AT("start of the range"),
    KEY_OFFSET,
    KEY_RANGE,
    KEY_STRIDE,
    {"value", OP_TYPE_WORD, DEFAULT("the content does not matter"), FIELD(value), NULL,
     "an 8-byte little-endian word that is stored again and again over the range, its low bytes in what is shorter"},
};
static const struct op_key access_keys[] = {
    KEY_AT("start of the range"),
    KEY_OFFSET,
    KEY_LENGTH("bytes of the range"),
    {"count", OP_TYPE_SIZE, DEFAULT("as many as there are elements"), FIELD(count), NULL, "accesses"},
    {"pattern", OP_TYPE_CHOICE, DEFAULT("sequential"), FIELD(pattern), patterns, "which element comes next"},
    {"stride", OP_TYPE_STRIDE, DEFAULT("8; \"page\" for uniform, zipf, chase and phases"), FIELD(stride), NULL,
     "bytes of an element, whose first word is accessed; \"page\" is 4096"},
    {"write_ratio", OP_TYPE_RATIO, DEFAULT("0"), FIELD(write_ratio), NULL, "the part of the accesses that store"},
    {"seed", OP_TYPE_WORD, DEFAULT("1"), FIELD(seed), NULL, "of the random numbers"},
    {"theta", OP_TYPE_EXPONENT, DEFAULT("0.99"), FIELD(theta), NULL, "exponent of zipf"},
    {"phases", OP_TYPE_COUNT, DEFAULT("4"), FIELD(phases), NULL, "parts of phases"},
};
static const struct op_key sbrk_keys[] = {
    {"increment", OP_TYPE_INTEGER, REQUIRED, FIELD(increment), NULL, "bytes, may be negative"},
};
static const struct op_key exit_keys[] = {
    {"status", OP_TYPE_COUNT, DEFAULT("0"), FIELD(status), NULL, "exit status"},
};
static const struct op_key instruction_keys[] = {
    {"name", OP_TYPE_CHOICE, REQUIRED, FIELD(insn), insns, "the instruction"},
    {"operand", OP_TYPE_WORD, DEFAULT("0"), FIELD(operand), NULL, "its operand"},
};
static const struct op_key code_keys[] = {
    {"bytes", OP_TYPE_BYTES, DEFAULT("what stands there"), FIELD(code), NULL, "the machine code; ends with a return"},
    {"at", OP_TYPE_PLACE, DEFAULT("in the program's text"), FIELD(at), NULL,
     "where it runs; `bytes` are stored there first, as any program would"},
    {"steps", OP_TYPE_COUNT, DEFAULT("1000000"), FIELD(steps), NULL, "instructions and faults at most"},
};
static const struct op_key call_keys[] = {
    {"frame", OP_TYPE_SIZE, DEFAULT("64"), FIELD(frame), NULL, "bytes of stack used"},
};
static const struct op_key return_keys[] = {
    {"frame", OP_TYPE_SIZE, DEFAULT("as the call"), FIELD(frame), NULL, "bytes of stack given back"},
};
static const struct op_key repeat_keys[] = {
    {"times", OP_TYPE_COUNT, REQUIRED, FIELD(times), NULL, "how often"},
    {"as", OP_TYPE_NAME, DEFAULT("no variable"), FIELD(as), NULL, "name of the loop variable, which counts from 0"},
    {"body", OP_TYPE_BODY, REQUIRED, FIELD(body_end), NULL, "what is repeated"},
};
static const struct op_key fork_keys[] = {
    {"body", OP_TYPE_BODY, REQUIRED, FIELD(body_end), NULL, "what the child does"},
};
static const struct op_key exec_keys[] = {
    {"program", OP_TYPE_NAME, REQUIRED, FIELD(name), NULL, "name of the program"},
    {"text", OP_TYPE_SIZE, DEFAULT("16KiB"), FIELD(text_bytes), NULL, "bytes of its code"},
    {"rodata", OP_TYPE_SIZE, DEFAULT("8KiB"), FIELD(rodata_bytes), NULL, "of its constants"},
    {"data", OP_TYPE_SIZE, DEFAULT("8KiB"), FIELD(data_bytes), NULL, "of its initialised variables"},
    {"bss", OP_TYPE_SIZE, DEFAULT("8KiB"), FIELD(bss_bytes), NULL, "of its zero-initialised variables"},
};
static const struct op_key phase_keys[] = {
    {"name", OP_TYPE_TEXT, REQUIRED, FIELD(name), NULL, "name of the phase"},
};
static const struct op_key expect_keys[] = {
    {"that", OP_TYPE_THAT, REQUIRED, FIELD(that), NULL, "what is asked"},
    {"equals", OP_TYPE_ANSWER, DEFAULT(""), FIELD(equals), NULL, "the answer must be this"},
    {"at_least", OP_TYPE_BOUND, DEFAULT(""), FIELD(at_least), NULL, "the answer must not be lower"},
    {"at_most", OP_TYPE_BOUND, DEFAULT(""), FIELD(at_most), NULL, "the answer must not be higher"},
};

static const struct key_list key_lists[OP_KIND_COUNT] = {
    [OP_MALLOC] = KEYS(malloc_keys),
    [OP_CALLOC] = KEYS(calloc_keys),
    [OP_REALLOC] = KEYS(realloc_keys),
    [OP_FREE] = KEYS(free_keys),
    [OP_ALIGNED_ALLOC] = KEYS(aligned_alloc_keys),
    [OP_REALLOCARRAY] = KEYS(reallocarray_keys),
    [OP_POSIX_MEMALIGN] = KEYS(aligned_alloc_keys),
    [OP_VALLOC] = KEYS(malloc_keys),
    [OP_PVALLOC] = KEYS(malloc_keys),
    [OP_PTHREAD_CREATE] = KEYS(thread_keys),
    [OP_PTHREAD_JOIN] = KEYS(thread_keys),
    [OP_MALLOC_TRIM] = KEYS(malloc_trim_keys),
    [OP_MALLOPT] = KEYS(mallopt_keys),
    [OP_USABLE_SIZE] = KEYS(free_keys),
    [OP_READ] = KEYS(read_keys),
    [OP_WRITE] = KEYS(write_keys),
    [OP_EXECUTE] = KEYS(read_keys),
    [OP_ACCESS] = KEYS(access_keys),
    [OP_SBRK] = KEYS(sbrk_keys),
    [OP_FORK] = KEYS(fork_keys),
    [OP_VFORK] = KEYS(fork_keys),
    [OP_EXEC] = KEYS(exec_keys),
    [OP_EXIT] = KEYS(exit_keys),
    [OP_INSTRUCTION] = KEYS(instruction_keys),
    [OP_CODE] = KEYS(code_keys),
    [OP_CALL] = KEYS(call_keys),
    [OP_RETURN] = KEYS(return_keys),
    [OP_REPEAT] = KEYS(repeat_keys),
    [OP_PHASE] = KEYS(phase_keys),
    [OP_EXPECT] = KEYS(expect_keys),
};

const struct op_info *op_info(enum op_kind kind)
{
	return &infos[kind];
}

bool op_find(const char *name, enum op_kind *out)
{
	for (unsigned i = 0; i < OP_KIND_COUNT; i++) {
		if (strcmp(infos[i].name, name) == 0) {
			*out = (enum op_kind)i;
			return true;
		}
	}
	return false;
}

const char *op_group_name(enum op_group group)
{
	return group_names[group];
}

const char *op_type_text(enum op_type type)
{
	return type_texts[type];
}

const struct op_key *op_keys(enum op_kind kind, unsigned *count)
{
	const struct key_list *list = op_memory_keys(kind);
	if (!list)
		list = op_file_keys(kind);
	if (!list)
		list = &key_lists[kind];
	*count = list->count;
	return list->keys;
}

void op_init(struct op *op, enum op_kind kind)
{
	*op = (struct op){
	    .kind = kind,
	    .pointer = "",
	    .id = {OP_NO_SLOT, ""},
	    .new_id = {OP_SAME_SLOT, ""},
	    .fd = {OP_NO_SLOT, ""},
	    .length = 1,
	    .count = kind == OP_CALLOC ? 1 : 0,
	    .seed = 1,
	    .phases = 4,
	    .theta = 0.99,
	    .steps = 1000000,
	    .frame = kind == OP_CALL ? 64 : 0,
	    .prot = LINUX_PROT_READ | LINUX_PROT_WRITE,
	    .flags = op_memory_flags(kind),
	    .hard = OP_KEEP_LIMIT,
	    .advice = LINUX_MADV_DONTNEED,
	};
}
