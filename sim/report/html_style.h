/* What every HTML report carries with it. Classes c0 to c9 are the colours of series. */
#ifndef FAULTLINE_REPORT_HTML_STYLE_H
#define FAULTLINE_REPORT_HTML_STYLE_H

#include <stdio.h>

void html_put_style(FILE *out);
void html_put_script(FILE *out);

#endif
