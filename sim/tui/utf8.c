#include "utf8.h"

enum { REPLACEMENT = 0xfffd };

/* Bytes of the sequence that a byte begins; 0: none. RFC 3629 */
static unsigned sequence_bytes(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

uint32_t utf8_next(const char **text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *bytes = (const uint8_t *)*text;
	unsigned count = sequence_bytes(bytes[0]);
	uint32_t code = count == 1 ? bytes[0] : count ? bytes[0] & (0x7fu >> count) : REPLACEMENT;
	for (unsigned i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80) {
			count = 0;
			break;
		}
		code = code << 6 | (bytes[i] & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code < 0xe000;
	if (count == 0 || code < least[count] || surrogate || code > 0x10ffff) {
		(*text)++;
		return REPLACEMENT;
	}
	*text += count;
	return code;
}

unsigned utf8_length(const char *text)
{
	unsigned length = 0;
	while (*text) {
		(void)utf8_next(&text);
		length++;
	}
	return length;
}

void utf8_put(uint32_t code, char out[5])
{
	unsigned count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (unsigned i = count - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)(marks[count] | code);
	out[count] = '\0';
}

bool utf8_is_plain(uint32_t code)
{
	/* Latin with its accents, Greek and Cyrillic; arrows, lines, blocks and shapes. Everything else has characters
	 * that some terminals draw over two columns, or none. */
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x20, 0x7e},   {0xa1, 0xac},   {0xae, 0x2ff},    {0x370, 0x377},   {0x37a, 0x37f},
		      {0x384, 0x482}, {0x48a, 0x52f}, {0x2010, 0x2027}, {0x2190, 0x21ff}, {0x2500, 0x25fc}};
	for (unsigned i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	}
	return false;
}
