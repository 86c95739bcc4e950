/* Files of packed references: headers, and what is in the blocks. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "references_packed.h"

static const char magic[8] = "FLTREFS2";

/* Before each block; little-endian. Of the last one, PACKED_END: what all blocks had. */
struct block_header {
	uint32_t packing;
	uint32_t references;
	uint32_t pages;        /* new ones, whose numbers in the trace come first */
	uint32_t number_bytes; /* packed */
	uint32_t reference_bytes;
};

static enum status damaged(const char *name, const char *how, uint64_t references, struct error *error)
{
	return error_set(error, STATUS_BAD_INPUT, "%s: the packed reference string %s, after %llu references", name,
			 how, (unsigned long long)references);
}

/* ---- writing ---- */

/* Pages get their dense numbers in the order in which they come, so the new ones of a block are the highest. */
static uint32_t pages_after(const uint32_t *references, uint32_t count, uint32_t pages)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t page = references[i] & ~REFERENCES_WRITE;
		pages = page >= pages ? page + 1 : pages;
	}
	return pages;
}

static bool write_bytes(FILE *file, const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, file) == size;
}

/* Returns how many pages there are then; 0: it could not be written. */
static uint32_t write_block(struct references_codec *codec, const struct references *all, const uint32_t *references,
			    uint32_t count, uint32_t pages, FILE *file)
{
	const uint32_t after = pages_after(references, count, pages);
	struct packed_references packed = {.count = count, .pages = pages};
	size_t number_bytes;
	references_pack(codec, references, &packed);
	const uint8_t *numbers = references_pack_numbers(codec, all->number + pages, after - pages, &number_bytes);
	const struct block_header header = {
	    .packing = htole32(packed.packing),
	    .references = htole32(count),
	    .pages = htole32(after - pages),
	    .number_bytes = htole32((uint32_t)number_bytes),
	    .reference_bytes = htole32((uint32_t)packed.size),
	};
	bool good = write_bytes(file, &header, sizeof(header)) && write_bytes(file, numbers, number_bytes) &&
		    write_bytes(file, packed.bytes, packed.size);
	return good ? after : 0;
}

static bool write_all(struct references_codec *codec, const struct references *references, FILE *file)
{
	struct references_reader *reader = references_reader_new(references);
	const uint32_t *block;
	uint32_t pages = 0, count;
	bool good = write_bytes(file, magic, sizeof(magic));
	while (good && (count = (uint32_t)references_next(reader, &block)) > 0) {
		pages = write_block(codec, references, block, count, pages, file);
		good = pages > 0;
	}
	references_reader_free(reader);
	const struct block_header end = {.packing = htole32(PACKED_END),
					 .references = htole32((uint32_t)references->count),
					 .pages = htole32(pages)};
	return good && write_bytes(file, &end, sizeof(end));
}

enum status references_write_packed(const struct references *references, FILE *file, struct error *error)
{
	struct references_codec *codec = references_codec_new();
	bool good = write_all(codec, references, file);
	references_codec_free(codec);
	return good ? STATUS_OK : error_set(error, STATUS_HOST, "the reference string could not be written");
}

/* ---- reading ---- */

struct reader {
	struct references *references;
	struct references_codec *codec;
	const uint8_t *at, *end;
	uint32_t *page; /* dense number here of each page of the file; NULL: the same, there were none before */
	uint32_t pages;
	uint64_t count;
	struct references_packed *kept; /* NULL: what is read goes to the string's own references */
	uint64_t numbers[BLOCK_REFERENCES];
	uint32_t unpacked[BLOCK_REFERENCES];
};

bool references_is_packed(const void *content, size_t length)
{
	return length >= sizeof(magic) && memcmp(content, magic, sizeof(magic) - 1) == 0;
}

/* The next bytes; NULL: there are not so many. */
static const uint8_t *take(struct reader *reader, size_t size)
{
	const uint8_t *bytes = reader->at;
	if ((size_t)(reader->end - bytes) < size)
		return NULL;
	reader->at += size;
	return bytes;
}

static void find_pages(struct reader *reader, uint32_t count)
{
	uint32_t *page = realloc(reader->page, ((size_t)reader->pages + count + 1) * sizeof(*page));
	BUG_ON(!page);
	reader->page = page;
	for (uint32_t i = 0; i < count; i++)
		page[reader->pages + i] = references_page(reader->references, reader->numbers[i]);
}

static bool read_numbers(struct reader *reader, const struct block_header *header)
{
	const uint8_t *bytes = take(reader, header->number_bytes);
	if (!bytes || header->pages > header->references || reader->pages + header->pages > REFERENCES_MOST_PAGES ||
	    !references_unpack_numbers(reader->codec, bytes, header->number_bytes, header->pages, reader->numbers))
		return false;
	if (reader->page)
		find_pages(reader, header->pages);
	else
		references_new_pages(reader->references, reader->numbers, header->pages);
	reader->pages += header->pages;
	return true;
}

