#include "../base/row_scalar.h"
#include "reduce_body.h"
