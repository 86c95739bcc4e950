/* zstd finds what is alike in rows of bytes and gives frequent bytes few bits. What goes in steps has small
 * differences. And where pages come at random, some more often than others, those come early and have low numbers: how
 * long a number is and its leading bits tell how frequent it is, what follows is noise that nobody need compress. */
#include "references_codec.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "faultline/references.h"

enum {
	LEVEL = 3,
	WORD_BYTES = 4,
	NUMBER_BYTES = 8,
	ROWS_BYTES = BLOCK_REFERENCES * NUMBER_BYTES,
	FRAMES_MOST = 3,
	PACKED_BYTES = ZSTD_COMPRESSBOUND(ROWS_BYTES) + FRAMES_MOST * ZSTD_COMPRESSBOUND(0),
	/* A head: the tail's bits, and three more bits of the number. */
	HEAD_BITS = 3,
	HEAD_ONE = 1 << HEAD_BITS,
	TAIL_MOST = 28,
};

struct references_codec {
	ZSTD_CCtx *compressor;
	ZSTD_DCtx *decompressor;
	uint32_t words[BLOCK_REFERENCES];
	uint8_t rows[ROWS_BYTES + sizeof(uint64_t)]; /* bits are read eight bytes at a time */
	uint8_t packed[PACKED_BYTES], best[PACKED_BYTES];
};

struct references_codec *references_codec_new(void)
{
	struct references_codec *codec = calloc(1, sizeof(*codec));
	BUG_ON(!codec);
	codec->compressor = ZSTD_createCCtx();
	codec->decompressor = ZSTD_createDCtx();
	BUG_ON(!codec->compressor || !codec->decompressor);
	(void)ZSTD_CCtx_setParameter(codec->compressor, ZSTD_c_compressionLevel, LEVEL);
	(void)ZSTD_CCtx_setParameter(codec->compressor, ZSTD_c_checksumFlag, 1);
	return codec;
}

void references_codec_free(struct references_codec *codec)
{
	if (!codec)
		return;
	(void)ZSTD_freeCCtx(codec->compressor);
	(void)ZSTD_freeDCtx(codec->decompressor);
	free(codec);
}

/* ---- rows ---- */

/* Another frame behind so many packed bytes. Returns how many there are then. */
static size_t add_frame(struct references_codec *codec, size_t done, const uint8_t *bytes, size_t size)
{
	size_t packed = ZSTD_compress2(codec->compressor, codec->packed + done, PACKED_BYTES - done, bytes, size);
	BUG_ON(ZSTD_isError(packed));
	return done + packed;
}

/* All frames one behind the other; SIZE_MAX: they are damaged. */
static size_t unpack_frames(struct references_codec *codec, const void *bytes, size_t size)
{
	size_t got = ZSTD_decompressDCtx(codec->decompressor, codec->rows, ROWS_BYTES, bytes, size);
	return ZSTD_isError(got) ? SIZE_MAX : got;
}

static uint32_t word_at(const struct references_codec *codec, uint32_t count, uint32_t i)
{
	const uint8_t *row = codec->rows + i;
	return row[0] | (uint32_t)row[count] << 8 | (uint32_t)row[2 * count] << 16 | (uint32_t)row[3 * count] << 24;
}

static void set_word(struct references_codec *codec, uint32_t count, uint32_t i, uint32_t word)
{
	for (unsigned row = 0; row < WORD_BYTES; row++)
		codec->rows[row * count + i] = (uint8_t)(word >> 8 * row);
}

/* ---- numbers ---- */

const uint8_t *references_pack_numbers(struct references_codec *codec, const uint64_t *numbers, uint32_t count,
				       size_t *size)
{
	for (uint32_t i = 0; i < count; i++) {
		set_word(codec, count, i, (uint32_t)numbers[i]);
		set_word(codec, count, i + WORD_BYTES * count, (uint32_t)(numbers[i] >> 32));
	}
	*size = add_frame(codec, 0, codec->rows, (size_t)count * NUMBER_BYTES);
	return codec->packed;
}

bool references_unpack_numbers(struct references_codec *codec, const void *bytes, size_t size, uint32_t count,
			       uint64_t *numbers)
{
	if (unpack_frames(codec, bytes, size) != (size_t)count * NUMBER_BYTES)
		return false;
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = word_at(codec, count, i) | (uint64_t)word_at(codec, count, i + WORD_BYTES * count) << 32;
	return true;
}

/* ---- words and differences ---- */

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

static size_t pack_words(struct references_codec *codec, const uint32_t *references, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		set_word(codec, count, i, word_of(references[i]));
	return add_frame(codec, 0, codec->rows, (size_t)count * WORD_BYTES);
}

static size_t pack_differences(struct references_codec *codec, const uint32_t *references, uint32_t count)
{
	for (uint32_t i = 0, before = 0; i < count; i++) {
		set_word(codec, count, i, zigzag(word_of(references[i]) - before));
		before = word_of(references[i]);
	}
	return add_frame(codec, 0, codec->rows, (size_t)count * WORD_BYTES);
}

static void unpack_words(const struct references_codec *codec, uint32_t *references, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		references[i] = reference_of(word_at(codec, count, i));
}

