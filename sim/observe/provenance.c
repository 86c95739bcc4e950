#include "faultline/provenance.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

struct provenance_seeds provenance_seeds(const struct document *document)
{
	struct provenance provenance = provenance_of(document);
	struct provenance_seeds seeds = {"none"};
	size_t used = 0;
	for (unsigned i = 0; i < provenance.seed_count; i++)
		used += (size_t)snprintf(seeds.text + used, sizeof(seeds.text) - used, "%s%" PRIu64, i ? " " : "",
					 provenance.seeds[i]);
	used = strlen(seeds.text);
	if (provenance.more)
		(void)snprintf(seeds.text + used, sizeof(seeds.text) - used, " and others");
	return seeds;
}
