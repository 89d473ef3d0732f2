#include "../base/row_scalar.h"
#include "resize_body.h"