static void unpack_differences(const struct references_codec *codec, uint32_t *references, uint32_t count)
{
	for (uint32_t i = 0, word = 0; i < count; i++) {
		word += unzigzag(word_at(codec, count, i));
		references[i] = reference_of(word);
	}
}

/* ---- heads and tails ---- */

static uint64_t load64(const uint8_t *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof(word));
	return le64toh(word);
}

static void store64(uint8_t *bytes, uint64_t word)
{
	word = htole64(word);
	memcpy(bytes, &word, sizeof(word));
}

static size_t bytes_of_bits(size_t bits)
{
	return (bits + 7) / 8;
}

/* Rows: heads, write bits, tails. */
static size_t pack_heads(struct references_codec *codec, const uint32_t *references, uint32_t count, uint32_t pages)
{
	uint8_t *heads = codec->rows, *writes = heads + count, *tails = writes + bytes_of_bits(count);
	size_t bit = 0;
	memset(writes, 0, ROWS_BYTES - count);
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t page = references[i] & ~REFERENCES_WRITE;
		const uint32_t number = (page == pages ? 0 : page + 1) + HEAD_ONE;
		const unsigned tail = 31u - HEAD_BITS - (unsigned)__builtin_clz(number);
		pages += page == pages;
		heads[i] = (uint8_t)(tail << HEAD_BITS | (number >> tail & (HEAD_ONE - 1)));
		writes[i / 8] |= (uint8_t)((references[i] >> 31) << i % 8);
		uint64_t bits = number & ((UINT32_C(1) << tail) - 1);
		store64(tails + bit / 8, load64(tails + bit / 8) | bits << bit % 8);
		bit += tail;
	}
	size_t size = add_frame(codec, 0, heads, count);
	size = add_frame(codec, size, writes, bytes_of_bits(count));
	return add_frame(codec, size, tails, bytes_of_bits(bit));
}

/* Bytes in all rows, as the heads have it; 0: there is no such head. */
static size_t size_of_rows(const uint8_t *heads, uint32_t count)
{
	uint32_t bits = 0, most = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t tail = heads[i] >> HEAD_BITS;
		bits += tail;
		most = tail > most ? tail : most;
	}
	return most <= TAIL_MOST ? count + bytes_of_bits(count) + bytes_of_bits(bits) : 0;
}

static void unpack_heads(const struct references_codec *codec, uint32_t *references, uint32_t count, uint32_t pages)
{
	const uint8_t *heads = codec->rows, *writes = heads + count, *tails = writes + bytes_of_bits(count);
	size_t bit = 0;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t head = heads[i], tail = head >> HEAD_BITS;
		const uint32_t bits = (uint32_t)(load64(tails + bit / 8) >> bit % 8) & ((UINT32_C(1) << tail) - 1);
		const uint32_t number = (((head & (HEAD_ONE - 1)) | HEAD_ONE) << tail | bits) - HEAD_ONE;
		const uint32_t is_new = number == 0, writes_bit = (uint32_t)writes[i / 8] >> i % 8 & 1;
		/* No branch: nobody could foretell which pages are new. */
		references[i] = (number - 1 + is_new * (pages + 1)) | writes_bit << 31;
		pages += is_new;
		bit += tail;
	}
}

/* ---- a block ---- */

static size_t pack_as(struct references_codec *codec, enum packing packing, const uint32_t *references, uint32_t count,
		      uint32_t pages)
{
	if (packing == PACKED_HEADS)
		return pack_heads(codec, references, count, pages);
	return packing == PACKED_WORDS ? pack_words(codec, references, count)
				       : pack_differences(codec, references, count);
}

void references_pack(struct references_codec *codec, const uint32_t *references, struct packed_references *packed)
{
	packed->size = SIZE_MAX;
	packed->bytes = codec->best;
	for (enum packing packing = PACKED_WORDS; packing < PACKING_COUNT; packing++) {
		size_t size = pack_as(codec, packing, references, packed->count, packed->pages);
		if (size >= packed->size)
			continue;
		packed->packing = packing;
		packed->size = size;
		memcpy(codec->best, codec->packed, size);
	}
}

static bool unpack_as(struct references_codec *codec, const struct packed_references *packed, uint32_t *references)
{
	const uint32_t count = packed->count;
	const size_t got = unpack_frames(codec, packed->bytes, packed->size);
	if (packed->packing == PACKED_HEADS) {
		if (got < count || got != size_of_rows(codec->rows, count))
			return false;
		unpack_heads(codec, references, count, packed->pages);
		return true;
	}
	if (got != (size_t)count * WORD_BYTES)
		return false;
	if (packed->packing == PACKED_WORDS)
		unpack_words(codec, references, count);
	else
		unpack_differences(codec, references, count);
	return true;
}

bool references_unpack(struct references_codec *codec, const struct packed_references *packed, uint32_t limit,
		       uint32_t *references)
{
	if (!unpack_as(codec, packed, references))
		return false;
	uint32_t most = 0;
	for (uint32_t i = 0; i < packed->count; i++) {
		uint32_t page = references[i] & ~REFERENCES_WRITE;
		most = page > most ? page : most;
	}
	return most < limit;
}
