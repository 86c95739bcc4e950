#include "written.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of linux/userfaultfd.h, which may be older than the kernel. */
static const uint64_t feature_wp_async = UINT64_C(1) << 15;
enum { USER_MODE_ONLY = 1 };

static bool watch(int faults, const void *base, size_t bytes)
{
	struct uffdio_api api = {.api = UFFD_API, .features = feature_wp_async};
	struct uffdio_register range = {.range = {(uintptr_t)base, bytes}, .mode = UFFDIO_REGISTER_MODE_WP};
	return ioctl(faults, UFFDIO_API, &api) == 0 && ioctl(faults, UFFDIO_REGISTER, &range) == 0;
}

bool written_watch(struct written *written, const void *base, size_t bytes)
{
	written->base = (uintptr_t)base;
	written->pagemap = pagemap_open();
	written->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);
	if (written->pagemap >= 0 && written->faults >= 0 && watch(written->faults, base, bytes))
		return true;
	written_release(written);
	return false;
}

void written_release(struct written *written)
{
	if (written->faults >= 0)
		(void)close(written->faults);
	if (written->pagemap >= 0)
		(void)close(written->pagemap);
	written->faults = written->pagemap = -1;
}

bool written_visit(const struct written *written, size_t pages, bool forget, page_fn *visit, void *self)
{
	struct page_run runs[PAGEMAP_RUNS];
	const enum pagemap_want want = forget ? PAGEMAP_WRITTEN_FORGET : PAGEMAP_WRITTEN;
	const uint64_t end = written->base + (uint64_t)pages * PAGEMAP_PAGE_BYTES;
	for (uint64_t at = written->base; at < end;) {
		unsigned count;
		if (!pagemap_scan(written->pagemap, want, &at, end, runs, &count))
			return false;
		for (unsigned i = 0; i < count; i++) {
			if (!page_run_visit(&runs[i], written->base, visit, self))
				return false;
		}
	}
	return true;
}
