/* The operations of a workload, as one table: the loader, the JSON schema, `list ops`, the documentation and completion
 * are expansions of it. An operation is one step of a program: a call of the C library, an access, a system call, a
 * processor instruction, or a word to the simulator itself. */
#ifndef FAULTLINE_OP_H
#define FAULTLINE_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OP_GROUP_LIST(X)                                                                                               \
	X(LIBC, "libc", "calls of the C library")                                                                      \
	X(ACCESS, "access", "loads, stores and instruction fetches of the program")                                    \
	X(SYSCALL, "system call", "made directly from ring 3, bypassing the C library")                                \
	X(PROCESSOR, "processor", "instructions, executed at the current privilege level")                             \
	X(STACK, "stack", "calls of functions")                                                                        \
	X(CONTROL, "control", "loops, phases, the scheduler")                                                          \
	X(CHECK, "check", "what must hold here")

enum op_group {
#define X(id, name, text) OP_GROUP_##id,
	OP_GROUP_LIST(X)
#undef X
	    OP_GROUP_COUNT
};

/* X(ID, "name", GROUP, "text"): the keys of each are in op_keys(). */
#define OP_LIST(X)                                                                                                     \
	X(MALLOC, "malloc", LIBC, "malloc(size); the block is called id")                                              \
	X(CALLOC, "calloc", LIBC, "calloc(count, size)")                                                               \
	X(REALLOC, "realloc", LIBC, "realloc(id, size); the result is called new_id, or id again")                     \
	X(FREE, "free", LIBC, "free(id); id keeps its value, as a pointer does")                                       \
	X(ALIGNED_ALLOC, "aligned_alloc", LIBC, "aligned_alloc(alignment, size)")                                      \
	X(REALLOCARRAY, "reallocarray", LIBC,                                                                          \
	  "reallocarray(id, count, size); the result is called new_id, or id again")                                   \
	X(POSIX_MEMALIGN, "posix_memalign", LIBC,                                                                      \
	  "posix_memalign(&id, alignment, size); the result is the error number")                                      \
	X(VALLOC, "valloc", LIBC, "valloc(size): at a page boundary")                                                  \
	X(PVALLOC, "pvalloc", LIBC, "pvalloc(size): whole pages")                                                      \
	X(MALLOC_TRIM, "malloc_trim", LIBC, "malloc_trim(pad)")                                                        \
	X(MALLOPT, "mallopt", LIBC, "mallopt(param, value)")                                                           \
	X(USABLE_SIZE, "malloc_usable_size", LIBC, "malloc_usable_size(id)")                                           \
	X(PTHREAD_CREATE, "pthread_create", LIBC, "makes the thread `child`; operations with that `thread` run in it") \
	X(PTHREAD_JOIN, "pthread_join", LIBC, "the thread `child` returns from its function, and is waited for")       \
	X(READ, "read", ACCESS, "loads from a range")                                                                  \
	X(WRITE, "write", ACCESS, "stores to a range")                                                                 \
	X(EXECUTE, "execute", ACCESS, "fetches instructions from a range")                                             \
	X(ACCESS, "access", ACCESS, "many accesses to a range in a pattern")                                           \
	X(BRK, "brk", SYSCALL, "brk(at)")                                                                              \
	X(SBRK, "sbrk", SYSCALL, "sbrk(increment), the C library's function on top of brk")                            \
	X(MMAP, "mmap", SYSCALL, "mmap(at, length, prot, flags, fd, file_offset); the mapping is called id")           \
	X(MUNMAP, "munmap", SYSCALL, "munmap(at, length)")                                                             \
	X(MREMAP, "mremap", SYSCALL, "mremap(at, length, new_length, flags, to); the result is called new_id")         \
	X(MPROTECT, "mprotect", SYSCALL, "mprotect(at, length, prot)")                                                 \
	X(MADVISE, "madvise", SYSCALL, "madvise(at, length, advice)")                                                  \
	X(MLOCK, "mlock", SYSCALL, "mlock(at, length), or mlock2 with flags")                                          \
	X(MUNLOCK, "munlock", SYSCALL, "munlock(at, length)")                                                          \
	X(MLOCKALL, "mlockall", SYSCALL, "mlockall(flags)")                                                            \
	X(MUNLOCKALL, "munlockall", SYSCALL, "munlockall()")                                                           \
	X(MINCORE, "mincore", SYSCALL, "mincore(at, length, vec)")                                                     \
	X(MSYNC, "msync", SYSCALL, "msync(at, length, flags)")                                                         \
	X(OPEN, "open", SYSCALL, "open(path, flags), by openat; the descriptor is called id")                          \
	X(CLOSE, "close", SYSCALL, "close(fd)")                                                                        \
	X(READ_FD, "read_fd", SYSCALL, "read(fd, at, length): from the file, at its position")                         \
	X(WRITE_FD, "write_fd", SYSCALL, "write(fd, at, length): to the file, at its position")                        \
	X(PREAD, "pread", SYSCALL, "pread(fd, at, length, file_offset)")                                               \
	X(PWRITE, "pwrite", SYSCALL, "pwrite(fd, at, length, file_offset)")                                            \
	X(LSEEK, "lseek", SYSCALL, "lseek(fd, by, whence); SEEK_END tells the size")                                   \
	X(FTRUNCATE, "ftruncate", SYSCALL, "ftruncate(fd, length)")                                                    \
	X(FSYNC, "fsync", SYSCALL, "fsync(fd)")                                                                        \
	X(SETRLIMIT, "setrlimit", SYSCALL, "setrlimit(resource, soft, hard), by prlimit64")                            \
	X(GETPID, "getpid", SYSCALL, "getpid(), the shortest way into the kernel and back")                            \
	X(FORK, "fork", SYSCALL,                                                                                       \
	  "fork(); the child runs `body`, and exits behind it; the parent goes on behind the body")                    \
	X(VFORK, "vfork", SYSCALL,                                                                                     \
	  "vfork(); the child runs `body` in the memory of the parent, which waits until it has called `exec` or "     \
	  "ended")                                                                                                     \
	X(EXEC, "exec", SYSCALL,                                                                                       \
	  "execve(\"/usr/bin/program\"): a new address space; the script goes on in it, its descriptors stay")         \
	X(WAIT, "wait", SYSCALL, "wait(NULL): until a child has ended; the result is its pid")                         \
	X(EXIT, "exit", SYSCALL, "exit(status)")                                                                       \
	X(INSTRUCTION, "instruction", PROCESSOR, "one privileged or sensitive instruction")                            \
	X(CODE, "code", PROCESSOR,                                                                                     \
	  "runs machine code until it returns, faults or reaches the limit; the result is RAX")                        \
	X(CALL, "call", STACK, "calls a function that uses `frame` bytes of stack")                                    \
	X(RETURN, "return", STACK, "returns from the function called last")                                            \
	X(REPEAT, "repeat", CONTROL, "runs `body` `times` times; `as` names the loop variable, which counts from 0")   \
	X(PHASE, "phase", CONTROL, "begins a phase; statistics are also kept per phase")                               \
	X(YIELD, "yield", CONTROL, "lets the scheduler pick the next process")                                         \
	X(EXPECT, "expect", CHECK, "compares a statistic or the answer of a query")

