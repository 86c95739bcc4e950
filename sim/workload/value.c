#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faultline/units.h"

struct unit {
	const char *name;
	uint64_t bytes;
	unsigned digits;     /* allowed before the unit, so that 64 bits hold the product */
	const char *instead; /* NULL: the unit is right */
};

static const struct unit units[] = {
    {"B", 1, 15, NULL},   {"KiB", KIB, 15, NULL}, {"MiB", MIB, 12, NULL}, {"GiB", GIB, 9, NULL}, {"TiB", TIB, 6, NULL},
    {"kB", 0, 0, "KiB"},  {"KB", 0, 0, "KiB"},    {"K", 0, 0, "KiB"},     {"k", 0, 0, "KiB"},    {"kiB", 0, 0, "KiB"},
    {"kib", 0, 0, "KiB"}, {"MB", 0, 0, "MiB"},    {"mB", 0, 0, "MiB"},    {"mb", 0, 0, "MiB"},   {"M", 0, 0, "MiB"},
    {"m", 0, 0, "MiB"},   {"mib", 0, 0, "MiB"},   {"GB", 0, 0, "GiB"},    {"gb", 0, 0, "GiB"},   {"G", 0, 0, "GiB"},
    {"g", 0, 0, "GiB"},   {"gib", 0, 0, "GiB"},   {"TB", 0, 0, "TiB"},    {"tb", 0, 0, "TiB"},   {"T", 0, 0, "TiB"},
    {"tib", 0, 0, "TiB"}, {"b", 0, 0, "B"},       {"bytes", 0, 0, "B"},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool value_digits(const char *text, size_t length, uint64_t *out)
{
	uint64_t value = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = (unsigned)(text[i] - '0');
		if (!is_digit(text[i]) || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return length > 0;
}

bool value_hex(const char *text, size_t length, uint64_t *out, struct why *why)
{
	uint64_t value = 0;
	bool good = length > 2 && length <= 18 && text[0] == '0' && text[1] == 'x';
	for (size_t i = 2; good && i < length; i++) {
		char lower = (char)(text[i] | 0x20);
		unsigned digit = is_digit(text[i]) ? (unsigned)(text[i] - '0') : (unsigned)(lower - 'a') + 10;
		good = is_digit(text[i]) || (lower >= 'a' && lower <= 'f');
		value = value << 4 | digit;
	}
	if (!good)
		return why_set(why, "\"%s\" is no hexadecimal number; write 0x and 1 to 16 digits 0-9 a-f",
			       quoted_length(text, length).text);
	*out = value;
	return true;
}

static const struct unit *find_unit(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) == length && memcmp(units[i].name, text, length) == 0)
			return &units[i];
	}
	return NULL;
}

/* The fraction of a unit in bytes, rounded down: at most 6 digits times 2^40 fit easily. */
static uint64_t fraction_bytes(const char *digits, size_t count, uint64_t unit_bytes)
{
	uint64_t numerator = 0;
	uint64_t denominator = 1;
	for (size_t i = 0; i < count; i++) {
		numerator = numerator * 10 + (unsigned)(digits[i] - '0');
		denominator *= 10;
	}
	return numerator * unit_bytes / denominator;
}

static bool size_unit_error(const char *text, size_t length, size_t digits, const struct unit *unit, struct why *why)
{
	struct quoted shown = quoted_length(text, length);
	if (unit && unit->instead)
		return why_set(why, "\"%s\" is no size: sizes have binary units; write \"%.*s%s\"", shown.text,
			       (int)(digits < 20 ? digits : 20), text, unit->instead);
	if (digits == length && digits > 0)
		return why_set(why, "\"%s\" is no size: write %s without quotation marks, or add a unit: \"%sKiB\"",
			       shown.text, shown.text, shown.text);
	return why_set(why,
		       "\"%s\" is no size; allowed are a number of bytes, or digits and a unit B, KiB, MiB, GiB or "
		       "TiB as in \"4KiB\", or \"0x1000\"",
		       shown.text);
}

