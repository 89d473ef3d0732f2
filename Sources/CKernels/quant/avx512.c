#if defined(__x86_64__)
#include "../base/row_avx512.h"
#include "quant_body.h"
#include "../base/row_end.h"
#endif
