/* When pages are taken away: watermarks, the kernel's thread, direct reclaim, and limits of groups. See mm/vmscan.c. */
#include "reclaim.h"

#include "kernel_private.h"

enum {
	BATCH = 32,                /* SWAP_CLUSTER_MAX: what direct reclaim frees at once */
	MOST_KSWAPD_FAILURES = 16, /* MAX_RECLAIM_RETRIES */
	FRAMES_OF_A_FAULT = 2 + 4, /* the page, a copy's source, and a table of each level below the root */
	MIN_FREE_LOWEST = 128,     /* KiB: mm/page_alloc.c, calculate_min_free_kbytes */
	MIN_FREE_HIGHEST = 262144,
};

uint64_t reclaim_reserve_bytes(uint64_t memory_bytes)
{
	return memory_bytes / PAGE_BYTES * (sizeof(uint16_t) + sizeof(bool)) +
	       sizeof(struct memgroup) * (MAX_PROCESSES + 1) + PAGE_BYTES;
}

void reclaim_init(struct kernel *kernel)
{
	struct reclaim *reclaim = &kernel->reclaim;
	uint64_t frames = frame_pool_total(kernel->frames);
	reclaim->groups = arena_new_array(kernel->arena, struct memgroup, MAX_PROCESSES + 1);
	reclaim->group_of = arena_new_array(kernel->arena, uint16_t, frames);
	reclaim->new_to_policy = arena_new_array(kernel->arena, bool, frames);
	reclaim->incoming = POLICY_NO_KEY;
}

static uint64_t square_root(uint64_t value)
{
	uint64_t root = 0;
	for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1) {
		if ((root | bit) * (root | bit) <= value)
			root |= bit;
	}
	return root;
}

void reclaim_set_watermarks(struct kernel *kernel)
{
	const uint64_t managed = frame_pool_free(kernel->frames);
	uint64_t kilobytes = kernel->config.min_free_bytes / KIB;
	if (kilobytes == 0) {
		kilobytes = square_root(managed * (PAGE_BYTES / KIB) * 16);
		kilobytes = kilobytes < MIN_FREE_LOWEST ? MIN_FREE_LOWEST : kilobytes;
		kilobytes = kilobytes > MIN_FREE_HIGHEST ? MIN_FREE_HIGHEST : kilobytes;
	}
	uint64_t min = kilobytes * KIB / PAGE_BYTES, step = managed * kernel->config.watermark_scale / 10000;
	step = step > min / 4 ? step : min / 4;
	kernel->reclaim.marks = (struct watermarks){min, min + step, min + 2 * step};
	kernel->reclaim.groups[0].policy = replace_new(kernel, managed > min ? managed - min : managed);
	kernel->reclaim.ticks = policy_ops(kernel->reclaim.groups[0].policy)->tick != NULL;
}

bool reclaim_has_spare(const struct kernel *kernel)
{
	return frame_pool_free(kernel->frames) > kernel->reclaim.marks.low + FRAMES_OF_A_FAULT;
}

/* ---- whose page it is ---- */

/* Private pages can go only where there is swap. */
static bool is_listed(const struct kernel *kernel, const struct frame *record)
{
	return record->use == FRAME_IMAGE || record->use == FRAME_FILE || swap_exists(&kernel->swap);
}

void reclaim_add(struct kernel *kernel, struct pfn frame)
{
	struct reclaim *reclaim = &kernel->reclaim;
	bool listed = is_listed(kernel, frame_at(kernel->frames, frame));
	if (!listed && !reclaim->groups_exist)
		return;
	const struct mm *mm = kernel->charging;
	struct memgroup *group = mm ? mm->group : &reclaim->groups[0];
	uint64_t pages = (uint64_t)1 << frame_at(kernel->frames, frame)->order;
	for (uint64_t i = 0; i < pages; i++)
		reclaim->group_of[frame.v + i] = (uint16_t)(group->index + 1);
	group->charged += pages;
	group->peak = group->charged > group->peak ? group->charged : group->peak;
	reclaim->new_to_policy[frame.v] = true;
	if (listed)
		policy_insert(group->policy, (uint32_t)frame.v, replace_key(kernel, frame));
}

void reclaim_forget(struct kernel *kernel, struct pfn frame)
{
	struct reclaim *reclaim = &kernel->reclaim;
	uint16_t number = reclaim->group_of[frame.v];
	if (number == 0)
		return;
	struct memgroup *group = &reclaim->groups[number - 1];
	uint64_t pages = (uint64_t)1 << frame_at(kernel->frames, frame)->order;
	for (uint64_t i = 0; i < pages; i++)
		reclaim->group_of[frame.v + i] = 0;
	group->charged -= pages;
	if (policy_holds(group->policy, (uint32_t)frame.v))
		policy_remove(group->policy, (uint32_t)frame.v);
}

