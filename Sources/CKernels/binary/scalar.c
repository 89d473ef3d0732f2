#include "../base/row_scalar.h"
#include "binary_body.h"
