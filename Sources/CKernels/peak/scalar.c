#include "../base/row_scalar.h"

enum { CHAINS = 3 };  // four registers each on the baseline: 12 of 16
#include "peak_body.h"
