/* The parts of the page that a run ends with. */
#ifndef FAULTLINE_REPORT_PAGE_PRIVATE_H
#define FAULTLINE_REPORT_PAGE_PRIVATE_H

#include "faultline/report_page.h"

void page_timeline(struct report *report, const struct timeline *timeline);
void page_processes(struct report *report, const struct report_page *page);
void page_deaths(struct report *report, const struct report_page *page);

#endif
