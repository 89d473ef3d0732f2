#if defined(__x86_64__)
#include "../base/row_avx2.h"
#include "quant_body.h"
#include "../base/row_end.h"
#endif
