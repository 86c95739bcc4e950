/* Reference strings in few bytes: see docs/references-1.md. In a block the references stand as four rows of bytes, the
 * low ones first, as they are or as differences: pages that are used often have low numbers, since they were met early,
 * and what goes in steps has small differences. Either way zstd finds rows of bytes that are nearly alike. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "faultline/references.h"

enum {
	BLOCK = 1 << 16, /* references */
	PLANES = 4,
	LEVEL = 3,
	PLANE_BYTES = BLOCK * PLANES,
	NUMBER_BYTES = BLOCK * 8,
};

static const char magic[8] = "FLTREFS1";

enum packing { PACKED_PLAIN, PACKED_DIFFERENCES, PACKED_END, PACKING_COUNT };

/* Before each block; little-endian. Of the last one, PACKED_END: what all blocks had. */
struct block_header {
	uint32_t packing;
	uint32_t references;
	uint32_t pages;        /* new ones, whose numbers in the trace come first */
	uint32_t number_bytes; /* compressed */
	uint32_t plane_bytes;
};

struct packer {
	const struct references *references;
	FILE *file;
	uint64_t done; /* references */
	uint32_t pages;
	uint8_t planes[PACKED_END][PLANE_BYTES], packed[PACKED_END][ZSTD_COMPRESSBOUND(PLANE_BYTES)];
	uint64_t numbers[BLOCK];
	uint8_t packed_numbers[ZSTD_COMPRESSBOUND(NUMBER_BYTES)];
};

/* ---- packing ---- */

/* The write bit comes lowest, so that small pages make small words. */
static uint32_t word_of(uint32_t reference)
{
	return reference << 1 | reference >> 31;
}

static uint32_t reference_of(uint32_t word)
{
	return word >> 1 | word << 31;
}

/* Differences of either sign as small numbers. */
static uint32_t zigzag(uint32_t difference)
{
	return difference << 1 ^ (uint32_t) - (int32_t)(difference >> 31);
}

static uint32_t unzigzag(uint32_t word)
{
	return word >> 1 ^ (uint32_t) - (int32_t)(word & 1);
}

static void split(uint8_t *planes, uint32_t count, uint32_t i, uint32_t word)
{
	for (unsigned plane = 0; plane < PLANES; plane++)
		planes[plane * count + i] = (uint8_t)(word >> 8 * plane);
}

static void make_planes(struct packer *packer, const uint32_t *references, uint32_t count)
{
	uint32_t before = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t word = word_of(references[i]);
		split(packer->planes[PACKED_PLAIN], count, i, word);
		split(packer->planes[PACKED_DIFFERENCES], count, i, zigzag(word - before));
		before = word;
	}
}

static size_t compress(void *to, size_t room, const void *from, size_t bytes)
{
	size_t packed = ZSTD_compress(to, room, from, bytes, LEVEL);
	BUG_ON(ZSTD_isError(packed));
	return packed;
}

/* Pages get their dense numbers in the order in which they come, so the new ones of a block are the highest. */
static uint32_t last_page(const uint32_t *references, uint32_t count, uint32_t pages)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t page = references[i] & ~REFERENCES_WRITE;
		pages = page >= pages ? page + 1 : pages;
	}
	return pages;
}

static bool write_block(struct packer *packer, uint32_t count)
{
	const uint32_t *references = packer->references->page + packer->done;
	const uint32_t pages = last_page(references, count, packer->pages);
	struct block_header header = {.references = htole32(count), .pages = htole32(pages - packer->pages)};
	size_t bytes[PACKED_END];
	for (uint32_t page = packer->pages; page < pages; page++)
		packer->numbers[page - packer->pages] = htole64(packer->references->number[page]);
	size_t number_bytes = compress(packer->packed_numbers, sizeof(packer->packed_numbers), packer->numbers,
				       (pages - packer->pages) * sizeof(uint64_t));
	make_planes(packer, references, count);
	for (unsigned i = 0; i < PACKED_END; i++)
		bytes[i] = compress(packer->packed[i], sizeof(packer->packed[i]), packer->planes[i],
				    (size_t)count * PLANES);
	const unsigned best = bytes[PACKED_DIFFERENCES] < bytes[PACKED_PLAIN] ? PACKED_DIFFERENCES : PACKED_PLAIN;
	header.packing = htole32(best);
	header.number_bytes = htole32((uint32_t)number_bytes);
	header.plane_bytes = htole32((uint32_t)bytes[best]);
	packer->done += count;
	packer->pages = pages;
	return fwrite(&header, sizeof(header), 1, packer->file) == 1 &&
	       fwrite(packer->packed_numbers, number_bytes, 1, packer->file) == 1 &&
	       fwrite(packer->packed[best], bytes[best], 1, packer->file) == 1;
}

static bool write_all(struct packer *packer)
{
	const uint64_t count = packer->references->count;
	bool good = fwrite(magic, sizeof(magic), 1, packer->file) == 1;
	while (good && packer->done < count)
		good = write_block(packer, (uint32_t)(count - packer->done < BLOCK ? count - packer->done : BLOCK));
	const struct block_header end = {.packing = htole32(PACKED_END),
					 .references = htole32((uint32_t)count),
					 .pages = htole32(packer->references->pages)};
	return good && fwrite(&end, sizeof(end), 1, packer->file) == 1;
}

