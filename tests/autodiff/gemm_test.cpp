#include <gtest/gtest.h>
#include <reel/autodiff/gemm.hpp>

#include <limits>

#include "tensor.hpp"

namespace reel::testing {
namespace {

enum class Layout { kRows, kColumns, kPaddedRows, kPaddedColumns, kStepped, kRepeated };
constexpr Layout kLayouts[] = {Layout::kRows,          Layout::kColumns, Layout::kPaddedRows,
                               Layout::kPaddedColumns, Layout::kStepped, Layout::kRepeated};

constexpr double kTolerance = 45 * double(std::numeric_limits<real>::epsilon());

std::vector<real> rows_of(const View& view) {
  std::vector<real> all;
  each_index(view.shape, [&](const Index& i) {
    all.push_back(view.data[static_cast<std::ptrdiff_t>(i[0]) * view.strides[0] +
                            static_cast<std::ptrdiff_t>(i[1]) * view.strides[1]]);
  });
  return all;
}

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
  std::vector<real> rows() const { return rows_of(view); }
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
      ASSERT_NEAR(c.at(i[0], i[1]), expected[i], kTolerance * double(k + 1));
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

TEST(GemmTest, OddSizes) {
  Random random(1);
  const auto size = [&] { return 1 + static_cast<std::size_t>(random.uniform(0, 70)); };
  for (int product = 0; product < 300; ++product)
    for (Layout a : {Layout::kRows, Layout::kColumns})
      for (Layout b : {Layout::kPaddedRows, Layout::kColumns}) {
        const std::size_t m = size(), n = size(), k = size();
        SCOPED_TRACE(fmt::format("{}x{}x{}, layouts {} {}", m, n, k, int(a), int(b)));
        ASSERT_NO_FATAL_FAILURE(expect_product(m, n, k, a, b, Layout::kRows));
      }
}

TEST(GemmTest, LargeProducts) {
  for (Layout a : {Layout::kRows, Layout::kColumns})
    for (Layout b : {Layout::kRows, Layout::kColumns}) {
      ASSERT_NO_FATAL_FAILURE(expect_product(130, 67, 200, a, b, Layout::kPaddedRows));
      ASSERT_NO_FATAL_FAILURE(expect_product(37, 520, 1100, a, b, Layout::kRows));
      ASSERT_NO_FATAL_FAILURE(expect_product(300, 90, 513, a, b, Layout::kColumns));
    }
}

TEST(GemmTest, FromAStart) {
  Random random(1);
  for (Layout layout : kLayouts) {
    const Matrix start(21, 37, layout, random), a(21, 9, Layout::kRows, random),
        b(9, 37, Layout::kRows, random), c(21, 37, Layout::kRows, random),
        expected(21, 37, Layout::kRows, random);
    detail::copy(start.view, expected.view);
    detail::gemm(a.view, b.view, expected.view, true);
    detail::gemm_onto(start.view, a.view, b.view, c.view);
    EXPECT_EQ(c.rows(), expected.rows());
  }
}

// --- bits ---

// The products of rows begin .. begin + count of a with columns of b, computed alone.
TEST(GemmTest, BitsDependOnRowAndColumnAlone) {
  Random random(1);
  for (std::size_t k : {1, 31, 100, 1100})
    for (std::size_t n : {1, 7, 16, 24, 100, 130})
      for (Layout la : {Layout::kRows, Layout::kColumns})
        for (Layout lb : {Layout::kRows, Layout::kColumns}) {
          SCOPED_TRACE(fmt::format("n {}, k {}, layouts {} {}", n, k, int(la), int(lb)));
          const Matrix a(150, k, la, random), b(k, n, lb, random), c(150, n, Layout::kRows, random);
          detail::gemm(a.view, b.view, c.view, false);
          for (std::size_t m : {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 33, 129})
            for (std::size_t columns : {n, (n + 2) / 3}) {
              const std::size_t row = 150 - m, column = n - columns;
              const View rows = a.view.narrow(0, row, m), right = b.view.narrow(1, column, columns);
              const View expected = c.view.narrow(0, row, m).narrow(1, column, columns);
              Matrix part(m, columns, Layout::kRows, random);
              detail::gemm(rows, right, part.view, false);
              ASSERT_EQ(part.rows(), rows_of(expected)) << m << " rows, " << columns << " columns";
              const detail::Ref<detail::Storage> packed = detail::pack(right);
              detail::gemm(rows, detail::Packed{packed->data, k, columns}, part.view, false);
              ASSERT_EQ(part.rows(), rows_of(expected)) << m << " rows, packed";
            }
        }
}

TEST(GemmTest, BitsDoNotDependOnWhereTheSumIsCut) {
  Random random(1);
  const Matrix a(20, 700, Layout::kRows, random), b(700, 50, Layout::kRows, random),
      whole(20, 50, Layout::kRows, random), cut(20, 50, Layout::kColumns, random);
  detail::gemm(a.view, b.view, whole.view, false);
  std::size_t done = 0;
  for (std::size_t piece : {1, 3, 64, 32, 600}) {
    detail::gemm(a.view.narrow(1, done, piece), b.view.narrow(0, done, piece), cut.view, done > 0);
    done += piece;
  }
  EXPECT_EQ(rows_of(cut.view), whole.rows());
}

}  // namespace
}  // namespace reel::testing
