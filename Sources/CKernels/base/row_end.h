/// Ends what row_avx2.h or row_avx512.h began.
#pragma clang attribute pop
