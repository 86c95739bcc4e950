/* The settings, one row each. */
#include "settings.h"

#include "document_private.h"
#include "faultline/heap.h"
#include "faultline/profile.h"

static const char *profile_name(unsigned index)
{
	const struct cpu_profile *profile = cpu_profile_at(index);
	return profile ? profile->name : NULL;
}

static void set_profile(void *base, unsigned index)
{
	((struct document_machine *)base)->profile = cpu_profile_at(index);
}

static unsigned get_profile(const void *base)
{
	unsigned index = 0;
	while (cpu_profile_at(index) != ((const struct document_machine *)base)->profile)
		index++;
	return index;
}

/* The default first. */
static const enum paging_mode paging_choices[] = {PAGING_4LEVEL, PAGING_5LEVEL, PAGING_PAE, PAGING_32BIT};

static const char *paging_name(unsigned index)
{
	return index < sizeof(paging_choices) / sizeof(*paging_choices) ? paging_mode_info(paging_choices[index])->name
									: NULL;
}

static void set_paging(void *base, unsigned index)
{
	((struct document_machine *)base)->paging = paging_choices[index];
}

static unsigned get_paging(const void *base)
{
	unsigned index = 0;
	while (paging_choices[index] != ((const struct document_machine *)base)->paging)
		index++;
	return index;
}

static const char *replacement_name(unsigned index)
{
	return index < TLB_REPLACEMENT_COUNT ? tlb_replacement_name((enum tlb_replacement)index) : NULL;
}

static const char *overcommit_word(unsigned index)
{
	static const char *const words[OVERCOMMIT_COUNT] = {
#define X(id, name, text) [OVERCOMMIT_##id] = #name,
	    OVERCOMMIT_LIST(X)
#undef X
	};
	return index < OVERCOMMIT_COUNT ? words[index] : NULL;
}

static const char *device_name(unsigned index)
{
	return index < BLOCK_KIND_COUNT ? block_kind_info((enum block_kind)index)->name : NULL;
}

/* Those that work without knowing the future; NULL behind the last. */
static const struct policy_ops *policy_at(unsigned index)
{
	for (unsigned i = 0; policy_registry[i]; i++) {
		if (replace_works_in_a_kernel(policy_registry[i]) && index-- == 0)
			return policy_registry[i];
	}
	return NULL;
}

static const char *policy_name(unsigned index)
{
	const struct policy_ops *ops = policy_at(index);
	return ops ? ops->name : NULL;
}

static void set_policy(void *base, unsigned index)
{
	((struct kernel_config *)base)->replacement = policy_at(index);
}

static unsigned get_policy(const void *base)
{
	const struct policy_ops *ops = ((const struct kernel_config *)base)->replacement;
	unsigned index = 0;
	while (policy_at(index) != (ops ? ops : replace_default()))
		index++;
	return index;
}

static const char *scope_name(unsigned index)
{
	static const char *const words[REPLACEMENT_SCOPE_COUNT] = {
#define X(id, name, text) [REPLACEMENT_##id] = #name,
	    REPLACEMENT_SCOPE_LIST(X)
#undef X
	};
	return index < REPLACEMENT_SCOPE_COUNT ? words[index] : NULL;
}

static const char *allocation_name(unsigned index)
{
	static const char *const words[ALLOCATION_COUNT] = {
#define X(id, name, text) [ALLOCATION_##id] = #name,
	    ALLOCATION_LIST(X)
#undef X
	};
	return index < ALLOCATION_COUNT ? words[index] : NULL;
}

static const char *zero_page_name(unsigned index)
{
	static const char *const words[ZERO_PAGE_COUNT] = {
#define X(id, name, text) [ZERO_PAGE_##id] = #name,
	    ZERO_PAGE_LIST(X)
#undef X
	};
	return index < ZERO_PAGE_COUNT ? words[index] : NULL;
}

static const char *thp_word(unsigned index)
{
	static const char *const words[THP_MODE_COUNT] = {
#define X(id, name, text) [THP_##id] = #name,
	    THP_MODE_LIST(X)
#undef X
	};
	return index < THP_MODE_COUNT ? words[index] : NULL;
}

