/* The replacement policies as the kernel uses them: what they may ask, under which key they know a page, and who tells
 * the ideal ones of references. */
#include "replace.h"

#include <string.h>

#include "kernel_private.h"

/* ---- keys ---- */

/* Stable while the page is away: the address it had first, or its place in its file. */
uint64_t replace_key_of_file(const struct file *file, uint64_t index)
{
	return (uint64_t)1 << 63 | file->inode << 32 | index;
}

static uint64_t key_of_address(uint32_t pid, uint64_t vpn)
{
	return (uint64_t)pid << 48 | vpn;
}

uint64_t replace_key(const struct kernel *kernel, struct pfn frame)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	if (record->use != FRAME_ANON)
		return replace_key_of_file(record->file, record->vpn);
	if (record->mappings == 0 && record->swap != 0)
		return kernel->swap.keys[record->swap];
	return key_of_address(record->space, record->vpn);
}

bool kernel_page_key(const struct kernel *kernel, struct pfn frame, uint64_t *key)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	if (!record || (record->use != FRAME_ANON && record->use != FRAME_IMAGE && record->use != FRAME_SHMEM))
		return false;
	*key = replace_key(kernel, frame);
	return true;
}

uint64_t replace_key_at(const struct mm *mm, const struct vma *vma, struct vaddr va)
{
	if (vma->file)
		return replace_key_of_file(vma->file, vma->pgoff + (va.v - vma->start.v) / PAGE_BYTES);
	return key_of_address(mm->id, vaddr_to_vpn(va).v);
}

/* ---- what a policy may ask ---- */

static bool was_used(void *self, uint32_t frame)
{
	struct kernel *kernel = self;
	kernel->reclaim.looked++;
	return page_was_used(kernel, pfn(frame));
}

static bool is_dirty(void *self, uint32_t frame)
{
	return page_is_dirty(self, pfn(frame));
}

static bool may_go(void *self, uint32_t frame)
{
	return page_may_go(self, pfn(frame));
}

static uint64_t time_of_work(void *self)
{
	const struct kernel *kernel = self;
	return kernel->bus->cycle - kernel->vm.waited_cycles;
}

const struct policy_ops *replace_default(void)
{
	return policy_find("linux");
}

bool replace_works_in_a_kernel(const struct policy_ops *ops)
{
	return strcmp(ops->name, "opt") != 0 && strcmp(ops->name, "unopt") != 0;
}

static struct policy_config config_of(const struct kernel_config *config, uint64_t frames, uint64_t capacity)
{
	return (struct policy_config){.frames = (uint32_t)frames,
				      .capacity = (uint32_t)(capacity < frames ? capacity : frames),
				      .window = config->window_cycles,
				      .seed = config->seed ? config->seed : 1};
}

static const struct policy_ops *ops_of(const struct kernel_config *config)
{
	return config->replacement ? config->replacement : replace_default();
}

uint64_t replace_reserve_bytes(const struct kernel_config *config, uint64_t memory_bytes)
{
	uint64_t frames = memory_bytes / PAGE_BYTES;
	const struct policy_config shape = config_of(config, frames, frames);
	return policy_bytes(ops_of(config), &shape);
}

/* ---- ideal policies ---- */

static void on_reference(void *self, const struct mmu_reference *reference)
{
	struct kernel *kernel = self;
	uint64_t frame = paddr_to_pfn(reference->pa).v;
	uint16_t group = frame < frame_pool_total(kernel->frames) ? kernel->reclaim.group_of[frame] : 0;
	if (group == 0)
		return;
	struct policy *policy = kernel->reclaim.groups[group - 1].policy;
	uint32_t head = (uint32_t)folio_head(frame_peek(kernel->frames, pfn(frame)), pfn(frame)).v;
	/* The instruction that faulted begins again: that is the reference which has brought the page in. */
	if (kernel->reclaim.new_to_policy[head])
		kernel->reclaim.new_to_policy[head] = false;
	else if (policy_holds(policy, head))
		policy_touch(policy, head);
}

struct policy *replace_new(struct kernel *kernel, uint64_t capacity)
{
	const struct policy_view view = {.self = kernel,
					 .test_and_clear_accessed = was_used,
					 .is_dirty = is_dirty,
					 .is_evictable = may_go,
					 .now = time_of_work};
	const struct policy_ops *ops = ops_of(&kernel->config);
	const struct policy_config config = config_of(&kernel->config, frame_pool_total(kernel->frames), capacity);
	if (ops->kind == POLICY_IDEAL)
		machine_watch(kernel->machine, on_reference, kernel);
	return policy_new(kernel->arena, ops, &config, &view);
}
