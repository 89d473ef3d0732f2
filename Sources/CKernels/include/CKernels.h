#ifndef CKERNELS_H
#define CKERNELS_H

#include "sx_isa.h"
#include "sx_parallel.h"

#endif
