/* The cycle of the processor: fetch at RIP, decode, see who may, execute, and raise what came of it. */
#include "exec.h"

#include <stdio.h>

#include "faultline/status.h"

static void tell(struct execution *x, const char *outcome)
{
	struct machine *machine = x->machine;
	emit(machine->bus, EVENT_INSTRUCTION, event_text(x->insn->text), event_text(outcome), x->before.rip);
	x->told = true;
}

void execution_tell(struct execution *x)
{
	if (!x->told)
		tell(x, "executed");
}

/* ---- who may ---- */

static bool is_allowed(const struct cpu *cpu, enum insn_who who)
{
	switch (who) {
	case INSN_WHO_CPL0:
		return cpu->cpl == 0;
	case INSN_WHO_UMIP:
		return cpu->cpl == 0 || !(cpu->cr4 & CR4_UMIP);
	case INSN_WHO_TSD:
		return cpu->cpl == 0 || !(cpu->cr4 & CR4_TSD);
	case INSN_WHO_PCE:
		return cpu->cpl == 0 || (cpu->cr4 & CR4_PCE);
	case INSN_WHO_IOPL: /* CLI and STI look themselves, because of CR4.PVI; ports because of the bitmap */
	case INSN_WHO_PORT:
	case INSN_WHO_ANY:
	case INSN_WHO_GATE:
		return true;
	}
	return false;
}

static enum cost cost_of(enum insn insn)
{
	if (insn > INSN_LAST_NAMED)
		return COST_COMPUTE;
	if (insn == INSN_MOV_TO_CR3)
		return COST_CR3_LOAD;
	return insn == INSN_INVLPG ? COST_INVLPG : COST_PRIVILEGED;
}

static enum outcome perform(struct execution *x)
{
	enum insn insn = x->insn->insn;
	x->machine->stats.instructions++;
	enum outcome outcome = is_allowed(x->cpu, insn_info(insn)->who) ? insn_function(insn)(x) : refuse_protection(x);
	if (outcome == OUTCOME_REFUSED) {
		*x->cpu = x->before;
		tell(x, vector_name(x->trap.vector));
		return outcome;
	}
	if (outcome == OUTCOME_DONE || outcome == OUTCOME_JUMPED || outcome == OUTCOME_AGAIN)
		machine_spend(x->machine, cost_of(insn));
	execution_tell(x);
	return outcome;
}

/* Field by field: an execution holds all registers, and clearing what is written at once would cost as much as the
 * instruction. */
static void begin(struct execution *x, struct machine *machine, const struct decoded *insn)
{
	static const uint64_t masks[] = {[CODE_16] = UINT16_MAX, [CODE_32] = UINT32_MAX, [CODE_64] = UINT64_MAX};
	x->machine = machine;
	x->cpu = &machine->cpu;
	x->insn = insn;
	x->next_rip = (machine->cpu.rip + insn->length) & masks[code_mode(&machine->cpu)];
	x->before = machine->cpu;
	x->span.bytes = 0;
	x->told = false;
}

/* ---- by name ---- */

static unsigned from_hex(const char *digits, uint8_t *out)
{
	unsigned count = 0;
	for (; digits[2 * count]; count++) {
		unsigned byte;
		BUG_ON(sscanf(digits + 2 * count, "%2x", &byte) != 1);
		out[count] = (uint8_t)byte;
	}
	return count;
}

static void decode_named(enum insn insn, uint64_t operand, struct decoded *out)
{
	uint8_t bytes[MAX_INSN_BYTES];
	enum insn_gives gives;
	unsigned count = from_hex(insn_encoding(insn, &gives), bytes);
	BUG_ON(decode(CODE_64, bytes, count, out) != DECODE_OK || out->insn != insn);
	out->text = insn_info(insn)->name;
	out->length = 0; /* it takes no room: RIP stays */
	if (gives != GIVES_OP0 && gives != GIVES_OP1)
		return;
	struct operand *given = &out->operand[gives == GIVES_OP0 ? 0 : 1];
	if (given->kind == OPERAND_MEMORY)
		given->base = REGISTER_NONE;
	else
		given->kind = OPERAND_IMMEDIATE;
	given->value = operand;
}

