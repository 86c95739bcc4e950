/* FNV-1a with 64 bits (Fowler, Noll, Vo; RFC 9923): names a document in every output, and spreads names over a table.
 * It tells documents apart; it does not protect against an adversary. */
#ifndef FAULTLINE_DIGEST_H
#define FAULTLINE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_START 0xcbf29ce484222325u

static inline uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++)
		digest = (digest ^ at[i]) * 0x100000001b3u;
	return digest;
}

static inline uint64_t digest_text(uint64_t digest, const char *text)
{
	for (; *text; text++)
		digest = (digest ^ (unsigned char)*text) * 0x100000001b3u;
	return digest;
}

#endif
