#include <gtest/gtest.h>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>

#include <limits>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

double largest(const Array& array) {
  double most = 0;
  for (const real x : array.storage()) most = std::max(most, std::abs(double(x)));
  return most;
}
double mean_square(const Array& array) {
  double sum = 0;
  for (const real x : array.storage()) sum += double(x) * double(x);
  return sum / static_cast<double>(array.size());
}

// Largest element of |q'q - 1| for block `block` [n, n].
double distance_from_orthogonal(const Array& stacked, std::size_t block) {
  const std::size_t n = stacked.shape()[1];
  double worst = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double product = i == j ? -1 : 0;
      for (std::size_t k = 0; k < n; ++k)
        product += double(stacked(block * n + k, i)) * double(stacked(block * n + k, j));
      worst = std::max(worst, std::abs(product));
    }
  return worst;
}

TEST(InitTest, OrthogonalBlocksAreOrthogonalAndDiffer) {
  Random random(3);
  const std::size_t n = 17;
  const Array stacked = orthogonal(n, random, 4);
  ASSERT_EQ(shape_of(stacked), (Shape{4 * n, n}));
  for (std::size_t block = 0; block < 4; ++block)
    EXPECT_LT(distance_from_orthogonal(stacked, block), n * std::numeric_limits<real>::epsilon());
  EXPECT_NE(stacked(0, 0), stacked(n, 0));
}

// Without the signs of R the diagonal of Q would be negative, or positive, throughout.
TEST(InitTest, OrthogonalMatricesOfSizeOneAreEvenlyPlusAndMinusOne) {
  Random random(3);
  const Array signs = orthogonal(1, random, 1000);
  int plus = 0;
  for (const real x : signs.storage()) {
    EXPECT_NEAR(std::abs(x), 1, std::numeric_limits<real>::epsilon());
    plus += x > 0;
  }
  EXPECT_NEAR(plus, 500, 80);  // five standard deviations
}

TEST(InitTest, GlorotFillsItsBounds) {
  Random random(3);
  const double bound = std::sqrt(6.0 / (60 + 40));
  const Array array = glorot(60, 40, random, 3);
  EXPECT_EQ(shape_of(array), (Shape{180, 40}));
  EXPECT_LE(largest(array), bound);
  EXPECT_GT(largest(array), 0.999 * bound);
  EXPECT_NEAR(mean_square(array), bound * bound / 3, 0.03 * bound * bound / 3);
}

TEST(InitTest, NormalHasItsDeviation) {
  Random random(3);
  EXPECT_NEAR(mean_square(normal({100, 100}, 0.5, random)), 0.25, 0.02);
}

TEST(InitTest, SameSeedGivesTheSameNumbers) {
  Random one(9), two(9);
  EXPECT_EQ(orthogonal(5, one, 2), orthogonal(5, two, 2));
  EXPECT_EQ(glorot(5, 3, one), glorot(5, 3, two));
  EXPECT_NE(glorot(5, 3, one), glorot(5, 3, one));
}

TEST(InitTest, LstmStartsWithForgetBiasOneAndOrthogonalGates) {
  Random random(3);
  const Lstm cell(5, 3, random);
  EXPECT_EQ(cell.bias_ih.value(), (Array{0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0}));
  for (std::size_t gate = 0; gate < 4; ++gate)
    EXPECT_LT(distance_from_orthogonal(cell.weight_hh.value(), gate), 1e-6);
  EXPECT_LE(largest(cell.weight_ih.value()), std::sqrt(6.0 / (5 + 3)));
}

TEST(InitTest, RnnAndGruStartWithZeroBiases) {
  Random random(3);
  const Gru gru(5, 3, random);
  EXPECT_EQ(largest(gru.bias_ih.value()) + largest(gru.bias_hh.value()), 0);
  EXPECT_LT(distance_from_orthogonal(gru.weight_hh.value(), 2), 1e-6);
  const Rnn rnn(5, 3, random);
  EXPECT_EQ(largest(rnn.bias_ih.value()), 0);
  EXPECT_LT(distance_from_orthogonal(rnn.weight_hh.value(), 0), 1e-6);
}

TEST(InitTest, PyTorchsInitIsUniformByTheHiddenSize) {
  Random random(3);
  const double bound = 1 / std::sqrt(64.0);
  const Gru cell(5, 64, random, Init::kPyTorch);
  for (const Parameter* p : {&cell.weight_ih, &cell.weight_hh, &cell.bias_ih, &cell.bias_hh}) {
    EXPECT_LE(largest(p->value()), bound);
    EXPECT_GT(largest(p->value()), 0.95 * bound);
  }
}

TEST(InitTest, SizeZeroIsNamed) {
  Random random(3);
  EXPECT_EQ(error_of([&] { Lstm(0, 3, random); }),
            "cell: input and hidden sizes must be positive; got 0 and 3");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
