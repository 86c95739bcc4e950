/* The table of `faultline curve --tlb`. */
#ifndef FAULTLINE_APP_CURVE_TLB_H
#define FAULTLINE_APP_CURVE_TLB_H

#include "faultline/references.h"
#include "faultline/report.h"
#include "faultline/status.h"

/* Misses of LRU TLBs of 1 to 4096 entries with 1, 2, 4, 8, 16 and all ways. The numbers of the pages decide on their
 * sets. HOST: no memory. */
enum status curve_tlb_print(const struct references *references, enum report_format format, struct error *error);

#endif
