// Losses: against independent formulas in double, and against PyTorch 1.13.
#include <reel/autodiff/tape.hpp>
#include <reel/layers/loss.hpp>

#include <functional>
#include <limits>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

constexpr double kTolerance = 16 * std::numeric_limits<real>::epsilon();

void expect_value(const Var& loss, double expected) {
  EXPECT_EQ(loss.shape(), Shape{});
  EXPECT_NEAR(loss.item(), expected, kTolerance * std::max(1.0, std::abs(expected)));
}

// Gradient of loss(x) at x.
Array slope(const Array& at, const std::function<Var(const Var&)>& loss) {
  Tape tape;
  const Var x = tape.leaf(at);
  tape.backward(loss(x));
  return x.grad();
}

void expect_elements(const Array& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(actual.data()[i], expected[i], kTolerance) << i;
}

// --- regression ---

TEST(RegressionLossTest, ValuesAreMeansOverAllElements) {
  const Array y{{1, 2, 3}, {4, 5, 6}}, target{{1.5, 0, 3}, {4.25, 8, 6}};
  // differences -0.5, 2, 0, -0.25, -3, 0
  expect_value(mse(y, target), (0.25 + 4 + 0.0625 + 9) / 6);
  expect_value(mae(y, target), (0.5 + 2 + 0.25 + 3) / 6);
  expect_value(huber(y, target), (0.125 + 1.5 + 0.03125 + 2.5) / 6);
  expect_value(huber(y, target, 2), (0.125 + 2 + 0.03125 + 4) / 6);
}

TEST(RegressionLossTest, SlopesAreThoseOfTheFormulas) {
  const Array y{2, -3, 0.5, 0}, target{0, 0, 0, 0};
  expect_elements(slope(y, [&](const Var& x) { return mse(x, target); }), {1, -1.5, 0.25, 0});
  expect_elements(slope(y, [&](const Var& x) { return mae(x, target); }), {0.25, -0.25, 0.25, 0});
  expect_elements(slope(y, [&](const Var& x) { return huber(x, target); }),
                  {0.25, -0.25, 0.125, 0});
}

TEST(RegressionLossTest, WrongUseIsNamed) {
  const Var a = zeros({2, 3}), b = zeros({3}), none = zeros({0});
  EXPECT_EQ(error_of<ShapeError>([&] { mse(a, b); }),
            "mse: y and target must have one shape and an element; got y [2, 3], target [3]");
  EXPECT_EQ(error_of<ShapeError>([&] { mae(none, none); }),
            "mae: y and target must have one shape and an element; got y [0], target [0]");
  EXPECT_EQ(error_of([&] { huber(a, a, 0); }), "huber: delta must be positive; got 0");
}

// --- intervals ---

TEST(QuantileLossTest, ErrorsBelowAndAboveCountDifferently) {
  const Array y{{1, 2, 4}, {0, 0, 3}}, target{2, -1};
  const std::vector<real> quantiles = {0.25, 0.5, 0.75};
  // target - y: 1 0 -2; -1 -1 -4
  expect_value(quantile_loss(y, target, quantiles), (0.25 + 0 + 0.5 + 0.75 + 0.5 + 1) / 6);
  expect_elements(slope(y, [&](const Var& x) { return quantile_loss(x, target, quantiles); }),
                  {-0.25 / 6, -0.5 / 6, 0.25 / 6, 0.75 / 6, 0.5 / 6, 0.25 / 6});
}

TEST(QuantileLossTest, WrongUseIsNamed) {
  EXPECT_EQ(error_of<ShapeError>([] {
              quantile_loss(zeros({4, 2}), zeros({4}), {0.5});
            }),
            "quantile_loss: y must be [.., quantiles], target [..]; got y [4, 2], target [4], 1 "
            "quantiles");
  EXPECT_EQ(error_of([] {
              quantile_loss(zeros({4, 1}), zeros({4}), {1});
            }),
            "quantile_loss: quantiles must lie between 0 and 1; got 1");
}

// GaussianNLLLoss()(y, target, variance) and its gradients, PyTorch 1.13.
TEST(GaussianNllTest, ValuesAndSlopesArePyTorchs) {
  const Array y{0.5, -1, 2, 0}, variance{1, 0.25, 4, 2}, target{0, -0.5, -1, 0.25};
  expect_value(gaussian_nll(y, variance, target), 0.5280496475699932);
  expect_elements(slope(y, [&](const Var& x) { return gaussian_nll(x, variance, target); }),
                  {0.125, -0.5, 0.1875, -0.03125});
  expect_elements(slope(variance, [&](const Var& x) { return gaussian_nll(y, x, target); }),
                  {0.09375, 0, -0.0390625, 0.060546875});
}

