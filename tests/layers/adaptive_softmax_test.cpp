// The adaptive softmax: PyTorch's goldens, derivatives, and what holds for any sizes.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/adaptive_softmax.hpp>
#include <reel/optim/weights.hpp>

#include <cmath>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

constexpr double kTolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;

void expect_near(const Array& actual, const Array& expected, const std::string& what) {
  ASSERT_EQ(shape_of(actual), shape_of(expected)) << what;
  for (std::size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual.data()[i], expected.data()[i], kTolerance) << what << " " << i;
}

Indices to_indices(const Array& array) {
  Indices indices(Indices::shape_type{array.size()});
  for (std::size_t i = 0; i < array.size(); ++i)
    indices.data()[i] = static_cast<std::int64_t>(array.data()[i]);
  return indices;
}

void expect_golden(const std::string& name, const AdaptiveSoftmax::Config& config) {
  SCOPED_TRACE(name);
  NamedArrays golden =
      load_safetensors(fmt::format("{}/tests/goldens/{}.safetensors", REEL_SOURCE_DIR, name))
          .arrays;
  Random random(1);
  AdaptiveSoftmax softmax(6, 17, random, config);
  NamedArrays weights;
  for (const auto& [key, array] : golden)
    if (key.starts_with("head.") || key.starts_with("tail.")) weights[key] = array;
  import_weights(parameters(softmax), weights, name);

  expect_near(softmax.log_probabilities(golden["h"]).value(), golden["log_prob"], "log_prob");
  Tape tape;
  const Var h = tape.leaf(golden["h"]);
  const Var loss = softmax.loss(h, to_indices(golden["targets"]));
  EXPECT_NEAR(loss.item(), golden["loss"](), kTolerance);
  tape.backward(loss);
  expect_near(h.grad(), golden["grad.h"], "h");
  ASSERT_EQ(parameters(softmax).size(), weights.size());
  for (const Parameter* p : parameters(softmax))
    expect_near(p->grad(), golden.at("grad." + p->name), p->name);
}

TEST(AdaptiveSoftmaxTest, IsPyTorchs) {
  expect_golden("adaptive_softmax", {.cutoffs = {4, 9}, .div_value = 2});
  expect_golden("adaptive_softmax_bias",
                {.cutoffs = {5, 6, 12}, .div_value = 1.5, .head_bias = true});
}

TEST(AdaptiveSoftmaxTest, HasRightDerivatives) {
  Random random(1);
  AdaptiveSoftmax softmax(5, 11, random, {.cutoffs = {3, 6}, .div_value = 2, .head_bias = true});
  const Indices classes{{0, 10}, {4, -100}, {2, 7}};
  const auto f = [&](std::span<const Var> x) { return softmax.loss(x[0], classes); };
  const GradcheckResult result =
      gradcheck(f, {uniform({3, 2, 5}, -1, 1, random)}, parameters(softmax));
  EXPECT_TRUE(result) << result.message;
}

TEST(AdaptiveSoftmaxTest, ProbabilitiesSumToOneAndAreThoseOfTheLoss) {
  Random random(2);
  const AdaptiveSoftmax softmax(8, 23, random, {.cutoffs = {5, 11, 20}});
  const Array h = uniform({2, 3, 8}, -2, 2, random);
  const Array log_p = softmax.log_probabilities(h).value();
  ASSERT_EQ(shape_of(log_p), (Shape{2, 3, 23}));
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double sum = 0;
      for (std::size_t c = 0; c < 23; ++c) sum += std::exp(double(log_p(i, j, c)));
      EXPECT_NEAR(sum, 1, 10 * kTolerance);
    }
  const Indices classes{{22, 0, 5}, {12, 4, 19}};
  double sum = 0;
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j) sum -= log_p(i, j, static_cast<std::size_t>(classes(i, j)));
  EXPECT_NEAR(softmax.loss(h, classes).item(), sum / 6, kTolerance);
}

TEST(AdaptiveSoftmaxTest, IgnoredRowsDoNotCount) {
  Random random(3);
  const AdaptiveSoftmax softmax(4, 9, random, {.cutoffs = {3}});
  const Array h = uniform({3, 4}, -1, 1, random);
  const Array kept{{h(0, 0), h(0, 1), h(0, 2), h(0, 3)}, {h(2, 0), h(2, 1), h(2, 2), h(2, 3)}};
  EXPECT_NEAR(softmax.loss(h, Indices{8, -100, 1}).item(), softmax.loss(kept, Indices{8, 1}).item(),
              kTolerance);
  Array nothing = h;
  nothing(0, 0) = std::numeric_limits<real>::quiet_NaN();
  EXPECT_EQ(softmax.loss(nothing, Indices{-100, -100, -100}).item(), 0);
}

TEST(AdaptiveSoftmaxTest, OnlyClustersWithTargetsGetAGradient) {
  Random random(4);
  AdaptiveSoftmax softmax(4, 9, random, {.cutoffs = {3, 6}});
  const std::vector<Parameter*> all = parameters(softmax);  // head, two of each cluster
  Tape tape;
  tape.backward(softmax.loss(uniform({2, 4}, -1, 1, random), Indices{1, 7}));
  EXPECT_TRUE(all[0]->has_grad());
  EXPECT_FALSE(all[1]->has_grad());
  EXPECT_FALSE(all[2]->has_grad());
  EXPECT_TRUE(all[3]->has_grad());
  EXPECT_TRUE(all[4]->has_grad());
}

TEST(AdaptiveSoftmaxTest, WrongUseIsNamed) {
  Random random(1);
  const auto make = [&](std::vector<std::size_t> cutoffs, double div_value = 4) {
    return error_of(
        [&] { AdaptiveSoftmax(4, 9, random, {.cutoffs = cutoffs, .div_value = div_value}); });
  };
  const std::string rise =
      "adaptive_softmax: cutoffs must rise from at least 1 to less than 9 classes; got ";
  EXPECT_EQ(make({}), rise);
  EXPECT_EQ(make({0, 3}), rise + "0, 3");
  EXPECT_EQ(make({3, 3}), rise + "3, 3");
  EXPECT_EQ(make({3, 9}), rise + "3, 9");
  EXPECT_EQ(make({3}, 0.5), "adaptive_softmax: div_value must be at least 1; got 0.5");
  const AdaptiveSoftmax softmax(4, 9, random, {.cutoffs = {3}});
  const Var h = zeros({2, 4});
  EXPECT_EQ(error_of<ShapeError>([&] {
              softmax.log_probabilities(zeros({2, 5}));
            }),
            "adaptive_softmax: h must be [.., 4]; got [2, 5]");
  EXPECT_EQ(error_of<ShapeError>([&] { softmax.loss(h, Indices{1}); }),
            "adaptive_softmax: classes must have the shape of h without its "
            "last axis; got h [2, 4], classes [1]");
  EXPECT_EQ(error_of<ShapeError>([&] {
              softmax.loss(h, Indices{1, 9});
            }),
            "adaptive_softmax: a class must lie in 0 .. 8, or be ignore_index "
            "(-100); got 9");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
