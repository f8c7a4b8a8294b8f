#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>

#include <cmath>

#include "agreement.hpp"
#include "throws.hpp"

namespace reel::testing {
namespace {

using In = std::span<const Var>;

void expect_right(const Function& f, const std::vector<Shape>& shapes) {
  const GradcheckResult result = gradcheck(f, random_arrays(shapes));
  EXPECT_TRUE(result) << result.message;
}

constexpr auto kLstm = [](auto i, auto f, auto g, auto o, auto c) {
  auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
  return std::tuple{sigmoid(o) * tanh(next), next};
};

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

TEST(PointwiseTest, AnLstmStepIsTheFormula) {
  const std::vector<Array> in = random_arrays({{3, 5}, {3, 5}, {3, 5}, {3, 5}, {3, 5}});
  const auto [h, c] = pointwise(kLstm, in[0], in[1], in[2], in[3], in[4]);
  for (std::size_t k = 0; k < 15; ++k) {
    const auto x = [&](std::size_t i) { return in[i].data()[k]; };
    const double next = sigmoid_of(x(1)) * x(4) + sigmoid_of(x(0)) * std::tanh(x(2));
    EXPECT_NEAR(c.value().data()[k], next, 1e-14);
    EXPECT_NEAR(h.value().data()[k], sigmoid_of(x(3)) * std::tanh(next), 1e-14);
  }
}

TEST(PointwiseTest, BothOutputsHaveGradients) {
  expect_right(
      [](In x) {
        auto [h, c] = pointwise(kLstm, x[0], x[1], x[2], x[3], x[4]);
        return h * c + c;
      },
      {{3, 5}, {3, 5}, {3, 5}, {3, 5}, {3, 5}});
}

TEST(PointwiseTest, EitherOutputMayBeUnused) {
  const std::vector<Shape> shapes(5, Shape{2, 9});
  expect_right([](In x) { return std::get<0>(pointwise(kLstm, x[0], x[1], x[2], x[3], x[4])); },
               shapes);
  expect_right([](In x) { return std::get<1>(pointwise(kLstm, x[0], x[1], x[2], x[3], x[4])); },
               shapes);
}

TEST(PointwiseTest, InputsBroadcastInside) {
  expect_right(
      [](In x) {
        auto [h, c] = pointwise(kLstm, x[0], x[1], x[2], x[3], x[4]);
        return h + c;
      },
      {{3, 1, 5}, {5}, {2, 1}, {}, {1, 2, 5}});
}

TEST(PointwiseTest, ConstantsAndOneInputTwice) {
  expect_right(
      [](In x) {
        return pointwise([](auto a, auto b, auto c) { return a * b * c; }, x[0], x[0], 3);
      },
      {{7}});
  Tape tape;
  EXPECT_FALSE(pointwise([](auto a) { return a * 2; }, 3).is_recorded());
}

TEST(PointwiseTest, CapturesAreKept) {
  Tape tape;
  const Var x = tape.leaf(Array{1, 2});
  Var y;
  {
    const real slope = 3;
    y = pointwise([slope](auto v) { return slope * v * v; }, x);
  }
  tape.backward(sum(y));
  EXPECT_EQ(x.grad(), (Array{6, 12}));
}

TEST(PointwiseTest, AnOutputMayIgnoreItsInputs) {
  Tape tape;
  const Var x = tape.leaf(Array{1, 2});
  auto [one, same] = pointwise([](auto v) { return std::tuple{Simd(1), v}; }, x);
  EXPECT_EQ(Array(one.value()), (Array{1, 1}));
  tape.backward(sum(one * 5 + same));
  EXPECT_EQ(x.grad(), (Array{1, 1}));
}

TEST(PointwiseTest, ComparisonsChooseASide) {
  expect_right(
      [](In x) {
        return pointwise(
            [](auto a, auto b) { return where(a < b, a * a, where(b >= 0, exp(b), -b)); }, x[0],
            x[1]);
      },
      {{40}, {40}});
}

TEST(PointwiseTest, SixteenInputsButNoMore) {
  const auto add = [](auto... x) { return (x + ...); };
  Tape tape;
  const Var x = tape.leaf(Array{1, 2});
  const Var y = pointwise("sixteen", add, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x);
  tape.backward(sum(y));
  EXPECT_EQ(x.grad(), (Array{16, 16}));
  EXPECT_THROWS_WITH(pointwise("crowd", add, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x),
                     Error, "crowd: at most 16 inputs; got 17");
}

TEST(PointwiseTest, TooManyInputsForADerivativeOfHighOrderAreNamed) {
  Tape tape;
  const Var x = tape.leaf(Array{1, 2});
  const Var y = pointwise(
      "nine", [](auto... v) { return (v * ...); }, x, x, x, x, x, x, x, x, x);
  const Var g = tape.gradients(sum(y), {x}, {.create_graph = true})[0];
  EXPECT_EQ(Array(g.value()), (Array{9, 9 * 256}));
  EXPECT_THROWS_WITH(tape.gradients(sum(g), {x}), Error,
                     "nine: a derivative of this order must have at most 16 inputs; got ");
}

TEST(PointwiseTest, ThirdDerivativeOfAFusedFunction) {
  Tape tape;
  const Array at{0.3, -1.2, 2};
  const Var x = tape.leaf(at);
  Var d = pointwise([](auto v) { return exp(2 * v) * v; }, x);  // f''' = (8 v + 12) e^2v
  for (int order = 0; order < 3; ++order)
    d = tape.gradients(sum(d), {x}, {.create_graph = true})[0];
  EXPECT_TRUE(all_near(d.value(), xt::exp(2 * at) * (8 * at + 12), 1e-12));
}

TEST(PointwiseTest, MixedThirdDerivative) {
  Tape tape;
  const Var x = tape.leaf(Array{0.5}), y = tape.leaf(Array{2});
  Var d = pointwise([](auto a, auto b) { return sin(a * b * b); }, x, y);
  for (const Var& by : {x, y, y}) d = tape.gradients(sum(d), {by}, {.create_graph = true})[0];
  // d/dx = b^2 cos u, u = a b^2; d2/dxdy = 2b cos u - 2ab^3 sin u; d3/dxdydy as below
  const double a = 0.5, b = 2, u = a * b * b;
  EXPECT_NEAR(d.item(),
              (2 - 4 * a * a * b * b * b * b) * std::cos(u) - 10 * a * b * b * std::sin(u), 1e-12);
}

TEST(PointwiseTest, StridedInputsAndOutputsOfAnySize) {
  for (std::size_t n : {1, 3, 7, 8, 9, 15, 16, 17, 33, 300})
    EXPECT_TRUE(backward_agrees(
        [](In x) {
          auto [i, f, g, o] = split<4>(tanh(x[0]));
          auto [h, c] = pointwise(kLstm, i, f, g, o, x[1]);
          return h * c;
        },
        random_arrays({{3, 4 * n}, {3, n}})))
        << n;
}

}  // namespace
}  // namespace reel::testing
