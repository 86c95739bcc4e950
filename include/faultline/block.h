/* Block devices as the kernel waits for them: one row a kind. A request takes its latency and the time that its bytes
 * take; one that begins where the last one ended pays no latency. Requests are served one after the other. */
#ifndef FAULTLINE_BLOCK_H
#define FAULTLINE_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* X(ID, name, read us, write us, read MB/s, write MB/s, does the processor do it itself, source) */
#define BLOCK_KIND_LIST(X)                                                                                             \
	X(DISK, disk, 12660, 12660, 156, 156, false,                                                                   \
	  "hard disk of 7200/min, Seagate ST1000DM003 product manual: seek < 8.5 ms, rotation 4.16 ms, 156 MB/s")      \
	X(SSD, ssd, 50, 65, 500, 450, false,                                                                           \
	  "SATA SSD, Intel DC S3500 product specification: 50 us read, 65 us write, 500 and 450 MB/s")                 \
	X(NVME, nvme, 20, 20, 2800, 1900, false,                                                                       \
	  "NVMe SSD, Intel DC P3700 product specification: 20 us, 2800 and 1900 MB/s")                                 \
	X(ZRAM, zram, 0, 0, 4970, 780, true,                                                                           \
	  "compressed RAM, LZ4's README: 4970 MB/s decompression, 780 MB/s compression; the processor does it")

enum block_kind {
#define X(id, name, read, write, read_rate, write_rate, by_cpu, source) BLOCK_##id,
	BLOCK_KIND_LIST(X)
#undef X
	    BLOCK_KIND_COUNT
};

struct block_kind_info {
	const char *name;
	uint64_t read_us, write_us;     /* latency */
	uint64_t read_rate, write_rate; /* bytes a microsecond, which is MB/s */
	bool by_cpu;
	const char *source;
};

const struct block_kind_info *block_kind_info(enum block_kind kind);

#endif
