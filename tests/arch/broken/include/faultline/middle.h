/* Nothing wrong here. */
#include "faultline/low.h"