void reclaim_move(struct kernel *kernel, struct pfn from, struct pfn to)
{
	struct reclaim *reclaim = &kernel->reclaim;
	uint16_t number = reclaim->group_of[from.v];
	if (number == 0)
		return;
	struct policy *policy = reclaim->groups[number - 1].policy;
	reclaim->group_of[to.v] = number;
	reclaim->group_of[from.v] = 0;
	if (!policy_holds(policy, (uint32_t)from.v))
		return;
	policy_remove(policy, (uint32_t)from.v);
	policy_insert(policy, (uint32_t)to.v, replace_key(kernel, to));
}

void reclaim_split(struct kernel *kernel, struct pfn head)
{
	const struct reclaim *reclaim = &kernel->reclaim;
	uint16_t number = reclaim->group_of[head.v];
	if (number == 0 || !swap_exists(&kernel->swap))
		return;
	struct policy *policy = reclaim->groups[number - 1].policy;
	if (policy_holds(policy, (uint32_t)head.v))
		policy_remove(policy, (uint32_t)head.v);
	for (uint64_t i = head.v; i < head.v + FOLIO_FRAMES; i++) {
		if (frame_at(kernel->frames, pfn(i))->mappings > 0)
			policy_insert(policy, (uint32_t)i, replace_key(kernel, pfn(i)));
	}
}

struct memgroup *memgroup_new(struct kernel *kernel, uint32_t pid, uint64_t limit_bytes)
{
	const struct kernel_config *config = &kernel->config;
	bool own = limit_bytes != 0 || config->scope == REPLACEMENT_LOCAL || config->allocation != ALLOCATION_DEMAND;
	if (!own)
		return &kernel->reclaim.groups[0];
	struct memgroup *group = &kernel->reclaim.groups[pid];
	group->index = pid;
	group->limit = limit_bytes / PAGE_BYTES;
	group->policy = replace_new(kernel, group->limit ? group->limit : kernel->boot_free);
	kernel->reclaim.groups_exist = true;
	return group;
}

/* ---- shrinking ---- */

struct job {
	const char *who;
	uint64_t *scanned, *stolen;
};

/* The policy names one page after the other; one that cannot go after all is told to it again. */
static uint64_t shrink(struct kernel *kernel, struct memgroup *group, uint64_t want, const struct job *job)
{
	uint64_t freed = 0, refused = 0, before = kernel->reclaim.looked;
	while (freed < want && refused <= policy_resident(group->policy)) {
		uint64_t key;
		uint32_t frame = policy_victim(group->policy, kernel->reclaim.incoming, &key);
		if (frame == POLICY_NO_FRAME)
			break;
		kernel->reclaim.looked++;
		uint64_t gone = evict(kernel, pfn(frame));
		freed += gone;
		if (gone > 0)
			continue;
		refused++;
		if (!policy_holds(group->policy, frame))
			policy_insert(group->policy, frame, key);
	}
	uint64_t looked = kernel->reclaim.looked - before;
	machine_charge(kernel->machine, COST_SCAN_PAGE, looked);
	*job->scanned += looked;
	*job->stolen += freed;
	emit(kernel->bus, EVENT_RECLAIM, event_text(job->who), looked, freed, frame_pool_free(kernel->frames));
	return freed;
}

static uint32_t listed(const struct memgroup *group)
{
	return group->policy ? policy_resident(group->policy) : 0;
}

/* Global reclaim takes from the group that has most; local replacement from the one that needs the frame, if it has
 * any. */
static struct memgroup *group_to_shrink(struct kernel *kernel, const struct mm *mm)
{
	struct memgroup *groups = kernel->reclaim.groups, *most = &groups[0];
	if (kernel->config.scope == REPLACEMENT_LOCAL && mm && listed(mm->group) > 0)
		return mm->group;
	for (unsigned i = 1; kernel->reclaim.groups_exist && i <= kernel->process_count; i++)
		most = listed(&groups[i]) > listed(most) ? &groups[i] : most;
	return most;
}

static uint64_t shrink_somewhere(struct kernel *kernel, const struct mm *mm, uint64_t want, const struct job *job)
{
	uint64_t freed = thp_shrink(kernel, want), now = 1;
	*job->stolen += freed;
	while (freed < want && now > 0) {
		now = shrink(kernel, group_to_shrink(kernel, mm), want - freed, job);
		freed += now;
	}
	return freed;
}

