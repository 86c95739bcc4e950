/* Resource limits: prlimit64, which setrlimit(3) and getrlimit(3) are made of. See kernel/sys.c. */
#include "kernel_private.h"

static const int numbers[RLIMITS] = {
#define X(id, number, words, unit, text) [RLIMIT_INDEX_##id] = (number),
    RLIMIT_LIST(X)
#undef X
};

static struct linux_rlimit *find_limit(struct process *process, uint64_t resource)
{
	for (unsigned i = 0; i < RLIMITS; i++) {
		if ((uint64_t)numbers[i] == resource)
			return &process->limits[i];
	}
	return NULL;
}

int64_t sys_prlimit64(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct linux_rlimit *limit = find_limit(process, args[1]), old, new;
	if (args[2] != 0 && !copy_from_user(process->mm, args[2], &new, sizeof(new)))
		return -LINUX_EFAULT;
	if (args[0] != 0 && args[0] != process->pid)
		return -LINUX_ESRCH;
	if (!limit || (args[2] != 0 && new.soft > new.hard))
		return -LINUX_EINVAL;
	if (args[2] != 0 && new.hard > limit->hard)
		return -LINUX_EPERM; /* only root may raise it */
	old = *limit;
	if (args[2] != 0)
		*limit = new;
	if (args[3] != 0 && !copy_to_user(process->mm, args[3], &old, sizeof(old)))
		return -LINUX_EFAULT;
	return 0;
}