enum op_kind {
#define X(id, name, group, text) OP_##id,
	OP_LIST(X)
#undef X
	    OP_KIND_COUNT
};

/* What a key's value may be: X(ID, "what is allowed, in words"). */
#define OP_TYPE_LIST(X)                                                                                                \
	X(NEW_ID, "a name for the result: a letter or _, then letters, digits, _ . - and {loop variable}")             \
	X(ID, "the name of a block or mapping")                                                                        \
	X(SIZE, "a number of bytes, \"4KiB\", \"0x1000\" or \"{expression}\"")                                         \
	X(STRIDE, "a number of bytes above 0, \"4KiB\", \"page\" or \"{expression}\"")                                 \
	X(COUNT, "a whole number from 0 up, or \"{expression}\"")                                                      \
	X(INTEGER, "a whole number, \"4KiB\", \"-4KiB\" or \"{expression}\"")                                          \
	X(WORD, "a whole number from 0 up, \"0x...\" or \"{expression}\"")                                             \
	X(RATIO, "a number from 0 to 1")                                                                               \
	X(EXPONENT, "a number above 0, at most 10")                                                                    \
	X(FLAG, "true or false")                                                                                       \
	X(PLACE,                                                                                                       \
	  "a place: \"id\", \"id+4096\", \"0x...\", {\"block\": id}, {\"mapping\": id}, {\"addr\": \"0x...\"}, "       \
	  "{\"segment\": name} or {\"brk\": n}")                                                                       \
	X(TEXT, "a text that is not empty")                                                                            \
	X(NAME, "a letter or _, then letters, digits and _")                                                           \
	X(CHOICE, "one of the listed words")                                                                           \
	X(FLAGS, "listed words joined by |")                                                                           \
	X(PARAM, "one of the listed words, or a whole number")                                                         \
	X(BYTES, "pairs of hexadecimal digits, with or without blanks between them: \"48c7c02a000000 c3\"")            \
	X(BODY, "a list of operations")                                                                                \
	X(THAT, "a statistic, op.STATISTIC, phase.STATISTIC, machine.STATISTIC, result, errno, signal, "               \
		"mapped(PLACE), frame(PLACE), content(PLACE) or register(NAME)")                                       \
	X(BOUND, "a whole number, \"4KiB\" or \"{expression}\"")                                                       \
	X(ANSWER, "a whole number, \"4KiB\", \"0x...\", true, false or a name such as \"SIGSEGV\"")

