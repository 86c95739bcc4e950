/* The references and the page numbers of one block in few bytes, as docs/references-2.md has them. */
#ifndef FAULTLINE_TRACE_REFERENCES_CODEC_H
#define FAULTLINE_TRACE_REFERENCES_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BLOCK_REFERENCES = 1 << 16 };

enum packing { PACKED_END, PACKED_WORDS, PACKED_DIFFERENCES, PACKED_HEADS, PACKING_COUNT };

struct references_codec;

/* A block, packed. */
struct packed_references {
	enum packing packing;
	uint32_t count; /* references, 1 to BLOCK_REFERENCES */
	uint32_t pages; /* that there were before; the number of the first new one */
	const uint8_t *bytes;
	size_t size;
};

/* Ends the program when the host has no memory. */
struct references_codec *references_codec_new(void);
void references_codec_free(struct references_codec *codec); /* NULL is allowed */

/* Fills in packing, bytes and size. The bytes stay until the next call. */
void references_pack(struct references_codec *codec, const uint32_t *references, struct packed_references *packed);
/* False: damaged; else all pages are below `limit`. */
bool references_unpack(struct references_codec *codec, const struct packed_references *packed, uint32_t limit,
		       uint32_t *references);

/* Up to BLOCK_REFERENCES page numbers. The bytes stay until the next call. */
const uint8_t *references_pack_numbers(struct references_codec *codec, const uint64_t *numbers, uint32_t count,
				       size_t *size);
bool references_unpack_numbers(struct references_codec *codec, const void *bytes, size_t size, uint32_t count,
			       uint64_t *numbers);

#endif
