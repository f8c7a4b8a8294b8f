#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

#include "throws.hpp"

namespace reel {
namespace {

TEST(FiniteTest, TheFirstOpForwardIsNamedWithItsLayer) {
  Tape tape;
  tape.check_finite(true);
  const Var x = tape.leaf(Array{1, 0});
  const Scope outer("encoder"), inner("l0");
  EXPECT_THROWS_WITH(log(x), NonFiniteError, "encoder.l0: log: forward made -inf in [2]");
}

TEST(FiniteTest, AnOpThatIsNotRecordedIsNamedWithItsLayer) {
  Tape tape;
  tape.check_finite(true);
  const Scope scope("encoder");
  EXPECT_THROWS_WITH(log(Var(Array{0})), NonFiniteError, "encoder: log: forward made -inf");
}

TEST(FiniteTest, TheFirstOpBackwardIsNamedWithItsLayer) {
  Tape tape;
  tape.check_finite(true);
  const Var x = tape.leaf(Array{0});
  Var y;
  {
    const Scope scope("decoder");
    y = sqrt(x);
  }
  EXPECT_THROWS_WITH(tape.backward(sum(y)), NonFiniteError,
                     "decoder: sqrt: backward made inf in [1]");
}

TEST(FiniteTest, GradientsAreChecked) {
  Tape tape;
  tape.check_finite(true);
  const Var x = tape.leaf(Array{0}), constant = Array{1}, y = sum(sqrt(x) * exp(constant));
  for (const bool create_graph : {false, true})
    EXPECT_THROWS_WITH(tape.gradients(y, {x}, {.create_graph = create_graph}), NonFiniteError,
                       create_graph ? "made inf in [1]" : "sqrt: backward made inf in [1]");
}

TEST(FiniteTest, AnOutputOfAManyValuedOpIsChecked) {
  Tape tape;
  tape.check_finite(true);
  const Var x = tape.leaf(Array{0});
  const auto pair = [](auto v) { return std::tuple{v, 1 / v}; };
  EXPECT_THROWS_WITH(pointwise("pair", pair, x), NonFiniteError, "pair: forward made inf");
  tape.backward(sum(x * 2));
  EXPECT_EQ(x.grad(), Array{2});
}

TEST(FiniteTest, NotCheckedUnlessAsked) {
  Tape tape;
  const Var x = tape.leaf(Array{0});
  EXPECT_NO_THROW(tape.backward(sum(log(x))));
  tape.check_finite(true);
  EXPECT_THROW(log(x), NonFiniteError);
  tape.check_finite(false);
  EXPECT_NO_THROW(log(x));
}

TEST(FiniteTest, OverflowOfAWeightGradientIsFound) {
  Tape tape;
  tape.check_finite(true);
  const Var w = tape.leaf(full_array({1, 1}, 0));
  const Var y = affine(Var(full_array({2, 1}, 1e200)), w) * real(1e200);
  EXPECT_THROWS_WITH(tape.backward(sum(y)), NonFiniteError, "backward made inf in [1, 1]");
}

TEST(FiniteTest, TheTapeIsUsableAfterwards) {
  Tape tape;
  tape.check_finite(true);
  const Var x = tape.leaf(Array{0}), bad = sum(sqrt(x)), good = sum(x * 3);
  EXPECT_THROW(tape.backward(bad), NonFiniteError);
  EXPECT_EQ(tape.gradients(good, {x})[0].value(), Array{3});
}

}  // namespace
}  // namespace reel
