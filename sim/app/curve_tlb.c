/* One pass for each number of sets gives all ways of it; one more gives the fully associative TLBs. */
#include "curve_tlb.h"

#include <stdlib.h>

#include "curve_sizes.h"
#include "faultline/set_curve.h"

enum { SIZES = 13, WAY_COLUMNS = 5, WAYS_MOST = 16 }; /* 2^0 to 2^12 entries; 2^0 to 2^4 ways */

struct table {
	uint64_t misses[SIZES][WAY_COLUMNS]; /* by logarithms of entries and ways */
	uint64_t full[SIZES];
};

static void feed_all(struct set_curve *curve, const struct references *references)
{
	struct references_reader *reader = references_reader_new(references);
	const uint32_t *block;
	size_t count;
	while ((count = references_next(reader, &block)) > 0)
		set_curve_feed(curve, block, references->number, count);
	references_reader_free(reader);
}

static enum status fill_sets(struct table *table, const struct references *references, struct error *error)
{
	for (unsigned sets = 0; sets < SIZES; sets++) {
		struct set_curve *curve = set_curve_new(UINT32_C(1) << sets, WAYS_MOST);
		if (!curve)
			return error_set(error, STATUS_HOST, "the host has no memory for %u sets", 1u << sets);
		feed_all(curve, references);
		for (unsigned ways = 0; ways < WAY_COLUMNS && sets + ways < SIZES; ways++)
			table->misses[sets + ways][ways] = set_curve_misses(curve, UINT32_C(1) << ways);
		set_curve_free(curve);
	}
	return STATUS_OK;
}

static enum status fill_full(struct table *table, const struct references *references, struct error *error)
{
	uint64_t *misses;
	if (lru_for_all_sizes(references, &misses, error) != STATUS_OK)
		return error->status;
	for (unsigned i = 0; i < SIZES; i++)
		table->full[i] = misses_with(references, misses, UINT32_C(1) << i);
	free(misses);
	return STATUS_OK;
}

static void print(const struct table *table, const struct references *references, enum report_format format)
{
	static const struct report_column columns[] = {
	    {"entries", "entries"}, {"direct", "1 way"},    {"ways_2", "2 ways"}, {"ways_4", "4 ways"},
	    {"ways_8", "8 ways"},   {"ways_16", "16 ways"}, {"full", "all ways"}};
	struct report *report = report_new(stdout, format);
	report_number(report, "references", "references", references->count, "");
	report_number(report, "pages", "pages", references->pages, "");
	report_table_begin(report, "tlb", "TLB misses", columns, sizeof(columns) / sizeof(columns[0]));
	for (unsigned i = 0; i < SIZES; i++) {
		report_cell_number(report, UINT64_C(1) << i);
		for (unsigned ways = 0; ways < WAY_COLUMNS; ways++) {
			if (ways <= i)
				report_cell_number(report, table->misses[i][ways]);
			else
				report_cell_none(report);
		}
		report_cell_number(report, table->full[i]);
	}
	report_table_end(report);
	report_free(report);
}

enum status curve_tlb_print(const struct references *references, enum report_format format, struct error *error)
{
	struct table table = {0};
	enum status status = fill_sets(&table, references, error);
	if (status == STATUS_OK)
		status = fill_full(&table, references, error);
	if (status == STATUS_OK)
		print(&table, references, format);
	return status;
}