/* Instructions without operands find theirs in registers; those hold it meanwhile. */
static bool lend_registers(struct cpu *cpu, enum insn insn, uint64_t operand)
{
	enum insn_gives gives;
	(void)insn_encoding(insn, &gives);
	if (gives == GIVES_RCX)
		cpu->gpr[GPR_RCX] = operand;
	if (gives == GIVES_RAX) {
		cpu->gpr[GPR_RAX] = operand;
		cpu->gpr[GPR_RCX] = cpu->gpr[GPR_RDX] = 0;
	}
	return gives == GIVES_RCX || gives == GIVES_RAX;
}

static void take_back_registers(struct cpu *cpu, enum insn insn, const struct cpu *before)
{
	cpu->gpr[GPR_RCX] = before->gpr[GPR_RCX];
	if (insn == INSN_WRPKRU) {
		cpu->gpr[GPR_RAX] = before->gpr[GPR_RAX];
		cpu->gpr[GPR_RDX] = before->gpr[GPR_RDX];
	}
}

static bool enter_handler(struct execution *x, const struct trap_origin *origin)
{
	if (x->insn->insn != INSN_SYSCALL && x->insn->insn != INSN_SYSENTER)
		return false;
	trap_run_handler(x->machine, origin);
	return trap_came_back(x->machine, origin);
}

bool machine_instruction(struct machine *machine, enum insn insn, uint64_t operand)
{
	BUG_ON(insn >= INSN_COUNT);
	if (machine->why_stopped)
		return false;
	struct decoded named;
	decode_named(insn, operand, &named);
	struct trap_origin origin = trap_origin(machine);
	struct cpu before = machine->cpu;
	bool lent = lend_registers(&machine->cpu, insn, operand);
	struct execution x;
	begin(&x, machine, &named);
	enum outcome outcome = perform(&x);
	if (lent)
		take_back_registers(&machine->cpu, insn, &before);
	if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_TRAP)
		return trap_raise(machine, &x.trap);
	if (outcome == OUTCOME_JUMPED)
		return enter_handler(&x, &origin);
	return outcome == OUTCOME_DONE && !machine->why_stopped;
}

/* ---- at RIP ---- */

/* Fetches at most the rest of the page, and not beyond the limit of the code segment. False: x->trap. */
static bool fetch_part(struct execution *x, unsigned have, uint8_t *bytes, unsigned *got)
{
	unsigned room = MAX_INSN_BYTES - have;
	uint64_t offset = x->cpu->rip + have;
	struct vaddr va = vaddr(offset);
	if (!in_64bit_mode(x->cpu)) {
		const struct segment_shadow *code = &x->cpu->shadow[SREG_CS];
		offset &= UINT32_MAX;
		if (offset > code->limit)
			return (void)refuse_protection(x), false;
		if (code->limit - offset < room)
			room = (unsigned)(code->limit - offset) + 1;
		va = vaddr((uint32_t)(code->base + offset));
	}
	struct paddr pa;
	struct fault fault;
	if (!mmu_access(x->machine->mmu, va, ACCESS_FETCH, &pa, &fault)) {
		x->trap = trap_of_fault(&fault);
		return false;
	}
	uint64_t rest = PAGE_BYTES - page_offset(va.v);
	*got = rest < room ? (unsigned)rest : room;
	physmem_read(x->machine->mem, pa, bytes + have, *got);
	return true;
}

/* What was decoded at an address before is good for as long as the same bytes stand there. */
static bool recall_decoded(const struct decoded_slot *slot, enum code_mode mode, const uint8_t *bytes, unsigned count)
{
	return slot->insn.length != 0 && slot->mode == mode && slot->insn.length <= count &&
	       memcmp(slot->bytes, bytes, slot->insn.length) == 0;
}