enum op_type {
#define X(id, text) OP_TYPE_##id,
	OP_TYPE_LIST(X)
#undef X
	    OP_TYPES
};

/* A word of a CHOICE, FLAGS or PARAM key and what it stands for. Lists end with a NULL name. */
struct op_choice {
	const char *name;
	uint64_t value;
	const char *text;
};

/* One key of an operation. */
struct op_key {
	const char *name;
	enum op_type type;
	bool required;
	const char *preset; /* the default in words; "" when required or absent */
	size_t field;       /* offset in struct op */
	const struct op_choice *choices;
	const char *text;
};

struct op_info {
	const char *name;
	enum op_group group;
	const char *text;
};

const struct op_info *op_info(enum op_kind kind);
bool op_find(const char *name, enum op_kind *out);
const char *op_group_name(enum op_group group);
const char *op_type_text(enum op_type type);
/* The keys of an operation, without "op", "note" and "label", which all have. */
const struct op_key *op_keys(enum op_kind kind, unsigned *count);

/* Variables of the program are numbered slots; a slot keeps its address after free, as a pointer does. OP_NO_SLOT is
 * the null pointer ("NULL" in a script, 0 in an op list). */
#define OP_NO_SLOT UINT32_MAX
#define OP_SAME_SLOT (UINT32_MAX - 1) /* new_id is not given: the one of id or at */

/* op.hard: the hard limit stays as it is. */
#define OP_KEEP_LIMIT (UINT64_MAX - 1)

struct op_name {
	uint32_t slot;
	const char *text; /* "" in an op list */
};

enum place_kind { PLACE_NONE, PLACE_SLOT, PLACE_ADDRESS, PLACE_SEGMENT, PLACE_BREAK };

/* What an access or a system call points at: the base that `kind` says, plus offset. */
struct place {
	enum place_kind kind;
	uint32_t slot;    /* PLACE_SLOT */
	const char *name; /* of the slot as written, NULL in an op list */
	uint32_t segment; /* PLACE_SEGMENT: enum segment */
	uint64_t address; /* PLACE_ADDRESS */
	int64_t offset;
};