TEST(GaussianNllTest, SmallVariancesAreBounded) {
  const Array y{1}, target{0};
  expect_value(gaussian_nll(y, Array{0}, target, 0.5), (std::log(0.5) + 2) / 2);
  expect_elements(slope(Array{0.25}, [&](const Var& x) { return gaussian_nll(y, x, target, 0.5); }),
                  {0});
  EXPECT_EQ(error_of<ShapeError>([&] { gaussian_nll(y, zeros({2}), target); }),
            "gaussian_nll: variance must be [1], as y; got [2]");
  EXPECT_EQ(error_of([&] { gaussian_nll(y, y, target, 0); }),
            "gaussian_nll: epsilon must be positive; got 0");
}

// --- binary cross-entropy ---

TEST(BceWithLogitsTest, ValueIsThatOfTheProbability) {
  const Array logits{-2, 0, 0.5, 3}, target{0, 1, 0.25, 1};
  double expected = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const double p = 1 / (1 + std::exp(-double(logits(i)))), t = target(i);
    expected -= (t * std::log(p) + (1 - t) * std::log(1 - p)) / 4;
  }
  expect_value(bce_with_logits(logits, target), expected);
}

TEST(BceWithLogitsTest, ExtremeLogitsAreExact) {
  expect_value(bce_with_logits(Array{300, -300, 300, -300}, Array{1, 0, 0, 1}), 150);
  expect_elements(slope(Array{300, -300, 300, -300},
                        [](const Var& x) {
                          return bce_with_logits(x, Array{1, 0, 0, 1});
                        }),
                  {0, 0, 0.25, -0.25});
}

TEST(BceWithLogitsTest, WrongShapesAreNamed) {
  EXPECT_EQ(
      error_of<ShapeError>([] {
        bce_with_logits(zeros({4, 1}), zeros({4}));
      }),
      "bce_with_logits: y and target must have one shape and an element; got y [4, 1], target [4]");
}

// --- cross-entropy ---

const Array kLogits{{1, 2, 0.5, -1}, {0, 0, 3, 0}, {-2, 1, 1, 0.25}};

// F.cross_entropy(kLogits, [1, 2, 3], weight, label_smoothing) and its gradient, PyTorch 1.13.
struct Known {
  const char* name;
  Indices classes;
  CrossEntropyOptions options;
  double value;
  std::vector<double> slope;
};
const std::vector<Known> kKnown{
    {"plain",
     {1, 2, 3},
     {},
     0.76983378680241998,
     {0.074735939349400371, -0.13017998746704096, 0.045329638597835176, 0.010114409519805408,
      0.014439054826510245, 0.014439054826510245, -0.043317164479530712, 0.014439054826510245,
      0.0065799677375156318, 0.13216218494525384, 0.13216218494525384, -0.27090433762802335}},
    {"ignored row",
     {1, -100, 3},
     {},
     1.0851475230939018,
     {0.11210390902410057, -0.19526998120056144, 0.067994457896752764, 0.015171614279708113, 0, 0,
      0, 0, 0.0098699516062734482, 0.19824327741788078, 0.19824327741788078, -0.40635650644203503}},
    {"ignored by another index",
     {1, 0, 3},
     {.ignore_index = 0},
     1.0851475230939018,
     {0.11210390902410057, -0.19526998120056144, 0.067994457896752764, 0.015171614279708113, 0, 0,
      0, 0, 0.0098699516062734482, 0.19824327741788078, 0.19824327741788078, -0.40635650644203503}},
    {"weights",
     {1, 2, 3},
     {.weights = Array{0.5, 2, 1, 0.25}},
     0.47641489151281707,
     {0.13797404187581611, -0.24033228455453717, 0.083685486642157247, 0.018672756036563831,
      0.013328358301394075, 0.013328358301394075, -0.039985074904182197, 0.013328358301394075,
      0.0015184540932728383, 0.030498965756597045, 0.030498965756597045, -0.062516385606466926}},
    {"label smoothing",
     {1, 2, 3},
     {.label_smoothing = real(0.1)},
     0.89691712013575331,
     {0.066402606016067067, -0.10517998746704092, 0.036996305264501858, 0.0017810761864720779,
      0.0061057214931769148, 0.0061057214931769148, -0.018317164479530693, 0.0061057214931769148,
      -0.0017533655958177003, 0.12382885161192053, 0.12382885161192053, -0.24590433762802336}},
    {"all of them",
     {1, -100, 3},
     {.weights = Array{0.5, 2, 1, 0.25}, .label_smoothing = real(0.2)},
     0.71799732787465442,
     {0.16700954433829313, -0.27137341457422542, 0.085813416435951612, 0.018550453799980667, 0, 0,
      0, 0, -0.0077114611133947018, 0.023839351110603379, 0.046061573332825602,
      -0.062189463330034278}},
};

