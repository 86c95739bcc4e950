/* A small computer with a booted kernel and processes, for tests that need no C library and no script. */
#ifndef FAULTLINE_TESTS_RIG_H
#define FAULTLINE_TESTS_RIG_H

#include "faultline/kernel.h"

struct rig {
	struct arena *arena;
	struct bus bus;
	struct machine *machine;
	struct kernel *kernel;
	struct process *process; /* the first one; it is running */
};

/* Zero memory means 64 MiB. */
void rig_boot(struct rig *rig, uint64_t memory_bytes, enum overcommit overcommit);
/* In another paging mode than 4-level. */
void rig_boot_paging(struct rig *rig, enum paging_mode paging);
/* On several CPUs. */
void rig_boot_cpus(struct rig *rig, unsigned cpus, enum paging_mode paging);
/* One CPU with a kernel of this configuration. */
void rig_boot_kernel(struct rig *rig, uint64_t memory_bytes, const struct kernel_config *config);
/* The same with a process of this layout. Without a configuration: a stock kernel. */
void rig_boot_with(struct rig *rig, uint64_t memory_bytes, const struct kernel_config *config,
		   const struct process_spec *spec);
void rig_release(struct rig *rig); /* checks the kernel's invariants and the MMU's identities first */

/* A system call by the current process; the result is a value or -errno. */
int64_t rig_syscall(struct rig *rig, enum syscall_number number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3,
		    uint64_t a4);
int64_t rig_mmap(struct rig *rig, uint64_t address, uint64_t bytes, uint64_t prot, uint64_t more_flags);

/* One 8-byte access in ring 3; false when the process did not survive it. */
bool rig_write(struct rig *rig, uint64_t va);
bool rig_read(struct rig *rig, uint64_t va);
/* The same with content. */
void rig_store(struct rig *rig, uint64_t va, uint64_t value);
uint64_t rig_load(struct rig *rig, uint64_t va);
uint64_t rig_faults(const struct rig *rig, enum fault_cause cause);

/* What a file of /proc says; rig_add_text is the procfs_write_fn for it. */
struct rig_text {
	char bytes[8192];
	size_t used;
};
void rig_add_text(void *self, const char *bytes, size_t length);

#endif
