#if defined(__x86_64__)
#include "../base/row_avx2.h"

enum { CHAINS = 6 };  // two registers each: 12 of 16
#include "peak_body.h"
#include "../base/row_end.h"
#endif
