/* A field of CSV, RFC 4180. */
#ifndef FAULTLINE_CSV_H
#define FAULTLINE_CSV_H

#include <stdio.h>

/* With quotation marks where there must be. */
void csv_put(FILE *out, const char *text);

#endif
