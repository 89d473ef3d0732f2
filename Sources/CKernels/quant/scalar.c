#include "../base/row_scalar.h"
#include "quant_body.h"