/* balance_pgdat: wakes below low, works until high, and gives up when nothing helps. */
static void kswapd(struct kernel *kernel, const struct mm *mm)
{
	struct vm_counts *vm = &kernel->vm;
	const struct job job = {"kswapd", &vm->scanned_kswapd, &vm->stolen_kswapd};
	uint64_t free = frame_pool_free(kernel->frames), high = kernel->reclaim.marks.high;
	if (free >= high || kernel->reclaim.kswapd_failures >= MOST_KSWAPD_FAILURES)
		return;
	vm->kswapd_wakes++;
	machine_charge(kernel->machine, COST_CONTEXT_SWITCH, 2);
	if (shrink_somewhere(kernel, mm, high - free, &job) > 0)
		kernel->reclaim.kswapd_failures = 0;
	else
		kernel->reclaim.kswapd_failures++;
}

/* The process that needs frames reclaims by itself, and waits until what it gave to the devices is written. */
static bool reclaim_directly(struct kernel *kernel, const struct mm *mm, uint64_t enough)
{
	struct vm_counts *vm = &kernel->vm;
	const struct job job = {"direct reclaim", &vm->scanned_direct, &vm->stolen_direct};
	vm->direct_stalls++;
	while (frame_pool_free(kernel->frames) < enough) {
		uint64_t missing = enough - frame_pool_free(kernel->frames);
		if (shrink_somewhere(kernel, mm, missing > BATCH ? missing : BATCH, &job) == 0)
			return false;
		kernel->reclaim.kswapd_failures = 0;
		block_wait(kernel, kernel->written_until);
	}
	return true;
}

void reclaim_for_huge(struct kernel *kernel, const struct mm *mm, uint64_t enough, bool directly)
{
	if (directly)
		(void)reclaim_directly(kernel, mm, enough);
	else
		kswapd(kernel, mm);
}

/* ---- groups ---- */

static uint64_t limit_of(const struct kernel *kernel, const struct memgroup *group)
{
	uint64_t spaces = 0, shared;
	if (kernel->config.allocation != ALLOCATION_FIXED)
		return group->limit;
	for (unsigned i = 0; i < kernel->process_count; i++)
		spaces += kernel->spaces[i] != NULL;
	shared = (kernel->boot_free - kernel->reclaim.marks.high) / (spaces ? spaces : 1);
	return group->limit && group->limit < shared ? group->limit : shared;
}

bool memgroup_has_room(const struct kernel *kernel, const struct memgroup *group, uint64_t frames)
{
	uint64_t limit = kernel->reclaim.groups_exist ? limit_of(kernel, group) : 0;
	return limit == 0 || group->charged + frames <= limit;
}

/* try_charge: room for so many pages more below the group's limit. */
static bool make_room(struct kernel *kernel, struct memgroup *group, uint64_t frames)
{
	struct vm_counts *vm = &kernel->vm;
	const struct job job = {"its memory limit", &vm->scanned_direct, &vm->stolen_direct};
	uint64_t limit = limit_of(kernel, group);
	while (limit != 0 && group->charged + frames > limit) {
		if (shrink(kernel, group, group->charged + frames - limit, &job) == 0)
			return false;
		block_wait(kernel, kernel->written_until);
	}
	return true;
}

/* Page-fault frequency (Chu, Opderbeck: Program behavior and the page fault frequency replacement algorithm, 1976): a
 * process that has not faulted for long gives up what it has not used since. */
static void trim_by_frequency(struct kernel *kernel, struct memgroup *group)
{
	uint64_t now = kernel->bus->cycle - kernel->vm.waited_cycles, since = now - group->last_fault;
	group->last_fault = now;
	if (since < kernel->config.pff_cycles)
		return;
	uint64_t unused = 0;
	for (uint32_t i = 1; frame_peek(kernel->frames, pfn(i)); i++) {
		if (policy_holds(group->policy, i) && !page_was_used(kernel, pfn(i)))
			unused += evict(kernel, pfn(i));
	}
	kernel->vm.stolen_direct += unused;
}

/* ---- the door ---- */

static bool has_room(struct kernel *kernel, struct mm *mm, uint64_t frames, uint64_t charge)
{
	const struct watermarks *marks = &kernel->reclaim.marks;
	if (kernel->reclaim.groups_exist && mm && charge > 0 && !make_room(kernel, mm->group, charge))
		return false;
	if (frame_pool_free(kernel->frames) < marks->low + frames)
		kswapd(kernel, mm);
	return frame_pool_free(kernel->frames) >= marks->min + frames ||
	       reclaim_directly(kernel, mm, marks->min + frames);
}

