#include <gtest/gtest.h>
#include <reel/autodiff/gemm.hpp>

#include <limits>

#include "tensor.hpp"

namespace reel::testing {
namespace {

enum class Layout { kRows, kColumns, kPaddedRows, kPaddedColumns, kStepped, kRepeated };
constexpr Layout kLayouts[] = {Layout::kRows,          Layout::kColumns, Layout::kPaddedRows,
                               Layout::kPaddedColumns, Layout::kStepped, Layout::kRepeated};

// A matrix with its memory.
struct Matrix {
  std::vector<real> memory;
  View view;

  Matrix(std::size_t rows, std::size_t columns, Layout layout, Random& random)
      : memory((rows + 3) * (columns + 3) * 6 + 1) {
    for (real& x : memory) x = static_cast<real>(random.uniform(-1, 1));
    const auto m = static_cast<std::ptrdiff_t>(rows), n = static_cast<std::ptrdiff_t>(columns);
    const Strides strides = layout == Layout::kRows            ? Strides{n, 1}
                            : layout == Layout::kColumns       ? Strides{1, m}
                            : layout == Layout::kPaddedRows    ? Strides{n + 3, 1}
                            : layout == Layout::kPaddedColumns ? Strides{1, m + 2}
                            : layout == Layout::kStepped       ? Strides{2 * n + 1, 2}
                                                               : Strides{0, 1};
    view = View(memory.data(), Shape{rows, columns}, strides);
  }
  real at(std::size_t i, std::size_t j) const {
    return view.data[static_cast<std::ptrdiff_t>(i) * view.strides[0] +
                     static_cast<std::ptrdiff_t>(j) * view.strides[1]];
  }
};

// What lies between the elements of c must not change.
void expect_untouched_gaps(const Matrix& c, const std::vector<real>& before) {
  std::vector<bool> inside(before.size());
  each_index(c.view.shape, [&](const Index& i) {
    inside[static_cast<std::size_t>(
        &c.view.data[static_cast<std::ptrdiff_t>(i[0]) * c.view.strides[0] +
                     static_cast<std::ptrdiff_t>(i[1]) * c.view.strides[1]] -
        c.memory.data())] = true;
  });
  for (std::size_t i = 0; i < before.size(); ++i)
    ASSERT_TRUE(inside[i] || c.memory[i] == before[i]) << "memory " << i;
}

void expect_product(std::size_t m, std::size_t n, std::size_t k, Layout la, Layout lb, Layout lc) {
  Random random(m * 100 + n * 10 + k);
  const Matrix a(m, k, la, random), b(k, n, lb, random);
  for (bool accumulate : {false, true}) {
    Matrix c(m, n, lc, random);
    if (!accumulate)
      each_index(c.view.shape, [&](const Index& i) {
        c.view.data[static_cast<std::ptrdiff_t>(i[0]) * c.view.strides[0] +
                    static_cast<std::ptrdiff_t>(i[1]) * c.view.strides[1]] =
            std::numeric_limits<real>::quiet_NaN();
      });
    const std::vector<real> before = c.memory;
    const Tensor expected = make_tensor(c.view.shape, [&](const Index& i) {
      double sum = accumulate ? c.at(i[0], i[1]) : 0;
      for (std::size_t l = 0; l < k; ++l) sum += double(a.at(i[0], l)) * double(b.at(l, i[1]));
      return sum;
    });
    detail::gemm(a.view, b.view, c.view, accumulate);
    each_index(c.view.shape, [&](const Index& i) {
      ASSERT_NEAR(c.at(i[0], i[1]), expected[i], 1e-14 * double(k + 1));
    });
    expect_untouched_gaps(c, before);
  }
}

TEST(GemmTest, EveryLayoutAndSize) {
  for (std::size_t m : {0, 1, 3, 17})
    for (std::size_t n : {0, 1, 5, 16})
      for (std::size_t k : {0, 1, 4, 33})
        for (Layout a : kLayouts)
          for (Layout b : kLayouts)
            for (Layout c : kLayouts) {
              if (c == Layout::kRepeated) continue;  // elements must differ in place
              SCOPED_TRACE(
                  fmt::format("{}x{}x{}, layouts {} {} {}", m, n, k, int(a), int(b), int(c)));
              ASSERT_NO_FATAL_FAILURE(expect_product(m, n, k, a, b, c));
            }
}

TEST(GemmTest, LargeProducts) {
  for (Layout a : {Layout::kRows, Layout::kColumns})
    for (Layout b : {Layout::kRows, Layout::kColumns})
      ASSERT_NO_FATAL_FAILURE(expect_product(130, 67, 200, a, b, Layout::kPaddedRows));
}

TEST(GemmTest, TransposeInto) {
  Random random(1);
  for (Layout layout : kLayouts) {
    const Matrix a(19, 37, layout, random);
    std::vector<real> to(19 * 37);

    for (std::size_t i = 0; i < 19; ++i)
      for (std::size_t j = 0; j < 37; ++j) ASSERT_EQ(to[j * 19 + i], a.at(i, j));
  }
}

}  // namespace
}  // namespace reel::testing
