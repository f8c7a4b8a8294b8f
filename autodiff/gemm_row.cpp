#include <reel/autodiff/gemm_row.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

// Registers of sums at a time: a row of so many is read in one go.
constexpr std::size_t kMost = kRegisters / 2;
constexpr auto kLanes = static_cast<std::size_t>(kRegister);

// The columns of [k, n] are dealt out evenly to passes of at most kMost registers.
template <class Pass>
void for_each_pass(std::size_t n, Pass&& pass) {
  const std::size_t registers = (n + kLanes - 1) / kLanes;
  std::size_t done = 0;
  for (std::size_t left = (registers + kMost - 1) / kMost; left > 0; --left) {
    const std::size_t wide = (registers - done + left - 1) / left;
    pass(done * kLanes, wide);
    done += wide;
  }
}

// kWide registers of c, of the last of which `rest` lanes are wanted.
template <std::size_t kWide>
void multiply_pass(std::size_t k, const real* a, std::ptrdiff_t step, const real* b,
                   const real* start, real* c, std::size_t rest) {
  Register sum[kWide];
  const std::size_t whole = rest == kLanes ? kWide : kWide - 1;
#pragma GCC unroll 16
  for (std::size_t j = 0; j < kWide; ++j)
    sum[j] = !start      ? Register(real(0))
             : j < whole ? Register::load_unaligned(start + j * kLanes)
                         : Simd::load_some(start + j * kLanes, rest).lanes;
  for (; k > 0; --k, a += step, b += kWide * kLanes) {
    const Register left(*a);
#pragma GCC unroll 16
    for (std::size_t j = 0; j < kWide; ++j)
      sum[j] = multiply_add(left, Register::load_aligned(b + j * kLanes), sum[j]);
  }
#pragma GCC unroll 16
  for (std::size_t j = 0; j < kWide; ++j)
    if (j < whole)
      sum[j].store_unaligned(c + j * kLanes);
    else
      Simd(sum[j]).store_some(c + j * kLanes, rest);
}

using Pass = void (*)(std::size_t k, const real* a, std::ptrdiff_t step, const real* b,
                      const real* start, real* c, std::size_t rest);
constexpr auto kPasses = []<std::size_t... kI>(std::index_sequence<kI...>) {
  return std::array<Pass, kMost>{multiply_pass<kI + 1>...};
}
(std::make_index_sequence<kMost>{});

}  // namespace

std::size_t row_elements(std::size_t k, std::size_t n) {
  return (n + kLanes - 1) / kLanes * kLanes * k;
}

void pack_rows(const Strided& b, std::size_t k, std::size_t n, real* to) {
  const auto signed_of = [](std::size_t i) { return static_cast<std::ptrdiff_t>(i); };
  for_each_pass(n, [&](std::size_t first, std::size_t wide) {
    const std::size_t columns = std::min(n - first, wide * kLanes);
    for (std::size_t l = 0; l < k; ++l, to += wide * kLanes) {
      const real* from = b.data + signed_of(l) * b.row + signed_of(first) * b.column;
      for (std::size_t j = 0; j < columns; ++j) to[j] = from[signed_of(j) * b.column];
      std::fill_n(to + columns, wide * kLanes - columns, real(0));
    }
  });
}

void multiply_row(std::size_t k, std::size_t n, const real* a, std::ptrdiff_t step,
                  const real* packed, const real* start, real* c) {
  for_each_pass(n, [&](std::size_t first, std::size_t wide) {
    const std::size_t columns = std::min(n - first, wide * kLanes);
    kPasses[wide - 1](k, a, step, packed, start ? start + first : nullptr, c + first,
                      columns - (wide - 1) * kLanes);
    packed += wide * kLanes * k;
  });
}

}  // namespace reel::inline REEL_PRECISION::detail
