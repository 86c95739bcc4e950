#include "list_profiles.h"

#include <stdio.h>
#include <string.h>

#include "faultline/profile.h"

enum { MAX_PROFILES = 16, ROOM = 128 };

/* "4K+2M 128x12": the sizes of pages that one array holds, its sets and ways; arrays are joined by a comma. */
static void add_array(char out[ROOM], const struct tlb_geometry *array)
{
	size_t used = strlen(out);
	const char *separator = used ? ", " : "";
	for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++) {
		if (!(array->page_sizes & PAGE_SIZE_BIT(size)))
			continue;
		used += (size_t)snprintf(out + used, ROOM - used, "%s%s", separator,
					 page_size_name((enum page_size)size));
		separator = "+";
	}
	(void)snprintf(out + used, ROOM - used, " %ux%u", array->sets, array->ways);
}

static void arrays_text(const struct tlb_geometry *arrays, unsigned count, char out[ROOM])
{
	out[0] = '\0';
	for (unsigned i = 0; i < count; i++) {
		if (arrays[i].page_sizes)
			add_array(out, &arrays[i]);
	}
	if (!out[0])
		(void)snprintf(out, ROOM, "none");
}

static void l1d(const struct cpu_profile *profile, char out[ROOM])
{
	arrays_text(profile->l1d, PROFILE_L1_ARRAYS, out);
}

static void l1i(const struct cpu_profile *profile, char out[ROOM])
{
	arrays_text(profile->l1i, PROFILE_L1_ARRAYS, out);
}

static void l2(const struct cpu_profile *profile, char out[ROOM])
{
	arrays_text(profile->l2, PROFILE_L2_ARRAYS, out);
}

static void psc(const struct cpu_profile *profile, char out[ROOM])
{
	size_t used = 0;
	out[0] = '\0';
#define X(id, level, name)                                                                                             \
	if (profile->psc_entries[PSC_##id])                                                                            \
		used += (size_t)snprintf(out + used, ROOM - used, "%s%s %u", used ? ", " : "", name,                   \
					 profile->psc_entries[PSC_##id]);
	PSC_LEVEL_LIST(X)
#undef X
	if (!used)
		(void)snprintf(out, ROOM, "none");
}

static void address_bits(const struct cpu_profile *profile, char out[ROOM])
{
	(void)snprintf(out, ROOM, "%u", profile->maxphyaddr);
}

static void l2_cycles(const struct cpu_profile *profile, char out[ROOM])
{
	(void)snprintf(out, ROOM, "%u", cpu_profile_costs(profile).cycles[COST_TLB_L2_HIT]);
}

static void step_cycles(const struct cpu_profile *profile, char out[ROOM])
{
	(void)snprintf(out, ROOM, "%u", cpu_profile_costs(profile).cycles[COST_WALK_STEP]);
}

static const struct {
	const char *title;
	void (*text)(const struct cpu_profile *profile, char out[ROOM]);
} properties[] = {
    {"data TLB, sets x ways", l1d},
    {"instruction TLB", l1i},
    {"second-level TLB", l2},
    {"paging-structure caches", psc},
    {"physical address bits", address_bits},
    {"cycles of an L2 TLB hit", l2_cycles},
    {"cycles of a walk step", step_cycles},
};

static unsigned profile_count(void)
{
	unsigned count = 0;
	while (count < MAX_PROFILES && cpu_profile_at(count))
		count++;
	return count;
}

void list_profiles(struct report *report)
{
	struct report_column columns[MAX_PROFILES + 1] = {{"property", ""}};
	unsigned count = profile_count();
	for (unsigned i = 0; i < count; i++)
		columns[i + 1] = (struct report_column){cpu_profile_at(i)->name, cpu_profile_at(i)->name};
	report_table_begin(report, "profiles", "Processors: machine.cpu=NAME", columns, count + 1);
	for (unsigned row = 0; row < sizeof(properties) / sizeof(properties[0]); row++) {
		report_cell_text(report, properties[row].title);
		for (unsigned i = 0; i < count; i++) {
			char text[ROOM];
			properties[row].text(cpu_profile_at(i), text);
			report_cell_text(report, text);
		}
	}
	report_table_end(report);

	static const struct report_column sources[] = {{"name", "name"}, {"text", "what it is"}, {"source", "source"}};
	report_table_begin(report, "profile_sources", "Where their numbers are from", sources, 3);
	for (unsigned i = 0; i < count; i++) {
		report_cell_text(report, cpu_profile_at(i)->name);
		report_cell_text(report, cpu_profile_at(i)->text);
		report_cell_text(report, cpu_profile_at(i)->source);
	}
	report_table_end(report);
}