static const char *thp_defrag_word(unsigned index)
{
	static const char *const words[THP_DEFRAG_COUNT] = {
#define X(id, word, text) [THP_DEFRAG_##id] = (word),
	    THP_DEFRAG_LIST(X)
#undef X
	};
	return index < THP_DEFRAG_COUNT ? words[index] : NULL;
}

static const char *libc_name(unsigned index)
{
	return heap_registry[index] ? heap_registry[index]->name : NULL;
}

static void set_libc(void *base, unsigned index)
{
	((struct document_process *)base)->libc = heap_registry[index];
}

static unsigned get_libc(const void *base)
{
	unsigned index = 0;
	while (heap_registry[index] != ((const struct document_process *)base)->libc)
		index++;
	return index;
}

#define PROCESS_SIZE(key, member, about)                                                                               \
	{                                                                                                              \
		.scope = SETTING_PROCESS, .name = (key), .type = SETTING_SIZE,                                         \
		.field = offsetof(struct document_process, spec.member), .text = (about)                               \
	}

#define KERNEL_NUMBER(key, kind, member, about)                                                                        \
	{                                                                                                              \
		.scope = SETTING_KERNEL, .name = (key), .type = (kind),                                                \
		.field = offsetof(struct kernel_config, member), .text = (about)                                       \
	}