TEST(CrossEntropyTest, ValuesAndSlopesArePyTorchs) {
  for (const Known& known : kKnown) {
    SCOPED_TRACE(known.name);
    const auto loss = [&](const Var& x) { return cross_entropy(x, known.classes, known.options); };
    expect_value(loss(kLogits), known.value);
    expect_elements(slope(kLogits, loss), known.slope);
  }
}

TEST(CrossEntropyTest, LeadingAxesAreRows) {
  const Var logits = Array(kLogits);
  expect_value(cross_entropy(reshape(logits, {1, 3, 4}), Indices{{1, 2, 3}}),
               cross_entropy(logits, Indices{1, 2, 3}).item());
  expect_value(cross_entropy(index(logits, 0, 1), Indices(Indices::shape_type{}, 2)),
               -std::log(std::exp(3.0) / (std::exp(3.0) + 3)));
}

TEST(CrossEntropyTest, ExtremeLogitsAreExact) {
  const Array logits{{300, -300}, {300, -300}};
  expect_value(cross_entropy(logits, Indices{0, 0}), 0);
  expect_value(cross_entropy(logits, Indices{1, 1}), 600);
  expect_value(cross_entropy(logits, Indices{0, 1}, {.label_smoothing = 0.5}), 300);
  expect_elements(slope(logits,
                        [](const Var& x) {
                          return cross_entropy(x, Indices{0, 1});
                        }),
                  {0, 0, 0.5, -0.5});
}

TEST(CrossEntropyTest, AllRowsIgnoredIsZeroWithZeroSlope) {
  for (const real smoothing : {0.0, 0.1}) {
    const auto loss = [&](const Var& x) {
      return cross_entropy(x, Indices{-100, -100, -100}, {.label_smoothing = smoothing});
    };
    expect_value(loss(kLogits), 0);
    expect_elements(slope(kLogits, loss), std::vector<double>(12, 0));
  }
}

TEST(CrossEntropyTest, AnIgnoredRowMayHoldImpossibleClasses) {
  Array logits{{1, 2}, {3, 4}};
  const auto loss = [](const Var& x) {
    return cross_entropy(x, Indices{0, -100}, {.label_smoothing = real(0.1)});
  };
  const double value = loss(logits).item();
  const auto slopes = slope(logits, loss);
  logits(1, 0) = -std::numeric_limits<real>::infinity();
  expect_value(loss(logits), value);
  EXPECT_EQ(slope(logits, loss), slopes);
}

TEST(CrossEntropyTest, WrongUseIsNamed) {
  const auto error = [](const Indices& classes, const CrossEntropyOptions& options = {}) {
    return error_of([&] { cross_entropy(kLogits, classes, options); });
  };
  EXPECT_EQ(error({1, 2, 4}),
            "cross_entropy: a class must lie in 0 .. 3, or be ignore_index (-100); got 4");
  EXPECT_EQ(error({1, 2, -1}),
            "cross_entropy: a class must lie in 0 .. 3, or be ignore_index (-100); got -1");
  EXPECT_EQ(error({1, 2}),
            "cross_entropy: classes must have the shape of logits without its last axis; "
            "got logits [3, 4], classes [2]");
  EXPECT_EQ(error({1, 2, 3}, {.weights = Array{1, 2, 3}}),
            "cross_entropy: weights must be [4], one per class; got [3]");
  EXPECT_EQ(error({1, 2, 3}, {.label_smoothing = 1.5}),
            "cross_entropy: label_smoothing must lie in [0, 1]; got 1.5");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
