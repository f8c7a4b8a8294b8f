// The inner loop of all matrix products: a tile of the result held in registers.
#pragma once

#include <reel/autodiff/simd.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace reel::inline REEL_PRECISION::detail {

using Register = Simd::Batch;
constexpr std::ptrdiff_t kRegister = Register::size;  // elements

#if XSIMD_WITH_AVX512F || defined(__aarch64__)
constexpr int kRegisters = 32, kTileRows = 8;
#else
constexpr int kRegisters = 16, kTileRows = 4;
#endif
// Rows of a tile one register wide: so many sums are on their way at a time.
constexpr int kEdgeRows = 8;
// Registers side by side in a tile of `rows` rows. Few rows need more of them, since a sum waits
// for its previous addition; sums, a row of b (which a single row reads but once, from memory) and
// an element of a must have room.
constexpr int tile_registers(int rows) {
  return rows == 1 ? 8 : std::min(8, (kRegisters - 1) / (rows + 1));
}

// Where to find a(i, l), a row and column of the left operand.
struct TileLeft {
  const real* data;
  std::ptrdiff_t row, column;  // steps
};
// Where to find b(l, j): element j % kRegister of register j / kRegister of row l.
struct TileRight {
  const real* data;
  std::ptrdiff_t row, next;  // steps from row to row, from register to register
};
struct TileRows {
  real* data;
  std::ptrdiff_t row;
};

// a b + c with one rounding, given such an instruction: xsimd 8.1 leaves it to the optimiser to
// find it for AVX-512, and for half a register of AVX2.
template <class Batch>
Batch multiply_add(const Batch& a, const Batch& b, const Batch& c) {
#if XSIMD_WITH_AVX512F
  if constexpr (sizeof(Batch) == 64 && std::is_same_v<real, float>)
    return _mm512_fmadd_ps(a, b, c);
  else if constexpr (sizeof(Batch) == 64)
    return _mm512_fmadd_pd(a, b, c);
  else
#elif defined(__FMA__)
  if constexpr (sizeof(Batch) == 16 && std::is_same_v<real, float>)
    return _mm_fmadd_ps(a, b, c);
  else if constexpr (sizeof(Batch) == 16)
    return _mm_fmadd_pd(a, b, c);
  else
#endif
    return xsimd::fma(a, b, c);
}

// to(i, j) = from(i, j) + a(i, 0) b(0, j) + a(i, 1) b(1, j) + ..., k terms, added in this order
// with one rounding per term (where the machine has fused multiply-add): so an element depends
// neither on the tile it lies in nor on where the sum over l is interrupted.
struct Tile {
  std::ptrdiff_t k;
  TileLeft a;
  TileRight b;
  TileRows from, to;
  const real* next;  // the tile to ask for meanwhile, with to's row step; or null
};

constexpr std::ptrdiff_t kAhead = 16;  // terms, until what is fetched now is needed

// Which operands come from far away and are asked for ahead.
enum class Far { kNone, kRight, kBoth };

template <class Batch, int kRows, int kWide, Far kFar>
void multiply_tile(const Tile& tile) {
  constexpr auto kLanes = static_cast<std::ptrdiff_t>(Batch::size);
  std::ptrdiff_t k = tile.k;
  TileLeft a = tile.a;
  TileRight b = tile.b;
  TileRows from = tile.from, to = tile.to;
  const real* next = tile.next;
  Batch sum[kRows][kWide];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i, from.data += from.row)
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) sum[i][j] = Batch::load_unaligned(from.data + j * kLanes);
  // Of rows, those of the next tile in turn; of columns, one some terms ahead.
  const bool in_rows = a.column == 1;
  [[maybe_unused]] const std::ptrdiff_t ahead = in_rows ? kRows * a.row : kAhead * a.column;
  [[maybe_unused]] const std::ptrdiff_t turn = in_rows ? a.row : 0;
  const auto add_term = [&]() __attribute__((always_inline)) {
    if constexpr (kFar == Far::kBoth) __builtin_prefetch(a.data + ahead + (k & 7) * turn);
    if constexpr (kFar != Far::kNone) {
#pragma GCC unroll 8
      for (int j = 0; j < kWide; ++j) __builtin_prefetch(b.data + kAhead * b.row + j * b.next);
    }
    Batch right[kWide];
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) right[j] = Batch::load_unaligned(b.data + j * b.next);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Batch left(a.data[i * a.row]);
#pragma GCC unroll 8
      for (int j = 0; j < kWide; ++j) sum[i][j] = multiply_add(left, right[j], sum[i][j]);
    }
    a.data += a.column;
    b.data += b.row;
  };
  if (next)
    for (int i = 0; i < kRows && k > 0; ++i, --k, next += to.row) {
#pragma GCC unroll 8
      for (int j = 0; j < kWide; ++j) __builtin_prefetch(next + j * kLanes, 1);
      __builtin_prefetch(next + kWide * kLanes - 1, 1);
      add_term();
    }
  for (; k > 0; --k) add_term();
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i, to.data += to.row)
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) sum[i][j].store_unaligned(to.data + j * kLanes);
}

using TileFunction = void (*)(const Tile&);

// tile_function(rows, wide): the loop for 1 <= rows <= kTileRows, wide <= tile_registers(rows).
template <Far kFar>
TileFunction tile_function(int rows, int wide) {
  using Row = std::array<TileFunction, 8>;
  static constexpr auto kTable = []<int... kI>(std::integer_sequence<int, kI...>) {
    const auto row = []<int kRows, int... kJ>(std::integral_constant<int, kRows>,
                                              std::integer_sequence<int, kJ...>) {
      return Row{multiply_tile<Register, kRows, kJ + 1, kFar>...};
    };
    return std::array{row(std::integral_constant<int, kI + 1>{},
                          std::make_integer_sequence<int, tile_registers(kI + 1)>{})...};
  }
  (std::make_integer_sequence<int, kTileRows>{});
  return kTable[static_cast<std::size_t>(rows - 1)][static_cast<std::size_t>(wide - 1)];
}

// Half a register, where the machine has such: for the last columns.
using Half = xsimd::make_sized_batch_t<real, Register::size / 2>;
using HalfRegister = std::conditional_t<std::is_void_v<Half>, Register, Half>;

// The loop for one register, of which at most `columns` are wanted: in b it is padded. Up to
// kEdgeRows rows.
inline TileFunction edge_function(int rows, std::ptrdiff_t columns) {
  constexpr auto kHalf = static_cast<std::ptrdiff_t>(HalfRegister::size);
  static constexpr auto kTable = []<int... kI>(std::integer_sequence<int, kI...>) {
    return std::array{std::array{multiply_tile<Register, kI + 1, 1, Far::kNone>...},
                      std::array{multiply_tile<HalfRegister, kI + 1, 1, Far::kNone>...}};
  }
  (std::make_integer_sequence<int, kEdgeRows>{});
  return kTable[columns <= kHalf][static_cast<std::size_t>(rows - 1)];
}

}  // namespace reel::inline REEL_PRECISION::detail
