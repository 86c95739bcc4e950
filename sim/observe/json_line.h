/* One line of JSON on its way to a file: collected in a buffer, so that an event costs one call of the host's library
 * and not one for each of its characters. */
#ifndef FAULTLINE_OBSERVE_JSON_LINE_H
#define FAULTLINE_OBSERVE_JSON_LINE_H

#include <stdint.h>
#include <stdio.h>

enum { JSON_LINE_BYTES = 4096 };

struct json_line {
	FILE *out;
	size_t used;
	char bytes[JSON_LINE_BYTES];
};

void json_line_text(struct json_line *line, const char *text); /* as it is */
void json_line_number(struct json_line *line, uint64_t number);
void json_line_hex(struct json_line *line, uint64_t number); /* "0x1f", with the quotes */
/* Quoted and escaped; bytes that are no UTF-8 become U+FFFD. */
void json_line_string(struct json_line *line, const char *text);
void json_line_flush(struct json_line *line);

#endif
