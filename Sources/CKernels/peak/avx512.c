#if defined(__x86_64__)
#include "../base/row_avx512.h"

enum { CHAINS = 12 };  // as many as hide the latency
#include "peak_body.h"
#include "../base/row_end.h"
#endif
