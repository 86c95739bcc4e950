#include "../machine/private.h"
#include "elsewhere.h"
#include "faultline/middle.h"
