#include "faultline/profile.h"

#include <string.h>

#define K4 PAGE_SIZE_BIT(PAGE_SIZE_4K)
#define M2 PAGE_SIZE_BIT(PAGE_SIZE_2M)
#define G1 PAGE_SIZE_BIT(PAGE_SIZE_1G)
#define DATA_ONLY TLB_SIDE_BIT(TLB_DATA)
#define CODE_ONLY TLB_SIDE_BIT(TLB_INSTRUCTION)

/* Sizes of paging-structure caches are published by no vendor. 32 PDEs, 4 PDPTEs are what van Schaik et al. measured
 * on Intel's cores since Sandy Bridge (RevAnC, EuroSec 2017); 4 for the levels above is an assumption. */
#define PSC_INTEL                                                                                                      \
	{                                                                                                              \
		[PSC_PDE] = 32, [PSC_PDPTE] = 4, [PSC_PML4E] = 4, [PSC_PML5E] = 4                                      \
	}
/* AMD caches upper entries in a page directory cache of 64 entries (Software Optimization Guide for Family 17h); how it
 * is shared among the levels is an assumption. */
#define PSC_AMD                                                                                                        \
	{                                                                                                              \
		[PSC_PDE] = 32, [PSC_PDPTE] = 16, [PSC_PML4E] = 16, [PSC_PML5E] = 4                                    \
	}