bool value_size(const char *text, size_t length, uint64_t *out, struct why *why)
{
	if (length >= 2 && text[0] == '0' && text[1] == 'x')
		return value_hex(text, length, out, why);
	size_t whole = 0;
	while (whole < length && is_digit(text[whole]))
		whole++;
	size_t end = whole;
	if (whole > 0 && end < length && text[end] == '.')
		for (end++; end < length && is_digit(text[end]); end++)
			continue;
	const struct unit *unit = find_unit(text + end, length - end);
	size_t fraction = end > whole ? end - whole - 1 : 0;
	bool bare_point = end > whole && fraction == 0;
	if (!unit || unit->instead || whole == 0 || bare_point)
		return size_unit_error(text, length, end, whole == 0 || bare_point ? NULL : unit, why);
	if (whole > unit->digits || fraction > 6 || (fraction > 0 && unit->bytes == 1))
		return why_set(why, "\"%s\" has too many digits; allowed are %u before %s%s",
			       quoted_length(text, length).text, unit->digits, unit->name,
			       unit->bytes == 1 ? " and no fraction" : " and 6 behind the point");
	uint64_t number = 0;
	(void)value_digits(text, whole, &number);
	*out = number * unit->bytes + fraction_bytes(text + whole + 1, fraction, unit->bytes);
	return true;
}

static bool is_word(const char *text, const char *also)
{
	size_t length = strlen(text);
	bool good = length >= 1 && length <= 32 && (is_letter(text[0]) || text[0] == '_');
	for (size_t i = 1; good && i < length; i++)
		good = is_letter(text[i]) || is_digit(text[i]) || strchr(also, text[i]);
	return good;
}

bool value_is_name(const char *text)
{
	return is_word(text, "_");
}

bool value_is_process(const char *text)
{
	return is_word(text, "_-");
}

/* Mirrors VALUE_ID_PATTERN: a {…} counts as one character. */
bool value_is_id(const char *text)
{
	if (!is_letter(*text) && *text != '_')
		return false;
	unsigned units_used = 0;
	for (text++; *text; units_used++) {
		if (*text == '{') {
			size_t inner = strcspn(text + 1, "{}");
			if (inner == 0 || text[1 + inner] != '}')
				return false;
			text += inner + 2;
		} else if (is_letter(*text) || is_digit(*text) || strchr("_.-", *text)) {
			text++;
		} else {
			return false;
		}
	}
	return units_used <= 63;
}

static bool too_large(const char *literal, size_t length, struct why *why)
{
	return why_set(why,
		       "%s is too large for a JSON number to be exact; the limit is 2^53-1, 9007199254740991: write "
		       "larger values as \"0x...\" where the key allows it",
		       quoted_length(literal, length).text);
}

bool value_whole(const char *literal, size_t length, int64_t *out, struct why *why)
{
	bool negative = length > 0 && literal[0] == '-';
	uint64_t magnitude = 0;
	size_t sign = negative ? 1 : 0;
	size_t digits = sign;
	while (digits < length && is_digit(literal[digits]))
		digits++;
	if (digits == length) {
		if (!value_digits(literal + sign, length - sign, &magnitude) || magnitude > VALUE_MAX_NUMBER)
			return too_large(literal, length, why);
	} else {
		char copy[64] = "";
		memcpy(copy, literal, length < sizeof(copy) ? length : sizeof(copy) - 1);
		double value = strtod(copy + sign, NULL);
		if (value > (double)VALUE_MAX_NUMBER)
			return too_large(literal, length, why);
		magnitude = (uint64_t)value;
		if ((double)magnitude < value)
			return why_set(why, "%s is not a whole number; leave out the fraction", copy);
	}
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

struct value_text value_size_text(uint64_t bytes)
{
	struct value_text out;
	static const struct unit *const largest_first[] = {&units[4], &units[3], &units[2], &units[1]};
	for (unsigned i = 0; i < 4; i++) {
		if (bytes != 0 && bytes % largest_first[i]->bytes == 0) {
			(void)snprintf(out.text, sizeof(out.text), "%" PRIu64 "%s", bytes / largest_first[i]->bytes,
				       largest_first[i]->name);
			return out;
		}
	}
	(void)snprintf(out.text, sizeof(out.text), "%" PRIu64, bytes);
	return out;
}
