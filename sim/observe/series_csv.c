/* A time series as CSV: docs/series-1.md. */
#include <inttypes.h>

#include "faultline/csv.h"
#include "faultline/series.h"
#include "faultline/version.h"

void series_csv_head(const struct series_csv *csv)
{
	(void)fputs("sample,operations,events,cycles,pid,process", csv->out);
	for (unsigned i = 0; i < SERIES_VALUES; i++)
		(void)fprintf(csv->out, ",%s", series_value_name(i));
	(void)fputs(",version,digest\r\n", csv->out);
}

void series_csv_row(void *self, const struct series_sample *sample)
{
	const struct series_csv *csv = self;
	FILE *out = csv->out;
	(void)fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u", sample->number, sample->operations,
		      sample->events, sample->cycles, sample->pid);
	(void)fputc(',', out);
	csv_put(out, sample->process);
	for (unsigned i = 0; i < SERIES_VALUES; i++)
		(void)fprintf(out, ",%" PRIu64, sample->value[i]);
	(void)fprintf(out, ",%s,%016" PRIx64 "\r\n", FAULTLINE_VERSION, world_document(csv->world)->digest);
}
