/* `policy --compat ostep`: an exercise of the course, access by access. */
#ifndef FAULTLINE_APP_POLICY_COURSE_H
#define FAULTLINE_APP_POLICY_COURSE_H

#include "policy_request.h"

/* Opens and closes the request. Default: 3 frames, all policies of the course. */
enum status policy_course_run(struct policy_request *request, uint64_t clock_bits, struct error *error);

#endif
