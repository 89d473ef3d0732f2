#include "../base/row_scalar.h"
#include "move_body.h"
