#include "pagemap.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* include/uapi/linux/fs.h since 6.7 */
struct scan_region {
	uint64_t start, end, categories;
};

struct scan_arguments {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

enum { PAGE_PRESENT = 1 << 3, PAGE_PFN_ZERO = 1 << 5, REGIONS = 512 };

#define SCAN _IOWR('f', 16, struct scan_arguments)

static void add(const struct scan_region *region, struct present *out)
{
	uint64_t pages = (region->end - region->start) / 4096;
	out->pages += pages;
	if (region->categories & PAGE_PFN_ZERO)
		out->zero += pages;
}

bool pagemap_count(pid_t pid, uint64_t start, uint64_t end, struct present *out)
{
	char path[64];
	struct scan_region regions[REGIONS];
	*out = (struct present){0};
	(void)snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	int file = open(path, O_RDONLY);
	start = (start + 4095) & ~(uint64_t)4095;
	end = (end + 4095) & ~(uint64_t)4095;
	bool good = file >= 0;
	while (good && start < end) {
		struct scan_arguments scan = {.size = sizeof(scan),
					      .start = start,
					      .end = end,
					      .vec = (uint64_t)(uintptr_t)regions,
					      .vec_len = REGIONS,
					      .category_mask = PAGE_PRESENT,
					      .return_mask = PAGE_PRESENT | PAGE_PFN_ZERO};
		int got = ioctl(file, SCAN, &scan);
		good = got >= 0;
		for (int i = 0; i < got; i++)
			add(&regions[i], out);
		if (good && scan.walk_end <= start)
			break;
		start = scan.walk_end;
	}
	if (file >= 0)
		(void)close(file);
	return good;
}
