// The one seam to matrix products.
#pragma once

#include <reel/autodiff/view.hpp>

namespace reel::inline REEL_PRECISION::detail {

// Products run on the calling thread alone. An element of a result is its start, then a term for
// each l = 0, 1, .. added in this order with one rounding (given fused multiply-add): its bits
// depend on its own row of a, column of b and start, and on nothing else. So a sum over l may be
// cut anywhere into products that add to each other.

// c = a b, or c += a b if `accumulate`; a [m, k], b [k, n], c [m, n], any strides.
void gemm(const View& a, const View& b, const View& c, bool accumulate);
// c = start + a b; start [m, n], any strides; it is c itself or lies apart from it.
void gemm_onto(const View& start, const View& a, const View& b, const View& c);

// A right operand in the order in which products read it: for those used more than once.
struct Packed {
  const real* data;
  std::size_t rows, columns;
};
Ref<Storage> pack(const View& b);
void gemm(const View& a, const Packed& b, const View& c, bool accumulate);
void gemm_onto(const View& start, const View& a, const Packed& b, const View& c);

// Keeps OpenBLAS, which xtensor-blas calls for LAPACK, on the calling thread, so that results do
// not depend on the number of cores.
void single_thread_blas();

// The same matrix with axes exchanged; nothing moves.
View transposed(const View& matrix);
// The same matrix with its rows in reverse order; nothing moves.
View rows_reversed(const View& matrix);

}  // namespace reel::inline REEL_PRECISION::detail