/* op.stride: one byte of every page of the range, the first at its start, the others at the pages' first bytes. */
#define OP_STRIDE_PAGE UINT64_MAX

#define ACCESS_PATTERN_LIST(X)                                                                                         \
	X(SEQUENTIAL, "sequential", "element after element, upwards, from the start again behind the end")             \
	X(REVERSE, "reverse", "element after element, downwards")                                                      \
	X(STRIDE, "stride", "as sequential; say the distance with `stride`")                                           \
	X(UNIFORM, "uniform", "every element equally likely")                                                          \
	X(ZIPF, "zipf", "element k (from 1) with probability proportional to 1/k^theta")                               \
	X(CHASE, "chase", "pointer chasing: one pseudo-random cycle through all elements")                             \
	X(PHASES, "phases", "the range in `phases` parts, one after the other, uniform in each")

enum access_pattern {
#define X(id, name, text) ACCESS_PATTERN_##id,
	ACCESS_PATTERN_LIST(X)
#undef X
	    ACCESS_PATTERN_COUNT
};

/* What an `expect` asks. */
enum that_kind {
	THAT_STAT, /* of this process since its start */
	THAT_OP,   /* of the operation before */
	THAT_PHASE,
	THAT_MACHINE,
	THAT_RESULT,
	THAT_ERRNO,
	THAT_SIGNAL,
	THAT_MAPPED,
	THAT_FRAME,
	THAT_CONTENT,
	THAT_REGISTER,
};

/* What register(NAME) asks for: the general registers as in cpu.h, then these. */
#define OP_REGISTER_RIP 16u
#define OP_REGISTER_RFLAGS 17u

struct that {
	const char *text; /* as written */
	enum that_kind kind;
	uint32_t stat;      /* enum stat */
	uint32_t reg;       /* of register() */
	struct place place; /* of the queries */
};

/* Machine code. */
struct op_code {
	const char *text; /* as written, NULL: none */
	const uint8_t *bytes;
	uint32_t count;
	uint32_t offset; /* of code that no place is given for: in the image of the text segment */
};

/* A number, or a word such as "SIGSEGV" (then text is set). */
struct answer {
	bool given;
	const char *text;
	uint64_t number;
};

/* One operation, checked and ready to be executed. Names are as their keys; a key that an operation does not have is
 * zero. The texts belong to the document. */
struct op {
	enum op_kind kind;
	uint32_t line, column; /* in the source */
	const char *pointer;   /* JSON pointer; "" in an op list */
	const char *note;      /* NULL: none */
	const char *label;     /* NULL: none */
	uint64_t thread;       /* number of the thread that does it; 0: the main thread */
	uint64_t child;        /* of pthread_create and pthread_join */
	struct op_name id, new_id;
	struct op_name fd; /* a descriptor */
	struct place at, to;
	int64_t offset, increment;
	uint64_t size, length, new_length, count, alignment, stride, value, pad, frame, times, seed, phases, operand;
	bool has_value, has_frame;
	bool whole_pages; /* madvise, mprotect: the whole pages inside the range; no call when there is none */
	bool watched;     /* an `expect` on op.STATISTIC may follow */
	bool forgets;     /* op lists: nothing names the slot of id any more after this */
	int64_t param;
	uint64_t prot, flags, advice, pattern, insn, status;
	uint64_t resource, soft, hard; /* setrlimit */
	uint64_t file_offset, whence;
	uint64_t text_bytes, rodata_bytes, data_bytes, bss_bytes; /* exec; 0: the defaults */
	double write_ratio, theta;
	const char *name, *as;
	struct op_code code;
	uint64_t steps;
	struct that that;
	struct answer equals, at_least, at_most;
	uint32_t body_end; /* repeat, fork, vfork: index of the operation behind its body */
};

/* Fills in the defaults of the keys of this kind. */
void op_init(struct op *op, enum op_kind kind);

/* The keys that are not at their defaults, as "id=buf size=100KiB", cut at the room. */
void op_detail(const struct op *op, char *out, size_t room);

#endif
