#include "../base/row_scalar.h"
#include "norm_body.h"
