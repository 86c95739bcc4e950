/* Belongs to the bottom layer and reaches up, and outside. */
#include "faultline/middle.h"
#include "private.h"
#include <cjson/cJSON.h>
