#if defined(__x86_64__)
#include "../base/row_avx512.h"
#include "detect_body.h"
#include "../base/row_end.h"
#endif
