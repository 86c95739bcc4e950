/* A workload document: a JSON script or an op list, read, checked and ready to run (WORKLOAD.md is its language). After
 * loading, everything in it is valid; what can still go wrong while it runs depends on values that only the run knows.
 * One allocation owner: document_free frees it all. Looking at it is free; only document_set changes it. */
#ifndef FAULTLINE_DOCUMENT_H
#define FAULTLINE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline/kernel.h"
#include "faultline/op.h"
#include "faultline/process.h"
#include "faultline/status.h"

struct heap_ops;
struct cpu_profile;

enum { DOCUMENT_MAX_PROCESSES = 64, DOCUMENT_MAX_FILES = 256, DOCUMENT_LONGEST_PATH = 255 };

/* One step of a compiled expression or name, on a stack of 64-bit integers. FORMULA_TEXT belongs to names: it adds
 * literal text, FORMULA_PRINT adds the value on the stack. */
enum formula_action {
	FORMULA_NUMBER,
	FORMULA_VARIABLE, /* number: depth of the repeat, the outermost is 0 */
	FORMULA_ADD,
	FORMULA_SUBTRACT,
	FORMULA_MULTIPLY,
	FORMULA_DIVIDE,
	FORMULA_REMAINDER,
	FORMULA_NEGATE,
	FORMULA_TEXT,
	FORMULA_PRINT,
};

struct formula_step {
	enum formula_action action;
	int64_t number;
	const char *text;
};

/* A value that only the run knows, because it depends on loop variables: it fills `field` of the operation. */
struct op_formula {
	const char *text; /* as written */
	enum op_type type;
	size_t field; /* offset in struct op */
	const struct formula_step *steps;
	unsigned step_count;
};

/* An operation of a script with its formulas. A script is flat: the body of a repeat follows it and ends before
 * op.body_end. */
struct script_op {
	struct op op;
	const struct op_formula *formulas;
	unsigned formula_count;
};

/* As op_detail, with formulas as they are written: "size={i*16}". */
void script_op_detail(const struct script_op *op, char *out, size_t room);

struct script {
	const struct script_op *ops;
	uint32_t count;
	const char *const *slot_names; /* names without loop variables, by slot; each process has its own */
	uint32_t slot_count;
	uint32_t text_bytes; /* of the text segment's image, which holds the code that no place is given for */
};

/* Where that image begins to hold it: before are the instructions that stand for the rest of the program. */
enum { DOCUMENT_CODE_OFFSET = 64 };

/* glibc.malloc.NAME=value of GLIBC_TUNABLES. */
struct tunable {
	const char *name;
	uint64_t value;
};

struct document_process {
	const char *name;
	const struct heap_ops *libc;
	uint64_t seed;  /* mixed into the seeds of the script; 0: they stay as they are */
	uint64_t cores; /* as the program's C library sees them; 0: 1 */
	struct process_spec spec;
	const struct tunable *tunables;
	unsigned tunable_count;
	struct script script;
	const char *op_list; /* path of the op list that it replays instead of a script; NULL: none */
};

struct document_machine {
	uint64_t memory_bytes;
	uint64_t cpus; /* 1 to MACHINE_MAX_CPUS */
	const struct cpu_profile *profile;
	enum paging_mode paging;
	enum tlb_replacement tlb_replacement;
	bool no_prediction; /* as in struct machine_config: for tests, no setting */
};

struct document {
	const char *path; /* as given */
	const char *name;
	const char *description; /* "" when it has none */
	struct document_machine machine;
	struct kernel_config kernel;
	const struct file_spec *files; /* on the disk when the machine boots */
	unsigned file_count;
	struct document_process *processes;
	unsigned process_count;
	uint64_t digest; /* FNV-1a 64 of the file's bytes and of all settings applied to it */
};

/* By its name: .ops or .ops.gz. */
bool document_is_op_list(const char *path);
/* Reads a .json, .ops or .ops.gz file. BAD_INPUT: error says where, what and how to mend. HOST: cannot be read. */
enum status document_load(const char *path, struct document **out, struct error *error);

/* The same for a JSON text in memory; `name` stands for the path in messages. */
enum status document_parse(const char *text, size_t length, const char *name, struct document **out,
			   struct error *error);

/* Reads an op list to its end without running it, as if every allocation succeeded; counts its operations.
 * document_load reads only its head, the rest is read while it runs. */
enum status document_check_op_list(const char *path, uint64_t *operations, struct error *error);
/* The same for a list in memory. */
enum status document_check_op_list_text(const char *text, size_t length, const char *name, uint64_t *operations,
					struct error *error);

void document_free(struct document *document); /* NULL is allowed */

/* A document of its own for settings of its own; everything that document_set leaves alone is shared with `base`, which
 * must outlive it. Costs a few KiB, however long the script is. */
enum status document_variant(const struct document *base, struct document **out, struct error *error);

/* Overrides one setting: "machine.memory=64MiB", "kernel.overcommit=never", "processes.NAME.libc=glibc", or
 * "libc=glibc" for all processes. */
enum status document_set(struct document *document, const char *assignment, struct error *error);

/* Calls visit("machine.memory", "64MiB", text) for every setting of the document with its present value. */
typedef void document_setting_fn(void *self, const char *key, const char *value, const char *text);
void document_settings(const struct document *document, document_setting_fn *visit, void *self);

/* Writes the JSON schema (draft 2020-12) of the script language. False: writing failed. */
typedef bool document_write_fn(void *self, const char *text, size_t length);
bool document_write_schema(document_write_fn *write, void *self);

#endif
