/* What commands that print reports have in common. */
#ifndef FAULTLINE_APP_FORMAT_H
#define FAULTLINE_APP_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "faultline/report.h"
#include "faultline/status.h"

/* The value of an option that names a format; BAD_INPUT with the nearest one and all that there are. */
enum status take_format(const char *option, const char *value, enum report_format *out, struct error *error);

/* On a terminal that can show them, unless https://no-color.org/ says no. */
bool wants_colour(FILE *out);

#endif
