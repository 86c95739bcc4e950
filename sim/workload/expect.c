/* What must hold: asks a statistic or a query, compares, tells. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/heap.h"
#include "world_private.h"

/* What a question was answered with: a number, or a word (then text is set). */
struct actual {
	const char *text;
	uint64_t number;
};

static struct actual word(const char *text)
{
	return (struct actual){.text = text};
}

static struct actual number(uint64_t value)
{
	return (struct actual){.number = value};
}

/* Statistics, by the window they look through. */
static uint64_t ask_statistic(const struct runner *runner, const struct that *that)
{
	struct stats now;
	struct stats out;
	const struct stats zero = {.cycle = 0};
	if (that->kind == THAT_MACHINE)
		world_machine_stats(runner->world, &now);
	else
		world_process_stats(runner->world, runner->index, &now);
	const struct stats *since = that->kind == THAT_OP      ? &runner->before_op
				    : that->kind == THAT_PHASE ? &runner->before_phase
							       : &zero;
	stats_difference(&now, since, &out);
	return out.value[that->stat];
}

/* The word at va, which may lie in two pages. False: it is not mapped whole. */
static bool peek_word(const struct runner *runner, uint64_t va, uint64_t *out)
{
	unsigned shift = (unsigned)(va & 7) * 8;
	uint64_t high = 0;
	if (!process_peek64(runner->process, vaddr(va - (va & 7)), out))
		return false;
	if (shift == 0)
		return true;
	if (!process_peek64(runner->process, vaddr(va - (va & 7) + 8), &high))
		return false;
	*out = *out >> shift | high << (64 - shift);
	return true;
}

/* Queries look at the page tables and at memory without touching them. A dead process has neither. */
static struct actual ask_place(struct runner *runner, const struct that *that)
{
	uint64_t va = 0;
	uint64_t content = 0;
	struct paddr pa;
	bool alive = runner->process->mm != NULL;
	if (alive && !runner_place(runner, &that->place, 0, &va))
		return word("none");
	bool mapped = alive && mmu_peek(machine_mmu_const(runner->world->machine), vaddr(va), &pa);
	if (that->kind == THAT_MAPPED)
		return number(mapped);
	if (that->kind == THAT_FRAME)
		return mapped ? number(paddr_to_pfn(pa).v) : word("none");
	if (!alive)
		return word("none");
	return peek_word(runner, va, &content) ? number(content) : word("none");
}

/* Of the process whose turn it is, so of the processor. */
static struct actual ask_register(const struct runner *runner, const struct that *that)
{
	const struct cpu *cpu = machine_cpu_const(runner->world->machine);
	if (runner->process->death.dead)
		return word("none");
	if (that->reg == OP_REGISTER_RIP)
		return number(cpu->rip);
	return number(that->reg == OP_REGISTER_RFLAGS ? cpu->rflags : cpu->gpr[that->reg]);
}

static struct actual ask(struct runner *runner, const struct that *that)
{
	const struct process_death *death = &runner->process->death;
	int errno_value = runner->heap->errno_value;
	switch (that->kind) {
	case THAT_STAT:
	case THAT_OP:
	case THAT_PHASE:
	case THAT_MACHINE:
		return number(ask_statistic(runner, that));
	case THAT_RESULT:
		return number(runner->result);
	case THAT_ERRNO:
		return word(errno_value == 0 ? "none" : linux_errno_name(errno_value));
	case THAT_SIGNAL:
		return word(death->signal ? death->signal_name : "none");
	case THAT_MAPPED:
	case THAT_FRAME:
	case THAT_CONTENT:
		return ask_place(runner, that);
	case THAT_REGISTER:
		return ask_register(runner, that);
	}
	BUG();
}

static bool equals(const struct actual *actual, const struct answer *answer)
{
	if (actual->text || answer->text)
		return actual->text && answer->text && strcmp(actual->text, answer->text) == 0;
	return actual->number == answer->number;
}

static bool holds(const struct actual *actual, const struct op *op)
{
	if (op->equals.given && !equals(actual, &op->equals))
		return false;
	if (op->at_least.given && (actual->text || actual->number < op->at_least.number))
		return false;
	return !op->at_most.given || (!actual->text && actual->number <= op->at_most.number);
}

/* Addresses read better in hexadecimal. */
static void print_number(char *out, size_t room, uint64_t value)
{
	(void)snprintf(out, room, value > UINT32_MAX ? "0x%" PRIx64 : "%" PRIu64, value);
}

static void print_actual(char *out, size_t room, const struct actual *actual)
{
	if (actual->text)
		(void)snprintf(out, room, "%s", actual->text);
	else
		print_number(out, room, actual->number);
}

static void add_bound(char *out, size_t room, const char *relation, const struct answer *answer)
{
	char value[32];
	size_t used = strlen(out);
	if (!answer->given)
		return;
	if (answer->text)
		(void)snprintf(value, sizeof(value), "%s", answer->text);
	else
		print_number(value, sizeof(value), answer->number);
	(void)snprintf(out + used, room - used, "%s%s %s", used ? " and " : "", relation, value);
}

static void print_expected(char *out, size_t room, const struct op *op)
{
	out[0] = '\0';
	add_bound(out, room, "equals", &op->equals);
	add_bound(out, room, "at least", &op->at_least);
	add_bound(out, room, "at most", &op->at_most);
}

void runner_expect(struct runner *runner, const struct op *op)
{
	struct world *world = runner->world;
	struct actual actual = ask(runner, &op->that);
	bool held = holds(&actual, op);
	char *expected_text = world_text(world);
	char *actual_text = world_text(world);
	print_expected(expected_text, WORLD_TEXT_BYTES, op);
	print_actual(actual_text, WORLD_TEXT_BYTES, &actual);
	world->progress.expectations++;
	if (op->that.kind == THAT_SIGNAL && held)
		runner->killing_expected = true;
	if (op->note)
		emit(&world->bus, EVENT_NOTE, event_text(op->note));
	emit(&world->bus, EVENT_EXPECT, event_text(op->that.text), event_text(held ? "holds" : "FAILS"),
	     event_text(expected_text), event_text(actual_text));
	if (held)
		return;
	world->progress.expectations_failed++;
	world_fail(world, STATUS_EXPECT_FAILED, "%s: expected %s %s, it is %s", runner_where(runner).text,
		   op->that.text, expected_text, actual_text);
}
