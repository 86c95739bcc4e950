#include "faultline/csv.h"

#include <string.h>

void csv_put(FILE *out, const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text; text++)
		(void)fprintf(out, *text == '"' ? "\"%c" : "%c", *text);
	(void)fputc('"', out);
}