static bool make_or_kill(struct kernel *kernel, struct mm *mm, uint64_t frames, uint64_t charge)
{
	kernel->charging = mm;
	while (!has_room(kernel, mm, frames, charge)) {
		const struct memgroup *group = mm ? mm->group : NULL;
		bool limited = group && kernel->reclaim.groups_exist && limit_of(kernel, group) != 0 &&
			       group->charged + charge > limit_of(kernel, group);
		if (!oom_kill(kernel, limited ? group : NULL))
			return false;
	}
	return true;
}

/* What the fault will take: nothing where it only changes an entry, or maps the zero page or a page in the cache. */
static bool takes_a_frame(struct mm *mm, const struct vma *vma, struct vaddr va, bool write)
{
	struct pte entry = table_get(mm, va);
	struct pfn unused;
	if (entry_is_swap(entry))
		return swap_cache_find(mm->kernel, swap_entry_slot(mm->layout, entry)).v == 0;
	if (!entry_used(entry) && (vma->flags & VMA_HUGETLB))
		return true;
	if (!entry_used(entry) && vma->file && (!write || (vma->flags & VMA_SHARED)))
		return !file_page(vma->file, vma->pgoff + (va.v - vma->start.v) / PAGE_BYTES, &unused);
	if (!entry_used(entry) || !write)
		return write;
	if (vma->flags & VMA_SHARED)
		return false;
	struct pfn frame = pfn(pte_frame(entry));
	return frame_at(mm->kernel->frames, frame)->use != FRAME_ANON || !page_may_be_reused(mm->kernel, frame);
}

/* Policies sample at ticks: those that have passed since the last fault come now, though no more than tell anything. */
static void tick(struct kernel *kernel)
{
	enum { MOST = 8 };
	struct reclaim *reclaim = &kernel->reclaim;
	uint64_t now = kernel->bus->cycle, every = kernel->config.tick_cycles ? kernel->config.tick_cycles : 1;
	if (now < reclaim->next_tick)
		return;
	uint64_t due = (now - reclaim->next_tick) / every + 1;
	reclaim->next_tick += due * every;
	for (uint64_t i = 0; i < due && i < MOST; i++) {
		for (unsigned group = 0; group <= kernel->process_count; group++) {
			if (reclaim->groups[group].policy)
				policy_tick(reclaim->groups[group].policy);
		}
	}
}

bool reclaim_for_fault(struct mm *mm, const struct vma *vma, struct vaddr va, bool write)
{
	struct kernel *kernel = mm->kernel;
	struct reclaim *reclaim = &kernel->reclaim;
	uint64_t frames = hugetlb_takes_frames(mm, vma) ? huge_bytes(mm) / PAGE_BYTES : FRAMES_OF_A_FAULT;
	kernel->charging = mm;
	if (reclaim->ticks)
		tick(kernel);
	if (!reclaim->groups_exist && frame_pool_free(kernel->frames) >= reclaim->marks.low + frames)
		return true;
	if (!takes_a_frame(mm, vma, va, write))
		return true;
	reclaim->incoming = replace_key_at(mm, vma, va);
	if (kernel->config.allocation == ALLOCATION_PFF)
		trim_by_frequency(kernel, mm->group);
	return make_or_kill(kernel, mm, frames, 1);
}

bool reclaim_for_cache(struct mm *mm, const struct file *file, uint64_t index)
{
	struct kernel *kernel = mm->kernel;
	struct pfn there;
	kernel->charging = mm;
	if (file_page(file, index, &there))
		return true;
	kernel->reclaim.incoming = replace_key_of_file(file, index);
	return make_or_kill(kernel, mm, FRAMES_OF_A_FAULT, 1);
}

bool reclaim_for_frames(struct kernel *kernel, struct mm *mm, uint64_t frames)
{
	kernel->charging = mm;
	kernel->reclaim.incoming = POLICY_NO_KEY;
	return frame_pool_free(kernel->frames) >= kernel->reclaim.marks.low + frames || has_room(kernel, mm, frames, 0);
}

bool reclaim_check(const struct kernel *kernel, const char **why)
{
	const struct reclaim *reclaim = &kernel->reclaim;
	uint64_t charged = 0, by_group = 0;
	for (uint64_t i = 1; frame_peek(kernel->frames, pfn(i)); i++) {
		charged += reclaim->group_of[i] != 0;
		if (reclaim->group_of[i] && frame_peek(kernel->frames, pfn(i))->use == FRAME_FREE)
			*why = "reclaim: a free frame can be reclaimed";
	}
	for (unsigned i = 0; i <= kernel->process_count; i++) {
		by_group += reclaim->groups[i].charged;
		if (listed(&reclaim->groups[i]) > reclaim->groups[i].charged)
			*why = "reclaim: a policy holds more pages than its group has";
	}
	if (charged != by_group)
		*why = "reclaim: the pages of all groups are miscounted";
	return *why == NULL;
}