static const struct setting settings[] = {
    {.scope = SETTING_MACHINE,
     .name = "memory",
     .type = SETTING_SIZE,
     .field = offsetof(struct document_machine, memory_bytes),
     .text = "RAM; a multiple of 4 KiB"},
    {.scope = SETTING_MACHINE,
     .name = "cpu",
     .type = SETTING_CHOICE,
     .choice_name = profile_name,
     .set_choice = set_profile,
     .get_choice = get_profile,
     .text = "processor profile: TLBs, caches of the walk, latencies"},
    {.scope = SETTING_MACHINE,
     .name = "cpus",
     .type = SETTING_NUMBER,
     .field = offsetof(struct document_machine, cpus),
     .text = "processors, 1 to 64; a process runs on CPU (its index mod cpus), its thread n on the n-th after it"},
    {.scope = SETTING_MACHINE,
     .name = "paging",
     .type = SETTING_CHOICE,
     .choice_name = paging_name,
     .set_choice = set_paging,
     .get_choice = get_paging,
     .text = "paging mode"},
    {.scope = SETTING_MACHINE,
     .name = "tlb_replacement",
     .type = SETTING_CHOICE,
     .choice_name = replacement_name,
     .field = offsetof(struct document_machine, tlb_replacement),
     .text = "which entry of a full set of a TLB makes way"},
    {.scope = SETTING_KERNEL,
     .name = "overcommit",
     .type = SETTING_CHOICE,
     .choice_name = overcommit_word,
     .field = offsetof(struct kernel_config, overcommit),
     .text = "vm.overcommit_memory: which promises of memory are refused"},
    KERNEL_NUMBER("overcommit_ratio", SETTING_NUMBER, overcommit_ratio,
		  "vm.overcommit_ratio, for never: percent of RAM"),
    KERNEL_NUMBER("max_map_count", SETTING_NUMBER, max_map_count, "vm.max_map_count: most VMAs of a process"),
    KERNEL_NUMBER("fault_around", SETTING_SIZE, fault_around_bytes,
		  "fault_around_bytes: pages of a file mapped by one fault"),
    {.scope = SETTING_KERNEL,
     .name = "zero_page",
     .type = SETTING_CHOICE,
     .choice_name = zero_page_name,
     .field = offsetof(struct kernel_config, zero_page),
     .text = "what anonymous memory maps that is only read: one page of zeroes for all, or a frame of its own"},
    KERNEL_NUMBER("swap", SETTING_SIZE, swap_bytes, "the swap area, its header included; 0: none"),
    {.scope = SETTING_KERNEL,
     .name = "swap_device",
     .type = SETTING_CHOICE,
     .choice_name = device_name,
     .field = offsetof(struct kernel_config, swap_device),
     .text = "what the swap area lies on"},
    KERNEL_NUMBER("page_cluster", SETTING_NUMBER, page_cluster,
		  "vm.page-cluster: 2 to this power pages of swap are read at once"),
    {.scope = SETTING_KERNEL,
     .name = "disk",
     .type = SETTING_CHOICE,
     .choice_name = device_name,
     .field = offsetof(struct kernel_config, disk),
     .text = "what files lie on"},
    KERNEL_NUMBER("read_ahead", SETTING_SIZE, read_ahead_bytes,
		  "read_ahead_kb: how much of a file is read at once around a fault"),
    KERNEL_NUMBER(
	"dirty_background_ratio", SETTING_NUMBER, dirty_background_ratio,
	"vm.dirty_background_ratio: percent of memory that may be dirty pages of files before they are written"),
    KERNEL_NUMBER("dirty_ratio", SETTING_NUMBER, dirty_ratio,
		  "vm.dirty_ratio: above it, with what is on its way to the disk, who writes waits"),
    KERNEL_NUMBER("min_free", SETTING_SIZE, min_free_bytes,
		  "vm.min_free_kbytes: frames that stay free; 0: by the size of RAM"),
    KERNEL_NUMBER("watermark_scale", SETTING_NUMBER, watermark_scale,
		  "vm.watermark_scale_factor: between min, low and high, in 1/10000 of RAM"),
    {.scope = SETTING_KERNEL,
     .name = "replacement",
     .type = SETTING_CHOICE,
     .choice_name = policy_name,
     .set_choice = set_policy,
     .get_choice = get_policy,
     .text = "which page makes way: see faultline list policies"},
    KERNEL_NUMBER("window", SETTING_NUMBER, window_cycles, "of working-set policies: cycles"),
    KERNEL_NUMBER("tick", SETTING_NUMBER, tick_cycles, "cycles between the ticks at which policies sample"),
    {.scope = SETTING_KERNEL,
     .name = "scope",
     .type = SETTING_CHOICE,
     .choice_name = scope_name,
     .field = offsetof(struct kernel_config, scope),
     .text = "whose pages make way: anybody's, or those of the process that needs the frame"},
    {.scope = SETTING_KERNEL,
     .name = "allocation",
     .type = SETTING_CHOICE,
     .choice_name = allocation_name,
     .field = offsetof(struct kernel_config, allocation),
     .text = "how many frames a process may have: what it touches, an equal share, or by its page-fault frequency"},
    KERNEL_NUMBER("seed", SETTING_NUMBER, seed, "of replacement policies that choose at random; 0: 1"),
    KERNEL_NUMBER("quantum", SETTING_NUMBER, quantum_cycles,
		  "cycles of a time slice of round robin; 0: processes are switched where their scripts yield"),
    KERNEL_NUMBER("pff_cycles", SETTING_NUMBER, pff_cycles,
		  "for pff: a process that has not faulted for so long gives up unused pages"),
    KERNEL_NUMBER("hugepages", SETTING_NUMBER, hugepages,
		  "vm.nr_hugepages: pages in the pool of MAP_HUGETLB; 0: they are made when they are touched"),
    KERNEL_NUMBER("hugepages_1g", SETTING_NUMBER, hugepages_1g,
		  "hugepagesz=1G hugepages=N: pages of 1 GiB set aside at boot for MAP_HUGETLB with MAP_HUGE_1GB"),
    {.scope = SETTING_KERNEL,
     .name = "thp",
     .type = SETTING_CHOICE,
     .choice_name = thp_word,
     .field = offsetof(struct kernel_config, thp),
     .text = "transparent_hugepage/enabled: which anonymous memory gets pages of 2 MiB"},
    {.scope = SETTING_KERNEL,
     .name = "thp_defrag",
     .type = SETTING_CHOICE,
     .choice_name = thp_defrag_word,
     .field = offsetof(struct kernel_config, thp_defrag),
     .text = "transparent_hugepage/defrag: what is done for a huge page when no block is free"},
    KERNEL_NUMBER("khugepaged_sleep", SETTING_NUMBER, khugepaged.scan_sleep_cycles,
		  "khugepaged/scan_sleep_millisecs, in cycles: between two looks for small pages to make huge ones of"),
    KERNEL_NUMBER("khugepaged_pages", SETTING_NUMBER, khugepaged.pages_to_scan,
		  "khugepaged/pages_to_scan: pages it looks at each time"),
    KERNEL_NUMBER("khugepaged_max_none", SETTING_NUMBER, khugepaged.max_ptes_none,
		  "khugepaged/max_ptes_none: pages of 512 that may be missing"),
    KERNEL_NUMBER("khugepaged_max_swap", SETTING_NUMBER, khugepaged.max_ptes_swap,
		  "khugepaged/max_ptes_swap: pages of 512 that may be in swap"),
    KERNEL_NUMBER("khugepaged_max_shared", SETTING_NUMBER, khugepaged.max_ptes_shared,
		  "khugepaged/max_ptes_shared: pages of 512 that others may have, too"),
    {.scope = SETTING_PROCESS,
     .name = "libc",
     .type = SETTING_CHOICE,
     .choice_name = libc_name,
     .set_choice = set_libc,
     .get_choice = get_libc,
     .text = "the allocator behind malloc"},
    {.scope = SETTING_PROCESS,
     .name = "cores",
     .type = SETTING_SIZE,
     .field = offsetof(struct document_process, cores),
     .text = "what get_nprocs() says: glibc makes at most 8 arenas for each; 0: 1"},
    {.scope = SETTING_PROCESS,
     .name = "seed",
     .type = SETTING_NUMBER,
     .field = offsetof(struct document_process, seed),
     .text = "other random numbers: mixed into the seed of every access pattern; 0: those of the script"},
    PROCESS_SIZE("text", text_bytes, "bytes of code; 0: 16 KiB"),
    PROCESS_SIZE("rodata", rodata_bytes, "bytes of constants; 0: 8 KiB"),
    PROCESS_SIZE("data", data_bytes, "bytes of initialised variables; 0: 8 KiB"),
    PROCESS_SIZE("bss", bss_bytes, "bytes of zero-initialised variables; 0: 8 KiB"),
    PROCESS_SIZE("stack_limit", stack_limit, "RLIMIT_STACK; 0: 8 MiB"),
    PROCESS_SIZE("memlock_limit", memlock_limit, "RLIMIT_MEMLOCK; 0: 8 MiB"),
    PROCESS_SIZE("as_limit", as_limit, "RLIMIT_AS; 0: none"),
    PROCESS_SIZE("data_limit", data_limit, "RLIMIT_DATA; 0: none"),
    {.scope = SETTING_PROCESS,
     .name = "oom_score_adj",
     .type = SETTING_ADJUSTMENT,
     .field = offsetof(struct document_process, spec.oom_score_adj),
     .text = "how ready the OOM killer is to choose it: -1000 (never) to 1000"},
    PROCESS_SIZE("memory_limit", memory_limit, "memory.max of a memory cgroup of its own; 0: none"),
    {.scope = SETTING_PROCESS,
     .name = "aslr_seed",
     .type = SETTING_NUMBER,
     .field = offsetof(struct document_process, spec.aslr_seed),
     .text = "addresses are randomised from this seed; 0: they are not"},
    {.scope = SETTING_PROCESS,
     .name = "start_brk",
     .type = SETTING_ADDRESS,
     .field = offsetof(struct document_process, spec.start_brk),
     .text = "the first program break; 0x0: the page behind bss"},
    {.scope = SETTING_PROCESS,
     .name = "mmap_ceiling",
     .type = SETTING_ADDRESS,
     .field = offsetof(struct document_process, spec.mmap_ceiling),
     .text = "upper end of the area of mappings, what is above it is taken; 0x0: below the stack and its gap"},
};

const struct setting *setting_at(unsigned index)
{
	return index < sizeof(settings) / sizeof(*settings) ? &settings[index] : NULL;
}
