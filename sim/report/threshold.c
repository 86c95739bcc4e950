#include "faultline/threshold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/stat.h"

/* Longer ones first: ">=" begins as ">" does. */
static const char *const ops[THRESHOLD_OPS] = {
    [THRESHOLD_GE] = ">=", [THRESHOLD_LE] = "<=", [THRESHOLD_EQ] = "==",
    [THRESHOLD_NE] = "!=", [THRESHOLD_GT] = ">",  [THRESHOLD_LT] = "<",
};

static enum status refuse(const char *text, const char *what, struct error *error)
{
	return error_set(
	    error, STATUS_BAD_INPUT,
	    "--fail-if \"%s\": %s; write STATISTIC, one of > >= < <= == !=, and a value: faults.major>100, "
	    "faults.major>+20 (a change), 'cycles>+5%%' (in percent)",
	    text, what);
}

/* False: does not fit. */
static bool take_name(const char *from, size_t length, char *room, size_t bytes)
{
	while (length && from[length - 1] == ' ')
		length--;
	if (length >= bytes)
		return false;
	memcpy(room, from, length);
	room[length] = '\0';
	return true;
}

static enum status take_value(const char *at, struct threshold *out, struct error *error)
{
	char *end;
	at += strspn(at, " ");
	bool sign = *at == '+' || *at == '-';
	if (!at[sign] || !strchr("0123456789.", at[sign]))
		return refuse(out->text, "there is no number behind the comparison", error);
	out->value = strtod(at, &end);
	bool percent = *end == '%';
	end += percent;
	if (*end || !isfinite(out->value))
		return refuse(out->text, "there is more than a number behind the comparison", error);
	if (percent && !sign)
		return refuse(out->text, "percent are a change and want a sign, + or -", error);
	out->kind = percent ? THRESHOLD_PERCENT : sign ? THRESHOLD_CHANGE : THRESHOLD_VALUE;
	return STATUS_OK;
}

enum status threshold_parse(const char *text, struct threshold *out, struct error *error)
{
	enum stat stat;
	*out = (struct threshold){.text = text};
	const char *at = text + strcspn(text, "<>=!");
	const char *name = text;
	for (const char *colon = text; colon < at; colon++)
		name = *colon == ':' ? colon + 1 : name;
	unsigned op = 0;
	while (op < THRESHOLD_OPS && strncmp(at, ops[op], strlen(ops[op])) != 0)
		op++;
	if (op == THRESHOLD_OPS)
		return refuse(text, "there is no comparison in it", error);
	out->op = (enum threshold_op)op;
	if (name > text && !take_name(text, (size_t)(name - text) - 1, out->scope, sizeof(out->scope)))
		return refuse(text, "there is no such scope", error);
	if (!take_name(name, (size_t)(at - name), out->name, sizeof(out->name)) || !stat_find(out->name, &stat))
		return refuse(text, "there is no such statistic (see faultline list stats)", error);
	return take_value(at + strlen(ops[op]), out, error);
}

/* Of nothing to something the change in percent has no end. */
static double measured(const struct threshold *threshold, double a, double b)
{
	switch (threshold->kind) {
	case THRESHOLD_VALUE:
		return b;
	case THRESHOLD_CHANGE:
		return b - a;
	case THRESHOLD_PERCENT:
		return a != 0 ? (b - a) * 100 / a : b == a ? 0 : INFINITY;
	}
	BUG();
}

bool threshold_exceeded(const struct threshold *threshold, double a, double b)
{
	double is = measured(threshold, a, b);
	switch (threshold->op) {
	case THRESHOLD_GE:
		return is >= threshold->value;
	case THRESHOLD_LE:
		return is <= threshold->value;
	case THRESHOLD_EQ:
		return is >= threshold->value && is <= threshold->value;
	case THRESHOLD_NE:
		return is < threshold->value || is > threshold->value;
	case THRESHOLD_GT:
		return is > threshold->value;
	case THRESHOLD_LT:
		return is < threshold->value;
	case THRESHOLD_OPS:
		break;
	}
	BUG();
}
