#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/layer_norm.hpp>

namespace reel::inline REEL_PRECISION {
namespace {

TEST(LayerNormTest, StartsAsMeanZeroAndVarianceOne) {
  const LayerNorm norm(4, 0);
  const Array x{{1, 3, 1, 3}, {-10, 10, 10, -10}};
  EXPECT_EQ(norm(x).value(), (Array{{-1, 1, -1, 1}, {-1, 1, 1, -1}}));
  EXPECT_EQ(parameter_count(norm), 8u);
}

TEST(LayerNormTest, ScalesAndShifts) {
  LayerNorm norm(2, 0);
  norm.weight.mutable_value() = Array{2, 3};
  norm.bias.mutable_value() = Array{10, 20};
  EXPECT_EQ(norm(Array{{{4, 8}}}).value(), (Array{{{8, 23}}}));
}

TEST(LayerNormTest, HasRightDerivatives) {
  Random random(1);
  LayerNorm norm(5);
  norm.weight.mutable_value() = uniform({5}, 0.5, 1.5, random);
  const auto f = [&](std::span<const Var> x) { return norm(x[0]); };
  const GradcheckResult result =
      gradcheck(f, {uniform({2, 3, 5}, -1, 1, random)}, parameters(norm));
  EXPECT_TRUE(result) << result.message;
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
