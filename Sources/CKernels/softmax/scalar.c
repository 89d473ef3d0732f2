#include "../base/row_scalar.h"
#include "softmax_body.h"
