/* Values as people write them: sizes with binary units, hexadecimal words. One grammar for documents, settings and
 * the schema, whose patterns stand here beside the parsers. */
#ifndef FAULTLINE_WORKLOAD_VALUE_H
#define FAULTLINE_WORKLOAD_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

/* The largest whole number that a JSON number holds exactly in every program: 2^53 - 1, RFC 8259 section 6. */
#define VALUE_MAX_NUMBER (((uint64_t)1 << 53) - 1)

/* As many digits before the unit as never overflow 64 bits. */
#define VALUE_SIZE_PATTERN                                                                                             \
	"(0x[0-9a-fA-F]{1,16}|[0-9]{1,15}B|([0-9]{1,15}(\\.[0-9]{1,6})?KiB)|([0-9]{1,12}(\\.[0-9]{1,6})?MiB)|"         \
	"([0-9]{1,9}(\\.[0-9]{1,6})?GiB)|([0-9]{1,6}(\\.[0-9]{1,6})?TiB))"
#define VALUE_HEX_PATTERN "0x[0-9a-fA-F]{1,16}"
#define VALUE_ID_PATTERN "[A-Za-z_]([A-Za-z0-9_.-]|\\{[^{}]+\\}){0,63}"
#define VALUE_NAME_PATTERN "[A-Za-z_][A-Za-z0-9_]{0,31}"
#define VALUE_PROCESS_PATTERN "[A-Za-z_][A-Za-z0-9_-]{0,31}"
#define VALUE_FORMULA_PATTERN "\\{[^{}]+\\}"

/* "4KiB", "1.5MiB" (rounded down to a byte), "0x1000". Plain digits are no size: in JSON they are numbers. */
bool value_size(const char *text, size_t length, uint64_t *out, struct why *why);
bool value_hex(const char *text, size_t length, uint64_t *out, struct why *why);
/* Plain decimal digits, at most 2^64 - 1. */
bool value_digits(const char *text, size_t length, uint64_t *out);

bool value_is_id(const char *text);   /* {…} are taken as they are */
bool value_is_name(const char *text); /* of a loop variable */

bool value_is_process(const char *text);

/* The literal of a JSON number as a whole number within +-VALUE_MAX_NUMBER; 1e3 and 4.0 are whole. */
bool value_whole(const char *literal, size_t length, int64_t *out, struct why *why);

/* "4KiB" where that is exact, digits otherwise. */
struct value_text {
	char text[32];
};
struct value_text value_size_text(uint64_t bytes);

#endif
