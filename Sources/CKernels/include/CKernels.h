#ifndef CKERNELS_H
#define CKERNELS_H

#include "sx_attention.h"
#include "sx_binary.h"
#include "sx_conv.h"
#include "sx_detect.h"
#include "sx_gemm.h"
#include "sx_isa.h"
#include "sx_layout.h"
#include "sx_move.h"
#include "sx_norm.h"
#include "sx_parallel.h"
#include "sx_system.h"
#include "sx_peak.h"
#include "sx_pool.h"
#include "sx_qgemm.h"
#include "sx_quant.h"
#include "sx_reduce.h"
#include "sx_reorder.h"
#include "sx_resize.h"
#include "sx_softmax.h"
#include "sx_unary.h"

#endif
