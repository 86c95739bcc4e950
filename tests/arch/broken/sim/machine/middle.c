#include "faultline/low.h"
#include "faultline/nowhere.h"
#include <zlib.h>
