/* Words for how a process stands. */
#ifndef FAULTLINE_REPORT_PROCESSES_H
#define FAULTLINE_REPORT_PROCESSES_H

#include "faultline/world.h"

/* "running", "finished", "exited", "killed" */
const char *report_state_name(enum world_state state);

#endif
