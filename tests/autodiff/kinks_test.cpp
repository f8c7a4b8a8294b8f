// Values and slopes exactly where a function has a corner or loses its formula.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>

#include <limits>

namespace reel {
namespace {

constexpr real kInfinity = std::numeric_limits<real>::infinity();

struct Kink {
  const char* name;
  std::function<Var(const Var&)> function;
  real at, value, slope;
};

void PrintTo(const Kink& kink, std::ostream* out) { *out << kink.name; }

class Kinks : public ::testing::TestWithParam<Kink> {};

TEST_P(Kinks, ValueAndSlope) {
  const Kink& kink = GetParam();
  Tape tape;
  const Var x = tape.leaf(full_array({3}, kink.at)), y = kink.function(x);
  EXPECT_EQ(y.value()(1), kink.value);
  tape.backward(sum(y));
  EXPECT_EQ(x.grad()(1), kink.slope);
}

INSTANTIATE_TEST_SUITE_P(
    Ops, Kinks,
    ::testing::Values(Kink{"relu", [](auto& x) { return relu(x); }, 0, 0, 0},
                      Kink{"abs", [](auto& x) { return abs(x); }, 0, 0, 0},
                      Kink{"sign", [](auto& x) { return sign(x); }, 0, 0, 0},
                      Kink{"leaky_relu", [](auto& x) { return leaky_relu(x); }, 0, 0, 1},
                      Kink{"elu", [](auto& x) { return elu(x); }, 0, 0, 1},
                      Kink{"elu_alpha", [](auto& x) { return elu(x, 2); }, 0, 0, 2},
                      Kink{"softplus", [](auto& x) { return softplus(x); }, 0, std::log(real(2)),
                           real(0.5)},
                      Kink{"silu", [](auto& x) { return silu(x); }, 0, 0, real(0.5)},
                      Kink{"gelu", [](auto& x) { return gelu(x); }, 0, 0, real(0.5)},
                      Kink{"clamp_low", [](auto& x) { return clamp(x, -1, 1); }, -1, -1, 1},
                      Kink{"clamp_high", [](auto& x) { return clamp(x, -1, 1); }, 1, 1, 1},
                      Kink{"max_at_a_tie", [](auto& x) { return max(x, 3 * x); }, 0, 0, 1},
                      Kink{"min_at_a_tie", [](auto& x) { return min(x, 3 * x); }, 0, 0, 1},
                      Kink{"norm", [](auto& x) { return norm(x, {0}, true); }, 0, 0, 0},
                      Kink{"max_over_ties", [](auto& x) { return 3 * max(x, {0}, true); }, 2, 6, 1},
                      Kink{"min_over_ties", [](auto& x) { return 3 * min(x, {0}, true); }, 2, 6, 1},
                      Kink{"prod_of_zeros", [](auto& x) { return prod(x, {0}, true); }, 0, 0, 0},
                      Kink{"pow_of_zero", [](auto& x) { return pow(x, 2); }, 0, 0, 0},
                      Kink{"pow_to_zero", [](auto& x) { return pow(x, 0); }, 0, 1, 0},
                      Kink{"pow_of_a_negative", [](auto& x) { return pow(x, 3); }, -2, -8, 12}),
    [](const auto& kink) { return std::string(kink.param.name); });

TEST(KinksTest, PowHasNoSlopeToTheExponentOfANegative) {
  Tape tape;
  const Var b = tape.leaf(Array{2, 2, 2});
  tape.backward(sum(pow(Var(Array{-3, 0, 3}), b)));
  EXPECT_EQ(b.grad()(0), 0);
  EXPECT_EQ(b.grad()(1), 0);
  EXPECT_NEAR(b.grad()(2), 9 * std::log(3.0), 1e-14);
}

TEST(KinksTest, ProdHasTheRightSlopeNextToOneZero) {
  Tape tape;
  const Var x = tape.leaf(Array{2, 0, 5});
  tape.backward(prod(x));
  EXPECT_EQ(x.grad(), (Array{0, 10, 0}));
}

TEST(KinksTest, MaskedElementsHaveNoGradient) {
  for (const auto f :
       {+[](const Var& x) { return max(x, {0}); }, +[](const Var& x) { return logsumexp(x, {0}); },
        +[](const Var& x) {
          return sum(softmax(x) * Var(Array{0, 1, 2}));
        }}) {
    Tape tape;
    const Var x = tape.leaf(Array{-kInfinity, 1, 2});
    tape.backward(f(x));
    EXPECT_EQ(x.grad()(0), 0);
    EXPECT_TRUE(std::isfinite(x.grad()(2)));
  }
}

TEST(KinksTest, LogsumexpOfNothingIsMinusInfinity) {
  EXPECT_EQ(logsumexp(zeros({0})).item(), -kInfinity);
  Tape tape;
  const Var x = tape.leaf(full_array({2}, -kInfinity)), y = logsumexp(x);
  EXPECT_EQ(y.item(), -kInfinity);
  tape.backward(y);
  EXPECT_EQ(x.grad(), (Array{0, 0}));
}

TEST(KinksTest, NanGoesThrough) {
  const real nan = std::numeric_limits<real>::quiet_NaN();
  const Var x = Array{1, nan, 3};
  for (const Var& y : std::initializer_list<Var>{relu(x), abs(x), sign(x), clamp(x, 0, 1),
                                                 max(x, 2), max(2, x), min(x, 2), min(2, x), elu(x),
                                                 softplus(x), leaky_relu(x), sin(x), cos(x)})
    EXPECT_TRUE(std::isnan(y.value()(1))) << y.node().op;
  EXPECT_TRUE(std::isnan(max(x, {0}).item()));
  EXPECT_TRUE(std::isnan(min(x, {0}).item()));
}

TEST(KinksTest, DropoutKeepsItsShareAndItsMean) {
  Random random(3);
  const Array y = dropout(full_array({100000}, 1), real(0.3), random).value();
  std::size_t dropped = 0;
  for (real v : y) {
    dropped += v == 0;
    EXPECT_TRUE(v == 0 || std::abs(v - 1 / 0.7) < 1e-6);
  }
  EXPECT_NEAR(double(dropped) / 100000, 0.3, 0.005);
}

TEST(KinksTest, NoDropoutMaskIsLikeTheNextOrItsOwnNeighbours) {
  Random random(3);
  const auto bits = [&] {
    return Array(dropout(full_array({100000}, 1), real(0.5), random).value() / 2);
  };
  const Array a = bits(), b = bits();
  const auto agreement = [](const Array& x, const Array& y, std::size_t lag) {
    std::size_t same = 0;
    for (std::size_t i = lag; i < x.size(); ++i) same += x(i) == y(i - lag);
    return double(same) / double(x.size() - lag);
  };
  EXPECT_NEAR(agreement(a, b, 0), 0.5, 0.007);  // four standard deviations
  for (const std::size_t lag : {1, 2, 16, 127, 128, 129, 256})
    EXPECT_NEAR(agreement(a, a, lag), 0.5, 0.007) << lag;
}

}  // namespace
}  // namespace reel