static const struct cpu_profile profiles[] = {
    {
	.name = "skylake",
	.text = "Intel Skylake (client), 2015",
	.maxphyaddr = 46,
	.l1d = {{.page_sizes = K4, .sets = 16, .ways = 4},
		{.page_sizes = M2, .sets = 8, .ways = 4},
		{.page_sizes = G1, .sets = 1, .ways = 4}},
	.l1i = {{.page_sizes = K4, .sets = 16, .ways = 8}, {.page_sizes = M2, .sets = 1, .ways = 8}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 12, .xor_index = true},
	       {.page_sizes = G1, .sets = 4, .ways = 4}},
	.psc_entries = PSC_INTEL,
	.tlb_l2_hit_cycles = 9,
	.walk_step_cycles = 12,
	.source = "Intel 64 and IA-32 Optimization Reference Manual, Skylake: TLB parameters, L2 cache latency 12; "
		  "index of the L2 TLB: Gras et al., TLBleed, USENIX Security 2018; L2 hit 9: Intel top-down metrics "
		  "for Skylake; 46 address bits are those of its server parts",
    },
    {
	.name = "haswell",
	.text = "Intel Haswell, 2013",
	.maxphyaddr = 46,
	.l1d = {{.page_sizes = K4, .sets = 16, .ways = 4},
		{.page_sizes = M2, .sets = 8, .ways = 4},
		{.page_sizes = G1, .sets = 1, .ways = 4}},
	.l1i = {{.page_sizes = K4, .sets = 32, .ways = 4}, {.page_sizes = M2, .sets = 1, .ways = 8}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 8}},
	.psc_entries = PSC_INTEL,
	.tlb_l2_hit_cycles = 8,
	.walk_step_cycles = 11,
	.source = "Intel 64 and IA-32 Optimization Reference Manual, Haswell: TLB parameters, L2 cache latency 11; L2 "
		  "hit 8: Intel top-down metrics for Haswell; 46 address bits are those of its server parts",
    },
    {
	.name = "icelake",
	.text = "Intel Ice Lake (client), 2019",
	.maxphyaddr = 46,
	.l1d = {{.page_sizes = K4, .sets = 16, .ways = 4},
		{.page_sizes = M2, .sets = 8, .ways = 4},
		{.page_sizes = G1, .sets = 1, .ways = 8}},
	.l1i = {{.page_sizes = K4, .sets = 16, .ways = 8}, {.page_sizes = M2, .sets = 1, .ways = 8}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 16}},
	.psc_entries = PSC_INTEL,
	.tlb_l2_hit_cycles = 7,
	.walk_step_cycles = 13,
	.source = "Intel 64 and IA-32 Optimization Reference Manual, Ice Lake client: TLB parameters (stores share the "
		  "load TLB here; 1G pages enter the L2 TLB in pieces), L2 cache latency 13; L2 hit 7: Intel top-down "
		  "metrics for Ice Lake; 46 address bits: as Skylake, an assumption",
    },
    {
	.name = "sapphirerapids",
	.text = "Intel Sapphire Rapids, 2023",
	.maxphyaddr = 52,
	.l1d = {{.page_sizes = K4, .sets = 16, .ways = 6},
		{.page_sizes = M2, .sets = 8, .ways = 4},
		{.page_sizes = G1, .sets = 1, .ways = 8}},
	.l1i = {{.page_sizes = K4, .sets = 32, .ways = 8}, {.page_sizes = M2, .sets = 4, .ways = 8}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 16}},
	.psc_entries = PSC_INTEL,
	.tlb_l2_hit_cycles = 7,
	.walk_step_cycles = 14,
	.source = "Intel 64 and IA-32 Optimization Reference Manual, Golden Cove: TLB parameters as its CPUID leaf 18H "
		  "tells them (stores share the load TLB here; the two halves of the L2 TLB, one for 2M and one for 1G "
		  "pages, are one array; 1G pages enter it in pieces), L2 cache latency 14; L2 hit 7: as Ice Lake, an "
		  "assumption; 52 address bits: CPUID leaf 80000008H",
    },
    {
	.name = "zen2",
	.text = "AMD Zen 2, 2019",
	.maxphyaddr = 48,
	.l1d = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 64}},
	.l1i = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 64}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 16, .sides = DATA_ONLY},
	       {.page_sizes = K4 | M2, .sets = 64, .ways = 8, .sides = CODE_ONLY}},
	.psc_entries = PSC_AMD,
	.tlb_l2_hit_cycles = 7,
	.walk_step_cycles = 12,
	.source = "AMD Software Optimization Guide for Family 17h Models 30h and greater, 2.7: TLBs, L2 cache latency; "
		  "L2 hit 7: Chips and Cheese, measured",
    },
    {
	.name = "zen4",
	.text = "AMD Zen 4, 2022",
	.maxphyaddr = 52,
	.l1d = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 72}},
	.l1i = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 64}},
	.l2 = {{.page_sizes = K4 | M2, .sets = 128, .ways = 24, .sides = DATA_ONLY},
	       {.page_sizes = K4 | M2, .sets = 64, .ways = 8, .sides = CODE_ONLY}},
	.psc_entries = PSC_AMD,
	.tlb_l2_hit_cycles = 7,
	.walk_step_cycles = 14,
	.source = "AMD Software Optimization Guide for the Zen 4 Microarchitecture (57647), 2.7: TLBs, L2 cache "
		  "latency 14; L2 hit 7: Chips and Cheese, measured",
    },
    {
	.name = "textbook",
	.text = "one fully associative TLB of 64 entries, every walk goes to memory",
	.maxphyaddr = 46,
	.l1d = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 64}},
	.l1i = {{.page_sizes = K4 | M2 | G1, .sets = 1, .ways = 64}},
	.walk_step_cycles = 100,
	.source = "Arpaci-Dusseau, Operating Systems: Three Easy Pieces, chapter 19: fully associative, 32 to 128 "
		  "entries; 100 cycles a memory access as in its chapter 22",
    },
    {
	.name = "none",
	.text = "no TLB at all: every access walks the tables",
	.maxphyaddr = 46,
	.source = "the baseline that a TLB is compared with",
    },
};

enum { PROFILE_COUNT = sizeof(profiles) / sizeof(profiles[0]) };

const struct cpu_profile *cpu_profile_at(unsigned index)
{
	return index < PROFILE_COUNT ? &profiles[index] : NULL;
}

const struct cpu_profile *cpu_profile_find(const char *name)
{
	for (unsigned i = 0; i < PROFILE_COUNT; i++) {
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	}
	return NULL;
}

struct cost_table cpu_profile_costs(const struct cpu_profile *profile)
{
	struct cost_table table = cost_table_default();
	if (profile->tlb_l2_hit_cycles)
		table.cycles[COST_TLB_L2_HIT] = profile->tlb_l2_hit_cycles;
	if (profile->walk_step_cycles)
		table.cycles[COST_WALK_STEP] = profile->walk_step_cycles;
	return table;
}
