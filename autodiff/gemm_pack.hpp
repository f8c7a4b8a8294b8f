// Operands of matrix products, copied to where the inner loop reads them in order.
#pragma once

#include <reel/autodiff/gemm_tile.hpp>
#include <reel/autodiff/view.hpp>

namespace reel::inline REEL_PRECISION::detail {

// From one panel (a register's columns of all k rows) to the next. One row more than there are,
// so that panels do not compete for the same places in the cache.
constexpr std::ptrdiff_t panel_step(std::ptrdiff_t k) { return (k + 1) * kRegister; }
// Elements of a packed right operand [k, n].
constexpr std::ptrdiff_t packed_elements(std::ptrdiff_t k, std::ptrdiff_t n) {
  return (n + kRegister - 1) / kRegister * panel_step(k);
}

// Element (l, j) of [k, n] at data + l * row + j * column.
struct Strided {
  const real* data;
  std::ptrdiff_t row, column;
};

// b [k, n] in panels; the last is padded with zeros.
void pack_right(const Strided& b, std::ptrdiff_t k, std::ptrdiff_t n, real* to);

// Calls tile(first row, rows) for so many tiles, to which m rows are dealt evenly, so that none is
// left alone with few sums.
void for_each_tile(std::ptrdiff_t m, std::ptrdiff_t tiles, auto&& tile) {
  const std::ptrdiff_t least = m / tiles, longer = m % tiles;
  for (std::ptrdiff_t t = 0, i = 0; t < tiles; ++t) {
    const std::ptrdiff_t rows = least + (t < longer ? 1 : 0);
    tile(i, rows);
    i += rows;
  }
}
// a [m, k] with contiguous columns: for each of these tiles its [k, rows], from to + first row * k
// on.
void pack_left(const Strided& a, std::ptrdiff_t m, std::ptrdiff_t k, std::ptrdiff_t tiles,
               real* to);

}  // namespace reel::inline REEL_PRECISION::detail
