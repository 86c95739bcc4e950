/* A string in blocks, whether it is packed or not. */
#include <stdlib.h>
#include <string.h>

#include "faultline/references.h"
#include "references_packed.h"

struct references_reader {
	const struct references *references;
	struct references_codec *codec; /* NULL: the string is not packed */
	size_t next;                    /* block */
	uint32_t unpacked[BLOCK_REFERENCES];
};

struct references_reader *references_reader_new(const struct references *references)
{
	struct references_reader *reader = calloc(1, sizeof(*reader));
	BUG_ON(!reader);
	reader->references = references;
	reader->codec = references->packed ? references_codec_new() : NULL;
	return reader;
}

void references_reader_free(struct references_reader *reader)
{
	if (!reader)
		return;
	references_codec_free(reader->codec);
	free(reader);
}

static size_t blocks_of(const struct references *references)
{
	return references->packed ? references->packed->blocks
				  : (size_t)((references->count + BLOCK_REFERENCES - 1) / BLOCK_REFERENCES);
}

static size_t read_block(struct references_reader *reader, size_t index, const uint32_t **block)
{
	const struct references *references = reader->references;
	if (!references->packed) {
		const uint64_t first = (uint64_t)index * BLOCK_REFERENCES, left = references->count - first;
		*block = references->page + first;
		return left < BLOCK_REFERENCES ? (size_t)left : BLOCK_REFERENCES;
	}
	const struct packed_references *packed = &references->packed->block[index];
	BUG_ON(!references_unpack(reader->codec, packed, references->pages, reader->unpacked));
	*block = reader->unpacked;
	return packed->count;
}

size_t references_next(struct references_reader *reader, const uint32_t **block)
{
	if (reader->next == blocks_of(reader->references))
		return 0;
	return read_block(reader, reader->next++, block);
}

/* ---- looking ahead ---- */

uint32_t *references_next_uses(const struct references *references)
{
	uint32_t *next = malloc((references->count + 1) * sizeof(*next));
	uint32_t *last = malloc(((size_t)references->pages + 1) * sizeof(*last));
	struct references_reader *reader = references_reader_new(references);
	uint64_t at = references->count;
	BUG_ON(!next || !last);
	memset(last, 0xff, ((size_t)references->pages + 1) * sizeof(*last));
	for (size_t index = blocks_of(references); index > 0; index--) {
		const uint32_t *block;
		for (size_t i = read_block(reader, index - 1, &block); i > 0; i--) {
			uint32_t page = block[i - 1] & ~REFERENCES_WRITE;
			next[--at] = last[page];
			last[page] = (uint32_t)at;
		}
	}
	references_reader_free(reader);
	free(last);
	return next;
}
