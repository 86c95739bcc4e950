/* MT19937 with 32-bit words, from the paper's recurrence; seeded by an array of the seed's words, as Python does. */
#include "faultline/ostep.h"

enum { WORDS = MERSENNE_WORDS, MIDDLE = 397 };

static void seed_by_number(struct mersenne *mersenne, uint32_t seed)
{
	mersenne->word[0] = seed;
	for (uint32_t i = 1; i < WORDS; i++) {
		uint32_t before = mersenne->word[i - 1];
		mersenne->word[i] = UINT32_C(1812433253) * (before ^ before >> 30) + i;
	}
	mersenne->used = WORDS;
}

/* One step of the mixing that init_by_array does twice. */
static uint32_t mixed(const struct mersenne *mersenne, uint32_t at, uint32_t factor)
{
	uint32_t before = mersenne->word[at - 1];
	return mersenne->word[at] ^ (before ^ before >> 30) * factor;
}

static uint32_t advance(struct mersenne *mersenne, uint32_t at)
{
	if (++at < WORDS)
		return at;
	mersenne->word[0] = mersenne->word[WORDS - 1];
	return 1;
}

void mersenne_seed(struct mersenne *mersenne, uint64_t seed)
{
	const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
	const uint32_t key_words = key[1] ? 2 : 1;
	uint32_t at = 1;
	seed_by_number(mersenne, 19650218);
	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t j = i % key_words;
		mersenne->word[at] = mixed(mersenne, at, 1664525) + key[j] + j;
		at = advance(mersenne, at);
	}
	for (uint32_t i = 0; i < WORDS - 1; i++) {
		mersenne->word[at] = mixed(mersenne, at, 1566083941) - at;
		at = advance(mersenne, at);
	}
	mersenne->word[0] = UINT32_C(1) << 31;
}

static void twist(struct mersenne *mersenne)
{
	uint32_t *word = mersenne->word;
	for (uint32_t i = 0; i < WORDS; i++) {
		uint32_t joined = (word[i] & UINT32_C(0x80000000)) | (word[(i + 1) % WORDS] & UINT32_C(0x7fffffff));
		word[i] = word[(i + MIDDLE) % WORDS] ^ joined >> 1 ^ (joined & 1 ? UINT32_C(0x9908b0df) : 0);
	}
	mersenne->used = 0;
}

static uint32_t next_word(struct mersenne *mersenne)
{
	if (mersenne->used == WORDS)
		twist(mersenne);
	uint32_t y = mersenne->word[mersenne->used++];
	y ^= y >> 11;
	y ^= y << 7 & UINT32_C(0x9d2c5680);
	y ^= y << 15 & UINT32_C(0xefc60000);
	return y ^ y >> 18;
}

/* 53 bits of two words. */
double mersenne_unit(struct mersenne *mersenne)
{
	uint32_t high = next_word(mersenne) >> 5;
	uint32_t low = next_word(mersenne) >> 6;
	return ((double)high * 0x1.0p26 + (double)low) * 0x1.0p-53;
}
