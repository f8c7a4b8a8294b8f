// Products of one row, as in a step of one sequence: all time goes into reading the weights once.
#pragma once

#include <reel/autodiff/gemm_pack.hpp>

namespace reel::inline REEL_PRECISION::detail {

// The right operand [k, n] in the order in which multiply_row reads it, from end to end.
std::size_t row_elements(std::size_t k, std::size_t n);
void pack_rows(const Strided& b, std::size_t k, std::size_t n, real* to);

// c = start + a b for a [1, k], k > 0, with elements `step` apart, start and c dense, start null
// for zeros or c itself. The same bits as gemm's.
void multiply_row(std::size_t k, std::size_t n, const real* a, std::ptrdiff_t step,
                  const real* packed, const real* start, real* c);

}  // namespace reel::inline REEL_PRECISION::detail
