/* The processors side by side. */
#ifndef FAULTLINE_APP_LIST_PROFILES_H
#define FAULTLINE_APP_LIST_PROFILES_H

#include "faultline/report.h"

void list_profiles(struct report *report);

#endif
