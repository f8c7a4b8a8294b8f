#include <gtest/gtest.h>
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

#include "agreement.hpp"

namespace reel::testing {
namespace {

using In = std::span<const Var>;

// x^3 with a rule of the caller's choice.
template <class Rule>
Var cube(const Var& x, Rule rule) {
  return record("cube", std::array{x}, Array(x.value() * x.value() * x.value()), rule);
}
const auto kRight = [](Pull& p) { p.give(0, [&] { return p.dy() * p.x(0) * p.x(0) * 3; }); };

GradcheckResult check(const Function& f) { return gradcheck(f, random_arrays({{4}, {4}})); }

TEST(GradcheckTest, ARightRulePasses) {
  const GradcheckResult result = check([](In x) { return cube(x[0], kRight) * x[1]; });
  EXPECT_TRUE(result) << result.message;
  EXPECT_LT(result.worst, 1e-9);
}

TEST(GradcheckTest, AWrongFirstDerivativeIsNamed) {
  const auto wrong = [](Pull& p) { p.give(0, [&] { return p.dy() * p.x(0) * p.x(0) * 2; }); };
  const GradcheckResult result = check([&](In x) { return x[1] * cube(x[0], wrong); });
  EXPECT_FALSE(result);
  EXPECT_NE(result.message.find("backward: derivative of order 1 with respect to input 0"),
            std::string::npos)
      << result.message;
  EXPECT_EQ(result.message.find("order 1 with respect to input 1"), std::string::npos);
}

TEST(GradcheckTest, AWrongSecondDerivativeIsNamed) {
  // The slope is right as a number but does not depend on x.
  const auto wrong = [](Pull& p) {
    p.give(0, [&] { return p.dy() * detach(p.x(0) * p.x(0) * 3); });
  };
  const GradcheckResult result = check([&](In x) { return cube(x[0], wrong) + x[1]; });
  EXPECT_FALSE(result);
  EXPECT_EQ(result.message.find("order 1"), std::string::npos) << result.message;
  EXPECT_NE(result.message.find("derivative of order 2 with respect to input 0"),
            std::string::npos);
}

TEST(GradcheckTest, OrderOneAloneMissesTheSecond) {
  const auto wrong = [](Pull& p) {
    p.give(0, [&] { return p.dy() * detach(p.x(0) * p.x(0) * 3); });
  };
  EXPECT_TRUE(
      gradcheck([&](In x) { return cube(x[0], wrong); }, random_arrays({{4}}), {}, {.orders = 1}));
}

TEST(GradcheckTest, AWrongShortcutIsBackwardsFault) {
  const auto nothing = [](detail::Node& y) {
    detail::fill(detail::grad_target(*y.inputs()[0].ref()).view, 0);
    return true;
  };
  const GradcheckResult result = check([&](In x) {
    return record("cube", std::array{x[0]},
                  detail::adopt(Array(x[0].value() * x[0].value() * x[0].value())), kRight,
                  nothing);
  });
  EXPECT_FALSE(result);
  EXPECT_NE(result.message.find("backward: "), std::string::npos);
  EXPECT_EQ(result.message.find("gradients: derivative of order 1"), std::string::npos)
      << result.message;
}

TEST(GradcheckTest, AnErrorThatCancelsInTheSumIsFound) {
  // A reversed gradient: its sum is right.
  const auto wrong = [](Pull& p) { p.give(0, [&] { return flip(p.dy(), 0); }); };
  const GradcheckResult result =
      check([&](In x) { return record("same", std::array{x[0]}, Array(x[0].value()), wrong); });
  EXPECT_FALSE(result);
}

TEST(GradcheckTest, AForgottenGradientIsFound) {
  EXPECT_FALSE(check([](In x) { return x[0] * detach(x[1]); }));
}

TEST(GradcheckTest, ParametersAreCheckedNamedAndRestored) {
  Parameter p(Array{1, 2, 3, 4});
  p.name = "cell.bias";
  const auto wrong = [](Pull& pull) { pull.give(0, [&] { return pull.dy() * 7; }); };
  const Array before = p.value();
  EXPECT_TRUE(gradcheck([&](In x) { return x[0] * square(Var(p)); }, random_arrays({{4}}), {&p}));
  const GradcheckResult result =
      gradcheck([&](In x) { return cube(Var(p), wrong) + x[0]; }, random_arrays({{4}}), {&p});
  EXPECT_NE(result.message.find("with respect to cell.bias: got"), std::string::npos);
  EXPECT_EQ(p.value(), before);
  EXPECT_FALSE(p.has_grad());
}

}  // namespace
}  // namespace reel::testing
