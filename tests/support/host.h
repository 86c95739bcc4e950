/* What the host's own kernel is like, for tests that compare with it. */
#ifndef FAULTLINE_TESTS_HOST_H
#define FAULTLINE_TESTS_HOST_H

#include "faultline/kernel.h"

/* Some kernels of virtual machines are built without the page of zeroes: there a page that was only read is a page. */
enum zero_page host_zero_page(void);

#endif
