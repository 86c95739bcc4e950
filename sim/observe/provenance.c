#include "faultline/provenance.h"

static void add_seed(struct provenance *provenance, uint64_t seed)
{
	for (unsigned i = 0; i < provenance->seed_count; i++) {
		if (provenance->seeds[i] == seed)
			return;
	}
	if (provenance->seed_count == PROVENANCE_SEEDS)
		provenance->more = true;
	else
		provenance->seeds[provenance->seed_count++] = seed;
}

static bool is_computed(const struct script_op *op)
{
	for (unsigned i = 0; i < op->formula_count; i++) {
		if (op->formulas[i].field == offsetof(struct op, seed))
			return true;
	}
	return false;
}

struct provenance provenance_of(const struct document *document)
{
	struct provenance provenance = {0};
	for (unsigned i = 0; i < document->process_count; i++) {
		const struct script *script = &document->processes[i].script;
		for (uint32_t at = 0; at < script->count; at++) {
			if (script->ops[at].op.kind != OP_ACCESS)
				continue;
			if (is_computed(&script->ops[at]))
				provenance.more = true;
			else
				add_seed(&provenance, script->ops[at].op.seed);
		}
	}
	return provenance;
}
