/* The values of a parameter: lists and ranges. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "study_plan_private.h"
#include "value.h"

char *study_copy(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1, 1);
	memcpy(copy, text, length);
	return copy;
}

bool study_value_add(struct arena *arena, struct study_parameter *parameter, const char *text, size_t length,
		     struct why *why)
{
	if (length == 0)
		return why_set(why, "there is an empty value: remove a comma");
	if (parameter->count == STUDY_MAX_VALUES)
		return why_set(why, "there are more than %d values: take a larger step", STUDY_MAX_VALUES);
	for (unsigned i = 0; i < parameter->count; i++) {
		if (strlen(parameter->values[i]) == length && memcmp(parameter->values[i], text, length) == 0)
			return why_set(why, "the value %s is there twice: remove one",
				       quoted_length(text, length).text);
	}
	if (!parameter->values)
		parameter->values = arena_new_array(arena, const char *, STUDY_MAX_VALUES);
	parameter->values[parameter->count++] = study_copy(arena, text, length);
	return true;
}

/* ---- ranges ---- */

/* A whole number, or a size when it has a unit. */
struct amount {
	uint64_t value;
	bool is_size;
};

static bool read_amount(const char *text, size_t length, struct amount *out, struct why *why)
{
	struct why unused;
	*out = (struct amount){0};
	if (value_digits(text, length, &out->value))
		return true;
	out->is_size = value_size(text, length, &out->value, &unused);
	return out->is_size || why_set(why,
				       "\"%s\" is neither a whole number nor a size: ranges are written A..B, "
				       "A..B+STEP or A..B*FACTOR, as in 16MiB..1GiB*2",
				       quoted_length(text, length).text);
}

struct range {
	struct amount first, last, step;
	bool multiplies;
};

static bool read_range(const char *text, size_t length, struct range *range, struct why *why)
{
	const char *dots = strstr(text, "..");
	const char *last = dots + 2;
	size_t rest = length - (size_t)(last - text);
	const char *sign = memchr(last, '*', rest);
	*range = (struct range){.step.value = 1, .multiplies = sign != NULL};
	if (!sign)
		sign = memchr(last, '+', rest);
	size_t last_length = sign ? (size_t)(sign - last) : rest;
	if (!read_amount(text, (size_t)(dots - text), &range->first, why) ||
	    !read_amount(last, last_length, &range->last, why))
		return false;
	if (sign && !read_amount(sign + 1, rest - last_length - 1, &range->step, why))
		return false;
	if (range->first.value > range->last.value)
		return why_set(why, "the range %s runs backwards: write the smaller end first",
			       quoted_length(text, length).text);
	if (range->multiplies && (range->step.value < 2 || range->step.is_size || range->first.value == 0))
		return why_set(why,
			       "the range %s never gets on: it wants a whole factor from 2 up, and not 0 to "
			       "begin with",
			       quoted_length(text, length).text);
	if (range->step.value == 0)
		return why_set(why, "the range %s never gets on: its step is 0", quoted_length(text, length).text);
	if (!sign && range->last.is_size)
		return why_set(why, "a range of sizes wants a step or a factor: %s+4KiB, or %s*2",
			       quoted_length(text, length).text, quoted_length(text, length).text);
	return true;
}

static bool next_in_range(const struct range *range, uint64_t *value)
{
	uint64_t next;
	bool over = range->multiplies ? __builtin_mul_overflow(*value, range->step.value, &next)
				      : __builtin_add_overflow(*value, range->step.value, &next);
	*value = next;
	return !over && next <= range->last.value;
}

static bool add_range(struct arena *arena, struct study_parameter *parameter, const char *text, size_t length,
		      struct why *why)
{
	struct range range;
	if (!read_range(text, length, &range, why))
		return false;
	uint64_t value = range.first.value;
	do {
		char digits[32];
		struct value_text size = value_size_text(value);
		(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
		const char *shown = range.last.is_size ? size.text : digits;
		if (!study_value_add(arena, parameter, shown, strlen(shown), why))
			return false;
	} while (next_in_range(&range, &value));
	return true;
}

bool study_values_add(struct arena *arena, struct study_parameter *parameter, const char *list, struct why *why)
{
	for (const char *at = list;; at++) {
		size_t length = strcspn(at, ",");
		char *item = study_copy(arena, at, length);
		bool is_range = strstr(item, "..") != NULL;
		if (is_range ? !add_range(arena, parameter, item, length, why)
			     : !study_value_add(arena, parameter, item, length, why))
			return false;
		at += length;
		if (!*at)
			return true;
	}
}

void study_values_classify(struct study_parameter *parameter)
{
	bool numbers = true;
	bool sizes = true;
	struct why why;
	uint64_t value;
	for (unsigned i = 0; i < parameter->count; i++) {
		const char *text = parameter->values[i];
		bool digits = value_digits(text, strlen(text), &value);
		numbers = numbers && digits;
		/* 0x1000 is an address here, not a size. */
		sizes = sizes && (digits || (text[1] != 'x' && value_size(text, strlen(text), &value, &why)));
	}
	parameter->type = numbers ? STUDY_NUMBER : sizes ? STUDY_SIZE : STUDY_TEXT;
}
