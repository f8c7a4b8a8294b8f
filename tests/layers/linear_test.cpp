#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/linear.hpp>

namespace reel::inline REEL_PRECISION {
namespace {

TEST(LinearTest, IsXTimesWTransposedPlusBOnTheLastAxis) {
  Random random(1);
  Linear linear(3, 2, random);
  linear.weight.mutable_value() = Array{{1, 2, 3}, {-1, 0, 4}};
  linear.bias.mutable_value() = Array{10, 20};
  const Array x{{{1, 0, 0}, {0, 1, 0}}, {{0, 0, 1}, {1, 1, 1}}};
  EXPECT_EQ(linear(x).value(), (Array{{{11, 19}, {12, 20}}, {{13, 24}, {16, 23}}}));
  EXPECT_EQ(linear(Array{1, 1, 1}).value(), (Array{16, 23}));
}

TEST(LinearTest, StartsWithGlorotWeightsAndNoBias) {
  Random random(1), same(1);
  const Linear linear(7, 5, random);
  EXPECT_EQ(linear.weight.value(), glorot(5, 7, same));
  EXPECT_EQ(linear.bias.value(), full_array({5}, 0));
}

TEST(LinearTest, HasRightDerivatives) {
  Random random(1);
  Linear linear(3, 2, random);
  const auto f = [&](std::span<const Var> x) { return linear(x[0]); };
  const GradcheckResult result =
      gradcheck(f, {uniform({4, 2, 3}, -1, 1, random)}, parameters(linear));
  EXPECT_TRUE(result) << result.message;
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
