/* Reading a script: what the readers of values share. */
#ifndef FAULTLINE_WORKLOAD_SCRIPT_H
#define FAULTLINE_WORKLOAD_SCRIPT_H

#include "formula.h"
#include "loader.h"
#include "names.h"

enum { SCRIPT_MAX_FORMULAS = 16 };

struct script_reader {
	struct loader *loader;
	struct names names;
	struct formula_scope scope;
	struct script_op *ops;
	uint32_t count;
	bool template_ids; /* some names are made from loop variables: which ones exist is known at run time only */

	/* The operation that is being read. */
	struct op *op;
	struct op_formula formulas[SCRIPT_MAX_FORMULAS];
	unsigned formula_count;
};

/* Reads one value into its field of reader->op. */
bool script_read_key(struct script_reader *reader, const cJSON *node, const struct op_key *key);
bool script_read_slot(struct script_reader *reader, const cJSON *node, const char *text, enum op_type type,
		      size_t field);
bool script_read_place(struct script_reader *reader, const cJSON *node, const struct op_key *key);
bool script_read_that(struct script_reader *reader, const cJSON *node, const struct op_key *key);
bool script_refuse_why(struct script_reader *reader, const cJSON *node, const struct why *why);
bool script_add_formula(struct script_reader *reader, const cJSON *node, const char *text, enum op_type type,
			size_t field);

#endif
