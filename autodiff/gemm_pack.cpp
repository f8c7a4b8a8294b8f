#include <reel/autodiff/gemm_pack.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION::detail {
namespace {

using Index = std::ptrdiff_t;
constexpr int kLanes = static_cast<int>(kRegister);

// The compiler's own vectors, whose elements can be shuffled in the same way on every machine.
using Vector = real __attribute__((vector_size(sizeof(real) * kLanes)));

// a0 b0 a1 b1 .. of the first halves of a and b, or of the second.
template <bool kSecond>
Vector interleave(Vector a, Vector b) {
  return [&]<int... kI>(std::integer_sequence<int, kI...>) {
    constexpr int kFirst = kSecond ? kLanes / 2 : 0;
    return __builtin_shufflevector(a, b, (kI / 2 + kFirst + (kI % 2 == 0 ? 0 : kLanes))...);
  }
  (std::make_integer_sequence<int, kLanes>{});
}

// Transposes a square: log2 lanes rounds of perfect shuffles of its rows.
void transpose_square(Vector* rows) {
#pragma GCC unroll 4
  for (int round = 1; round < kLanes; round *= 2) {
    Vector next[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      next[2 * i] = interleave<false>(rows[i], rows[i + kLanes / 2]);
      next[2 * i + 1] = interleave<true>(rows[i], rows[i + kLanes / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}

Vector load(const real* from) {
  Vector v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
void store(Vector v, real* to) { __builtin_memcpy(to, &v, sizeof v); }

// `count` neighbouring registers of every row; to is the first one's panel.
template <int kCount>
void copy_panels(const Strided& b, Index k, Index step, real* to) {
  const real* from = b.data;
  for (Index l = 0; l < k; ++l, from += b.row, to += kRegister)
#pragma GCC unroll 4
    for (Index j = 0; j < kCount; ++j) store(load(from + j * kRegister), to + j * step);
}

// One panel of b with contiguous columns.
void transpose_panel(const Strided& b, Index k, real* to) {
  Index l = 0;
  for (; l + kRegister <= k; l += kRegister) {
    Vector square[kLanes];
#pragma GCC unroll 16
    for (int j = 0; j < kLanes; ++j) square[j] = load(b.data + l + j * b.column);
    transpose_square(square);
#pragma GCC unroll 16
    for (int j = 0; j < kLanes; ++j) store(square[j], to + (l + j) * kRegister);
  }
  for (; l < k; ++l)
    for (Index j = 0; j < kRegister; ++j) to[l * kRegister + j] = b.data[l + j * b.column];
}

// A panel of n <= kRegister columns, any strides.
void gather_panel(const Strided& b, Index k, Index n, real* to) {
  for (Index l = 0; l < k; ++l, to += kRegister) {
    for (Index j = 0; j < n; ++j) to[j] = b.data[l * b.row + j * b.column];
    std::fill(to + n, to + kRegister, real(0));
  }
}

// kCount tiles of kRows rows side by side.
template <Index kRows, int kCount>
void copy_tiles(const Strided& a, Index k, real* to) {
  const real* from = a.data;
  for (Index l = 0; l < k; ++l, from += a.column, to += kRows) {
    __builtin_prefetch(from + 8 * a.column);
#pragma GCC unroll 4
    for (Index j = 0; j < kCount; ++j) std::copy_n(from + j * kRows, kRows, to + j * kRows * k);
  }
}

}  // namespace

void pack_left(const Strided& a, Index m, Index k, Index tiles, real* to) {
  constexpr Index kRows = kTileRows, kTogether = 4;
  const Index first = m == tiles * kRows ? tiles / kTogether * kTogether : 0;  // those copied so
  for (Index t = 0; t < first; t += kTogether)
    copy_tiles<kRows, kTogether>({a.data + t * kRows, a.row, a.column}, k, to + t * kRows * k);
  if (first == tiles) return;
  const Index done = first * kRows;
  for_each_tile(m - done, tiles - first, [&](Index i, Index rows) {
    const real* from = a.data + done + i;
    real* tile = to + (done + i) * k;
    for (Index l = 0; l < k; ++l, from += a.column, tile += rows) std::copy_n(from, rows, tile);
  });
}

void pack_right(const Strided& b, Index k, Index n, real* to) {
  const Index step = panel_step(k), whole = n / kRegister;
  const auto at = [&](Index panel) {
    return Strided{b.data + panel * kRegister * b.column, b.row, b.column};
  };
  Index p = 0;
  if (b.column == 1) {
    for (; p + 4 <= whole; p += 4) copy_panels<4>(at(p), k, step, to + p * step);
    for (; p < whole; ++p) copy_panels<1>(at(p), k, step, to + p * step);
  } else if (b.row == 1) {
    for (; p < whole; ++p) transpose_panel(at(p), k, to + p * step);
  }
  for (; p * kRegister < n; ++p)
    gather_panel(at(p), k, std::min(n - p * kRegister, kRegister), to + p * step);
}

}  // namespace reel::inline REEL_PRECISION::detail
