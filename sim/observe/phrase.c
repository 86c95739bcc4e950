#include "faultline/phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "faultline/mmu.h"
#include "faultline/syscall.h"

struct phrase phrase_size(uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	struct phrase size;
	unsigned unit = 0;
	uint64_t one = 1;
	while (unit + 1 < sizeof(units) / sizeof(units[0]) && bytes / one >= 1024) {
		one *= 1024;
		unit++;
	}
	/* Tenths, rounded down: 1023.99 MiB must not read as 1024.0. */
	uint64_t tenths = bytes % one / (one / 1024 ? one / 1024 : 1) * 10 / 1024;
	if (tenths == 0)
		(void)snprintf(size.text, sizeof(size.text), "%" PRIu64 " %s", bytes / one, units[unit]);
	else
		(void)snprintf(size.text, sizeof(size.text), "%" PRIu64 ".%" PRIu64 " %s", bytes / one, tenths,
			       units[unit]);
	return size;
}

struct phrase phrase_nouns(uint64_t count, const char *noun)
{
	struct phrase phrase = {""};
	/* A hiss takes -es: "TLB miss", "flush"; the y of "entry" becomes -ies. */
	size_t length = strlen(noun);
	char last = length ? noun[length - 1] : '\0';
	const char *ending = last == 's' || last == 'h' ? "es" : last == 'y' ? "ies" : "s";
	if (length && count == 1)
		(void)snprintf(phrase.text, sizeof(phrase.text), " %s", noun);
	else if (length)
		(void)snprintf(phrase.text, sizeof(phrase.text), " %.*s%s", (int)(length - (last == 'y')), noun,
			       ending);
	return phrase;
}

struct phrase phrase_count(uint64_t count, const char *noun)
{
	struct phrase phrase;
	(void)snprintf(phrase.text, sizeof(phrase.text), "%.32s%.90s", phrase_number(count).text,
		       phrase_nouns(count, noun).text);
	return phrase;
}

struct phrase phrase_number(uint64_t number)
{
	struct phrase phrase = {""};
	char digits[24];
	int count = snprintf(digits, sizeof(digits), "%" PRIu64, number);
	char *out = phrase.text;
	for (int i = 0; i < count; i++) {
		if (i > 0 && count > 4 && (count - i) % 3 == 0)
			*out++ = ' ';
		*out++ = digits[i];
	}
	*out = '\0';
	return phrase;
}

struct phrase phrase_result(uint64_t result)
{
	struct phrase phrase;
	if ((int64_t)result < 0 && (int64_t)result >= -4095)
		(void)snprintf(phrase.text, sizeof(phrase.text), "-%s", linux_errno_name((int)-(int64_t)result));
	else
		(void)snprintf(phrase.text, sizeof(phrase.text), result < 4096 ? "%" PRIu64 : "0x%" PRIx64, result);
	return phrase;
}

struct phrase phrase_fault_code(uint32_t error_code)
{
	struct phrase phrase;
	(void)snprintf(phrase.text, sizeof(phrase.text), "P=%d W=%d U=%d RSVD=%d I=%d%s",
		       (error_code & FAULT_PRESENT) != 0, (error_code & FAULT_WRITE) != 0,
		       (error_code & FAULT_USER) != 0, (error_code & FAULT_RESERVED) != 0,
		       (error_code & FAULT_FETCH) != 0, error_code & FAULT_PROTECTION_KEY ? " PK=1" : "");
	return phrase;
}

struct phrase phrase_fault_words(uint32_t error_code)
{
	struct phrase phrase;
	const char *access = error_code & FAULT_FETCH   ? "instruction fetch"
			     : error_code & FAULT_WRITE ? "write"
							: "read";
	const char *page = error_code & FAULT_RESERVED  ? "a page whose entry has a reserved bit set"
			   : error_code & FAULT_PRESENT ? "a page that does not allow it"
							: "a page that is not present";
	(void)snprintf(phrase.text, sizeof(phrase.text), "%s in %s to %s", access,
		       error_code & FAULT_USER ? "ring 3" : "ring 0", page);
	return phrase;
}

/* Fields that are addresses or many bits wide are not flags. */
static bool is_flag(const char *name)
{
	return strcmp(name, "PFN") != 0 && strncmp(name, "AVL", 3) != 0 && strcmp(name, "PKEY") != 0;
}

static void add_flag(struct phrase *phrase, const char *name, unsigned level)
{
	size_t used = strlen(phrase->text);
	if (strcmp(name, "PS") == 0 && level == 1)
		name = "PAT";
	if (is_flag(name))
		(void)snprintf(phrase->text + used, sizeof(phrase->text) - used, " %s", name);
}

struct phrase phrase_entry(struct pte entry, unsigned level)
{
	struct phrase phrase;
	if (!pte_present(entry)) {
		(void)snprintf(phrase.text, sizeof(phrase.text), "not present");
		return phrase;
	}
	(void)snprintf(phrase.text, sizeof(phrase.text), "frame 0x%" PRIx64, pte_frame(entry));
#define X(field, first, bits, text)                                                                                    \
	if (pte_##field(entry))                                                                                        \
		add_flag(&phrase, text, level);
	PTE_FIELDS(X)
#undef X
	return phrase;
}
