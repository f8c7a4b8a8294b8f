// The functions on registers beside the standard library's, in units in the last place.
#include <gtest/gtest.h>
#include <reel/autodiff/functions.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace reel;

namespace {

constexpr real kInfinity = std::numeric_limits<real>::infinity();

struct Function {
  std::string name;
  Simd (*reel)(Simd);
  long double (*exact)(long double);
  real low, high;
  double ulps;
};

real first_lane(Simd x) {
  alignas(64) real lanes[Simd::kLanes];
  x.store(lanes);
  return lanes[0];
}

double error_in_ulps(real got, long double exact) {
  const real near = std::abs(static_cast<real>(exact));
  const real ulp = std::nextafter(near, kInfinity) - near;
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / ulp);
}

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

const std::vector<Function>& functions() {
  static const std::vector<Function> all{
      {"tanh", [](Simd x) { return detail::Tanh::value(x); }, std::tanh, -20, 20, 7},
      {"sigmoid", [](Simd x) { return detail::Sigmoid::value(x); }, exact_sigmoid, -80, 80, 4},
      {"exp", [](Simd x) { return detail::Exp::value(x); }, std::exp, -87, 88, 2},
      {"log", [](Simd x) { return detail::Log::value(x); }, std::log, real(0.001), 1000, 2},
  };
  return all;
}

class FunctionsTest : public testing::TestWithParam<std::size_t> {};

TEST_P(FunctionsTest, AreCloseToTheStandardLibrary) {
  const Function& f = functions()[GetParam()];
  for (int i = 0; i <= 200000; ++i) {
    const real x = f.low + (f.high - f.low) * static_cast<real>(i) / 200000;
    const real y = first_lane(f.reel(Simd(x)));
    ASSERT_LE(error_in_ulps(y, f.exact(x)), f.ulps) << f.name << "(" << x << ") = " << y;
  }
}

INSTANTIATE_TEST_SUITE_P(All, FunctionsTest, testing::Range(std::size_t{0}, functions().size()),
                         [](const auto& info) { return functions()[info.param].name; });

TEST(TanhTest, HoldsAtTheEnds) {
  const auto tanh = [](real x) { return first_lane(detail::Tanh::value(Simd(x))); };
  EXPECT_EQ(tanh(kInfinity), 1);
  EXPECT_EQ(tanh(-kInfinity), -1);
  EXPECT_TRUE(std::isnan(tanh(std::numeric_limits<real>::quiet_NaN())));
  EXPECT_TRUE(std::signbit(tanh(real(-0.0))));
  for (real x = std::numeric_limits<real>::denorm_min(); x < real(1e-3); x *= 3)
    EXPECT_LE(error_in_ulps(tanh(x), std::tanh(static_cast<long double>(x))), 7) << x;
  for (real x = 0; x < 30; x += real(0.001)) EXPECT_LE(std::abs(tanh(x)), 1) << x;
}

TEST(ExpTest, HoldsAtTheEnds) {
  const auto exp = [](real x) { return first_lane(detail::Exp::value(Simd(x))); };
  constexpr real kMost = std::numeric_limits<real>::max(),
                 kLeast = std::numeric_limits<real>::min();
  const real nan = std::numeric_limits<real>::quiet_NaN();
  for (real x : {kMost, kInfinity, std::log(kMost) + 1}) {
    EXPECT_EQ(exp(x), kInfinity) << x;
    EXPECT_LE(exp(-x), kLeast) << x;
    EXPECT_GE(exp(-x), 0) << x;
  }
  EXPECT_EQ(exp(-kInfinity), 0);
  EXPECT_EQ(exp(-kMost), 0);
  EXPECT_EQ(exp(real(-0.0)), 1);
  EXPECT_EQ(exp(kLeast), 1);
  EXPECT_TRUE(std::isnan(exp(nan)));
  const auto sigmoid = [](real x) { return first_lane(detail::Sigmoid::value(Simd(x))); };
  EXPECT_EQ(sigmoid(kInfinity), 1);
  EXPECT_EQ(sigmoid(-kInfinity), 0);
  EXPECT_EQ(sigmoid(0), real(0.5));
  EXPECT_TRUE(std::isnan(sigmoid(nan)));
}

}  // namespace