/* Pages of the file, in the block's references, become those here. */
static void renumber(const struct reader *reader, uint32_t *references, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		references[i] = reader->page[references[i] & ~REFERENCES_WRITE] | (references[i] & REFERENCES_WRITE);
}

static void keep(struct references_packed *kept, const struct packed_references *block)
{
	if (kept->blocks == kept->room) {
		kept->room = kept->room ? 2 * kept->room : 16;
		kept->block = realloc(kept->block, kept->room * sizeof(*kept->block));
		BUG_ON(!kept->block);
	}
	kept->block[kept->blocks++] = *block;
}

static bool read_block(struct reader *reader, const struct block_header *header)
{
	struct packed_references packed = {.packing = header->packing,
					   .count = header->references,
					   .pages = reader->pages,
					   .size = header->reference_bytes};
	if (packed.count == 0 || packed.count > BLOCK_REFERENCES || !read_numbers(reader, header))
		return false;
	packed.bytes = take(reader, packed.size);
	uint32_t *references = reader->kept ? reader->unpacked : references_room(reader->references, packed.count);
	if (!packed.bytes || !references_unpack(reader->codec, &packed, reader->pages, references))
		return false;
	if (reader->kept)
		keep(reader->kept, &packed);
	else if (reader->page)
		renumber(reader, references, packed.count);
	reader->references->count += packed.count;
	reader->count += packed.count;
	return true;
}

static bool read_header(struct reader *reader, struct block_header *header)
{
	const uint8_t *bytes = take(reader, sizeof(*header));
	if (!bytes)
		return false;
	memcpy(header, bytes, sizeof(*header));
	header->packing = le32toh(header->packing);
	header->references = le32toh(header->references);
	header->pages = le32toh(header->pages);
	header->number_bytes = le32toh(header->number_bytes);
	header->reference_bytes = le32toh(header->reference_bytes);
	return header->packing < PACKING_COUNT;
}

/* What the last header says of all blocks. */
static bool is_end(const struct reader *reader, const struct block_header *header)
{
	return header->packing == PACKED_END && header->references == reader->count && header->pages == reader->pages &&
	       reader->at == reader->end;
}

static enum status read_blocks(struct reader *reader, const char *name, struct error *error)
{
	struct block_header header;
	bool more;
	while ((more = read_header(reader, &header)) && header.packing != PACKED_END) {
		if (!read_block(reader, &header))
			return damaged(name, "is damaged", reader->count, error);
		if (reader->references->count > REFERENCES_MOST)
			return error_set(error, STATUS_BAD_INPUT, "%s: more than 2^32 - 2 references", name);
	}
	return more && is_end(reader, &header) ? STATUS_OK
					       : damaged(name, "ends early or is damaged", reader->count, error);
}

static enum status read_content(struct references *references, struct references_packed *kept, const void *content,
				size_t length, const char *name, struct error *error)
{
	if (length < sizeof(magic) || memcmp(content, magic, sizeof(magic)) != 0)
		return error_set(
		    error, STATUS_BAD_INPUT,
		    "%s: this packed reference string is of another version; this program reads and writes "
		    "version 2",
		    name);
	struct reader *reader = calloc(1, sizeof(*reader));
	BUG_ON(!reader);
	reader->references = references;
	reader->kept = kept;
	reader->page = references->pages ? calloc(1, sizeof(*reader->page)) : NULL;
	BUG_ON(references->pages && !reader->page);
	reader->codec = references_codec_new();
	reader->at = (const uint8_t *)content + sizeof(magic);
	reader->end = (const uint8_t *)content + length;
	enum status status = read_blocks(reader, name, error);
	references_codec_free(reader->codec);
	free(reader->page);
	free(reader);
	return status;
}

enum status references_read_packed(struct references *references, const void *content, size_t length, const char *name,
				   struct error *error)
{
	return read_content(references, NULL, content, length, name, error);
}

enum status references_keep_packed(struct references *references, char *content, size_t length, const char *name,
				   struct error *error)
{
	BUG_ON(references->pages > 0);
	struct references_packed *kept = calloc(1, sizeof(*kept));
	BUG_ON(!kept);
	enum status status = read_content(references, kept, content, length, name, error);
	if (status == STATUS_OK) {
		kept->content = content;
		references->packed = kept;
	} else {
		references_packed_free(kept);
	}
	return status;
}

void references_packed_free(struct references_packed *packed)
{
	if (!packed)
		return;
	free(packed->content);
	free(packed->block);
	free(packed);
}