enum status references_write_packed(const struct references *references, FILE *file, struct error *error)
{
	struct packer *packer = calloc(1, sizeof(*packer));
	BUG_ON(!packer);
	packer->references = references;
	packer->file = file;
	bool good = write_all(packer);
	free(packer);
	return good ? STATUS_OK : error_set(error, STATUS_HOST, "the reference string could not be written");
}

/* ---- unpacking ---- */

struct unpacker {
	struct references *references;
	const uint8_t *at, *end;
	uint32_t *page; /* dense number here of each page of the file */
	uint32_t pages;
	uint64_t count;
	ZSTD_DCtx *context;
	uint64_t numbers[BLOCK];
	uint8_t planes[PLANE_BYTES];
};

bool references_is_packed(const void *content, size_t length)
{
	return length >= sizeof(magic) && memcmp(content, magic, sizeof(magic)) == 0;
}

/* Decompresses what must have so many bytes. */
static bool decompress(struct unpacker *unpacker, void *to, size_t bytes, uint32_t packed)
{
	if ((size_t)(unpacker->end - unpacker->at) < packed)
		return false;
	size_t got = ZSTD_decompressDCtx(unpacker->context, to, bytes, unpacker->at, packed);
	unpacker->at += packed;
	return got == bytes;
}

static bool read_numbers(struct unpacker *unpacker, const struct block_header *header)
{
	if (header->pages > header->references || unpacker->pages + header->pages > INT32_MAX ||
	    !decompress(unpacker, unpacker->numbers, header->pages * sizeof(uint64_t), header->number_bytes))
		return false;
	uint32_t *page = realloc(unpacker->page, ((size_t)unpacker->pages + header->pages + 1) * sizeof(*page));
	BUG_ON(!page);
	unpacker->page = page;
	for (uint32_t i = 0; i < header->pages; i++)
		page[unpacker->pages++] = references_page(unpacker->references, le64toh(unpacker->numbers[i]));
	return true;
}

static uint32_t join(const uint8_t *planes, uint32_t count, uint32_t i)
{
	return planes[i] | (uint32_t)planes[count + i] << 8 | (uint32_t)planes[2 * count + i] << 16 |
	       (uint32_t)planes[3 * count + i] << 24;
}

static bool read_references(struct unpacker *unpacker, const struct block_header *header)
{
	const uint32_t count = header->references;
	if (!decompress(unpacker, unpacker->planes, (size_t)count * PLANES, header->plane_bytes))
		return false;
	uint32_t *out = references_room(unpacker->references, count), before = 0, most = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t word = join(unpacker->planes, count, i);
		word = header->packing == PACKED_DIFFERENCES ? before + unzigzag(word) : word;
		before = word;
		out[i] = reference_of(word);
		most = word >> 1 > most ? word >> 1 : most;
	}
	if (most >= unpacker->pages)
		return false;
	for (uint32_t i = 0; i < count; i++)
		out[i] = unpacker->page[out[i] & ~REFERENCES_WRITE] | (out[i] & REFERENCES_WRITE);
	unpacker->references->count += count;
	unpacker->count += count;
	return true;
}

static bool read_header(struct unpacker *unpacker, struct block_header *header)
{
	if ((size_t)(unpacker->end - unpacker->at) < sizeof(*header))
		return false;
	memcpy(header, unpacker->at, sizeof(*header));
	unpacker->at += sizeof(*header);
	header->packing = le32toh(header->packing);
	header->references = le32toh(header->references);
	header->pages = le32toh(header->pages);
	header->number_bytes = le32toh(header->number_bytes);
	header->plane_bytes = le32toh(header->plane_bytes);
	return header->packing < PACKING_COUNT;
}

static enum status read_blocks(struct unpacker *unpacker, const char *name, struct error *error)
{
	struct block_header header;
	while (read_header(unpacker, &header) && header.packing != PACKED_END) {
		if (header.references == 0 || header.references > BLOCK || !read_numbers(unpacker, &header) ||
		    !read_references(unpacker, &header))
			return error_set(error, STATUS_BAD_INPUT,
					 "%s: the packed reference string is damaged, after %llu references", name,
					 (unsigned long long)unpacker->count);
		if (unpacker->references->count > REFERENCES_MOST)
			return error_set(error, STATUS_BAD_INPUT, "%s: more than 2^32 - 2 references", name);
	}
	if (header.packing != PACKED_END || header.references != unpacker->count || header.pages != unpacker->pages ||
	    unpacker->at != unpacker->end)
		return error_set(error, STATUS_BAD_INPUT,
				 "%s: the packed reference string ends early or is damaged, after %llu references",
				 name, (unsigned long long)unpacker->count);
	return STATUS_OK;
}

enum status references_read_packed(struct references *references, const void *content, size_t length, const char *name,
				   struct error *error)
{
	struct unpacker *unpacker = calloc(1, sizeof(*unpacker));
	BUG_ON(!unpacker);
	unpacker->references = references;
	unpacker->at = (const uint8_t *)content + sizeof(magic);
	unpacker->end = (const uint8_t *)content + length;
	unpacker->context = ZSTD_createDCtx();
	BUG_ON(!unpacker->context);
	enum status status = read_blocks(unpacker, name, error);
	(void)ZSTD_freeDCtx(unpacker->context);
	free(unpacker->page);
	free(unpacker);
	return status;
}
