/* Instructions by name, and machine code. */
#include <string.h>

#include "action.h"
#include "faultline/insn.h"

uint64_t do_instruction(struct runner *runner, const struct op *op)
{
	user_instruction(runner->user, (enum insn)op->insn, op->operand);
	return 0;
}

/* Where the code of the operation stands; what is given with a place is stored there first. */
static bool place_of_code(struct runner *runner, const struct op *op, uint64_t *at)
{
	if (op->at.kind == PLACE_NONE) {
		*at = process_segment(runner->process, SEGMENT_TEXT).v + op->code.offset;
		return true;
	}
	if (!runner_place(runner, &op->at, 0, at))
		return false;
	for (uint32_t i = 0; i < op->code.count; i++)
		user_store8(runner->user, *at + i, op->code.bytes[i]);
	return true;
}

uint64_t do_code(struct runner *runner, const struct op *op)
{
	struct machine *machine = runner->world->machine;
	const struct cpu *cpu = machine_cpu_const(machine);
	uint64_t at;
	if (!place_of_code(runner, op, &at))
		return 0;
	uint64_t before = machine_stats(machine)->instructions;
	bool returned = user_code(runner->user, at, op->steps);
	emit(&runner->world->bus, EVENT_CODE, event_text(returned ? "returned" : "was stopped at its limit"),
	     machine_stats(machine)->instructions - before, cpu->gpr[GPR_RAX]);
	return cpu->gpr[GPR_RAX];
}

/* ---- the program's text ---- */

/* What the processor stands on while the script itself is the program: a loop that waits. */
static const uint8_t standing[] = {0xf3, 0x90, 0xeb, 0xfc}; /* pause; jmp back to it */

uint64_t runner_build_text(struct arena *arena, const struct script *script, const uint8_t **out)
{
	uint64_t bytes = script->text_bytes > sizeof(standing) ? script->text_bytes : sizeof(standing);
	uint8_t *text = arena_alloc(arena, bytes, 1);
	memcpy(text, standing, sizeof(standing));
	for (uint32_t i = 0; i < script->count; i++) {
		const struct op *op = &script->ops[i].op;
		if (op->kind == OP_CODE && op->at.kind == PLACE_NONE)
			memcpy(text + op->code.offset, op->code.bytes, op->code.count);
	}
	*out = text;
	return bytes;
}
