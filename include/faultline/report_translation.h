/* A translation through the emitter: CR3, every entry with every bit named, the TLBs, the VMA, the frame, and what each
 * kind of access would meet. */
#ifndef FAULTLINE_REPORT_TRANSLATION_H
#define FAULTLINE_REPORT_TRANSLATION_H

#include "faultline/report.h"
#include "faultline/translation.h"

void report_translation(struct report *report, const struct translation *translation);

/* The way through the tables in one line: "PML4E 0xe007 -> PDPTE 0xf007 -> PDE 0x0 not present". */
struct report_path {
	char text[256];
};
struct report_path report_translation_path(const struct translation *translation);

/* "[heap] 0x55555555e000-0x55555557f000 rw-", or which VMAs lie around. */
struct report_area {
	char text[256];
};
struct report_area report_translation_area(const struct translation *translation);

#endif
