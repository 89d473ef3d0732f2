#include "../base/row_scalar.h"
#include "unary_body.h"
