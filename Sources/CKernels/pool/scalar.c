#include "../base/row_scalar.h"
#include "pool_body.h"
