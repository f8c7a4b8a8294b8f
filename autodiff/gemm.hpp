// The one seam to matrix products: OpenBLAS, and libxsmm for small ones where it is there.
#pragma once

#include <reel/autodiff/view.hpp>

namespace reel::inline REEL_PRECISION::detail {

// c = a b, or c += a b if `accumulate`; a [m, k], b [k, n], c [m, n], any strides. Runs on the
// calling thread alone.
void gemm(const View& a, const View& b, const View& c, bool accumulate);

// Keeps OpenBLAS, LAPACK included, on the calling thread, so that results do not depend on the
// number of cores. gemm does it itself.
void single_thread_blas();

// Writes matrix' to `to`, dense row-major.
void transpose_into(const View& matrix, real* to);

// The same matrix with axes exchanged; nothing moves.
View transposed(const View& matrix);

}  // namespace reel::inline REEL_PRECISION::detail
