#include "faultline/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum status error_set(struct error *error, enum status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	error->status = status;
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return status;
}

void bug(const char *file, int line, const char *condition)
{
	(void)fprintf(stderr, "%s:%d: bug in faultline: %s\n", file, line, condition);
	abort();
}
