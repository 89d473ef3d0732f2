#include "../base/row_scalar.h"
#include "detect_body.h"