/* False: x->trap, or the machine stopped. */
static bool fetch_and_decode(struct execution *x, struct decoded_slot *slot)
{
	uint8_t bytes[MAX_INSN_BYTES];
	unsigned count = 0, got;
	enum code_mode mode = code_mode(x->cpu);
	enum decode_result result = DECODE_MORE;
	for (; result == DECODE_MORE; count += got) {
		if (!fetch_part(x, count, bytes, &got))
			return false;
		if (recall_decoded(slot, mode, bytes, count + got))
			return true;
		result = decode(mode, bytes, count + got, &slot->insn);
	}
	slot->mode = (uint8_t)mode;
	memcpy(slot->bytes, bytes, count);
	if (result == DECODE_OK)
		return true;
	if (result == DECODE_UNKNOWN) {
		(void)snprintf(x->machine->why, sizeof(x->machine->why),
			       "the instruction %s at 0x%llx is valid, but not part of this processor's model",
			       slot->insn.text, (unsigned long long)x->cpu->rip);
		machine_stop(x->machine, x->machine->why);
	}
	slot->insn.length = 0;
	(void)refuse(x, result == DECODE_TOO_LONG ? VECTOR_PROTECTION : VECTOR_INVALID_OPCODE, 0);
	return false;
}

/* RIP stands where a native body is bound. It leaves by a return of its own, or it has ended what called it. */
static enum step run_native(struct machine *machine)
{
	uint64_t rip = machine->cpu.rip;
	trap_run_handler(machine, NULL);
	if (machine->why_stopped)
		return STEP_STOPPED;
	return machine->cpu.rip == rip ? STEP_LOST : STEP_DONE;
}

/* After each instruction that began with TF set: SDM 3B 17.3.1.4. */
static bool single_step(struct machine *machine, const struct cpu *before)
{
	enum { DR6_BS = 1 << 14 };
	if (!flag(before, RFLAGS_TF))
		return true;
	machine->cpu.dr[6] |= DR6_BS;
	struct trap trap = {.vector = VECTOR_DEBUG};
	return trap_deliver(machine, &trap);
}

static enum step finish(struct execution *x, enum outcome outcome)
{
	struct machine *machine = x->machine;
	bool running = !machine->why_stopped;
	switch (outcome) {
	case OUTCOME_DONE:
		x->cpu->rip = x->next_rip;
		x->cpu->rflags &= ~RFLAGS_RF;
		running = running && single_step(machine, &x->before);
		break;
	case OUTCOME_JUMPED:
	case OUTCOME_AGAIN:
		running = running && single_step(machine, &x->before);
		break;
	case OUTCOME_REFUSED:
	case OUTCOME_TRAP:
		running = running && trap_deliver(machine, &x->trap);
		break;
	case OUTCOME_STOPPED:
		running = false;
		break;
	}
	return running ? STEP_DONE : STEP_STOPPED;
}

struct decoded_slot *decoded_slots_new(struct arena *arena)
{
	return arena_new_array(arena, struct decoded_slot, DECODED_SLOTS);
}

enum step machine_step(struct machine *machine)
{
	if (machine->why_stopped)
		return STEP_STOPPED;
	if (machine_is_bound(machine, vaddr(machine->cpu.rip)))
		return run_native(machine);
	struct decoded_slot *slot = &machine->decoded[machine->cpu.rip % DECODED_SLOTS];
	struct execution x;
	x.machine = machine;
	x.cpu = &machine->cpu;
	if (!fetch_and_decode(&x, slot))
		return finish(&x, OUTCOME_REFUSED);
	begin(&x, machine, &slot->insn);
	return finish(&x, perform(&x));
}

enum run_end machine_run(struct machine *machine, const struct run_until *until, uint64_t *steps)
{
	const struct cpu *cpu = &machine->cpu;
	/* Not in the middle of a delivery: a native body that stands at RIP still runs. */
	for (*steps = 0; *steps < until->steps || machine_is_bound(machine, vaddr(cpu->rip)); ++*steps) {
		if (*steps && cpu->rip == until->rip && cpu->gpr[GPR_RSP] == until->rsp)
			return RUN_RETURNED;
		enum step step = machine_step(machine);
		if (step == STEP_STOPPED)
			return RUN_STOPPED;
		if (step == STEP_LOST)
			return RUN_LOST;
	}
	return cpu->rip == until->rip && cpu->gpr[GPR_RSP] == until->rsp ? RUN_RETURNED : RUN_LIMIT;
}
