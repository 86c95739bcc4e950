/* MAP_ANONYMOUS is of no standard. */
#define _DEFAULT_SOURCE

#include "host.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* The number of a line of smaps about the mapping that begins at `start`; 0: there is none. */
static uint64_t smaps_number(uint64_t start, const char *key)
{
	char line[256], header[32];
	bool inside = false;
	uint64_t number = 0;
	(void)snprintf(header, sizeof(header), "%" PRIx64 "-", start);
	FILE *smaps = fopen("/proc/self/smaps", "r");
	while (smaps && fgets(line, sizeof(line), smaps)) {
		inside = inside || strncmp(line, header, strlen(header)) == 0;
		if (inside && strncmp(line, key, strlen(key)) == 0) {
			(void)sscanf(line + strlen(key), "%" SCNu64, &number);
			break;
		}
	}
	if (smaps)
		(void)fclose(smaps);
	return number;
}

enum zero_page host_zero_page(void)
{
	/* Pages without rights around it keep it a mapping of its own. */
	enum { PAGE = 4096 };
	unsigned char *at = mmap(NULL, 3 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return ZERO_PAGE_SHARED;
	uint64_t taken = 0;
	if (mprotect(at + PAGE, PAGE, PROT_READ) == 0) {
		(void)*(volatile unsigned char *)(at + PAGE);
		taken = smaps_number((uint64_t)(uintptr_t)(at + PAGE), "Anonymous:");
	}
	(void)munmap(at, 3 * PAGE);
	return taken > 0 ? ZERO_PAGE_FORBIDDEN : ZERO_PAGE_SHARED;
}
