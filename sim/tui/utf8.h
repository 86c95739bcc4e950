/* UTF-8, a code point at a time. */
#ifndef FAULTLINE_TUI_UTF8_H
#define FAULTLINE_TUI_UTF8_H

#include <stdbool.h>
#include <stdint.h>

/* The code point at *text, which moves behind it; U+FFFD, one byte long, for what is no UTF-8. Not at the end. */
uint32_t utf8_next(const char **text);
unsigned utf8_length(const char *text); /* in code points */
/* Up to four bytes and a zero. */
void utf8_put(uint32_t code, char out[5]);
/* Printable, and one column wide on every terminal: no controls, combining marks, or wide characters. */
bool utf8_is_plain(uint32_t code);

#endif
