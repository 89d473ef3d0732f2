#include "../base/row_scalar.h"
#include "peak_body.h"
