#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/data/safetensors.hpp>
#include <reel/optim/optimizer.hpp>

#include <limits>

#include "../data/temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

// dLoss/dp becomes exactly `gradient`.
void set_gradient(Parameter& p, const Array& gradient) {
  Tape tape;
  tape.backward(sum(Var(p) * Var(gradient)));
}

// --- steps as PyTorch's: see tests/goldens/make_optim_goldens.py ---

class GoldenStepsTest : public ::testing::Test {
 protected:
  template <class O, class Options>
  void expect_steps(const std::string& name, const Options& options) {
    const Array& expected = golden_.at(name);
    Parameter p(golden_.at("start"));
    O optimizer({&p}, options);
    for (std::ptrdiff_t step = 0; step < 12; ++step) {
      set_gradient(p, index(Var(golden_.at("gradients")), 0, step).value());
      optimizer.step();
      for (std::size_t i = 0; i < p.size(); ++i)
        EXPECT_NEAR(p.value()(i), expected(static_cast<std::size_t>(step), i), 1e-14)
            << name << ", step " << step;
    }
  }

 private:
  decltype(Safetensors::arrays) golden_ =
      load_safetensors(REEL_SOURCE_DIR "/tests/goldens/optimizers.safetensors").arrays;
};

TEST_F(GoldenStepsTest, Sgd) {
  SgdOptions options{.learning_rate = 0.1};
  expect_steps<Sgd>("sgd", options);
  options.weight_decay = 0.2;
  expect_steps<Sgd>("sgd_decay", options);
  options.momentum = 0.9;
  expect_steps<Sgd>("sgd_momentum", options);
  options.nesterov = true;
  expect_steps<Sgd>("sgd_nesterov", options);
}

TEST_F(GoldenStepsTest, AdamAndAdamW) {
  expect_steps<Adam>("adam", AdamOptions{});
  expect_steps<AdamW>("adamw", AdamWOptions{});
  const AdamOptions unusual{
      .learning_rate = 0.1, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.2};
  expect_steps<Adam>("adam_decay", unusual);
  expect_steps<AdamW>("adamw_decay", AdamWOptions{0.1, 0.8, 0.95, 1e-3, 0.2});
}

// --- which parameters move ---

// What a step with momentum and decay makes of a parameter after `prepare`.
template <class Prepare>
Array after_step(Prepare&& prepare) {
  Parameter p(Array{1, 2}), other(Array{1, 2});
  Sgd optimizer({&p, &other}, {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 0.5});
  set_gradient(p, {1, 1});
  optimizer.step();
  const Array before = p.value();
  prepare(p);
  optimizer.step();
  return p.value() - before;
}

TEST(OptimizerTest, StepClearsTheGradient) {
  EXPECT_EQ(after_step([](Parameter& p) { EXPECT_FALSE(p.has_grad()); }), (Array{0, 0}));
}

TEST(OptimizerTest, GradientOfZerosIsAStep) {
  EXPECT_NE(after_step([](Parameter& p) { set_gradient(p, {0, 0}); }), (Array{0, 0}));
}

TEST(OptimizerTest, FrozenParameterStays) {
  EXPECT_EQ(after_step([](Parameter& p) {
              set_gradient(p, {1, 1});
              p.trainable = false;
            }),
            (Array{0, 0}));
}

TEST(OptimizerTest, ParameterThatTheLossDoesNotReachStays) {
  EXPECT_EQ(after_step([](Parameter& p) {
              Parameter used(Array{1, 2});
              Tape tape;
              const Var unused = Var(p) * Var(real(2));
              tape.backward(sum(Var(used)));
            }),
            (Array{0, 0}));
}

// Parameter::grad of a parameter without a gradient makes one of zeros.
TEST(OptimizerTest, ReadingAGradientThatIsNotThereIsNoStep) {
  EXPECT_EQ(after_step([](Parameter& p) { EXPECT_EQ(p.grad(), (Array{0, 0})); }), (Array{0, 0}));
}

TEST(OptimizerTest, GradientsOfTwoBackwardsAddUp) {
  Parameter p(Array{1, 2});
  Sgd optimizer({&p}, {.learning_rate = 1});
  set_gradient(p, {1, 2});
  set_gradient(p, {10, 20});
  optimizer.step();
  EXPECT_EQ(p.value(), (Array{-10, -20}));
}

TEST(OptimizerTest, AParameterListedTwiceCountsOnce) {
  Parameter p(Array{1});
  Sgd optimizer({&p, &p}, {.learning_rate = 1});
  set_gradient(p, {3});
  EXPECT_EQ(clip_grad_norm(optimizer.parameters(), 1), 3);
  optimizer.step();
  EXPECT_EQ(p.value()(0), 0);
}

TEST(OptimizerTest, AGradientWrittenByTheUserIsUsed) {
  Parameter p(Array{1});
  Sgd optimizer({&p}, {.learning_rate = 1});
  p.mutable_grad().fill(3);
  optimizer.step();
  EXPECT_EQ(p.value()(0), -2);
  EXPECT_FALSE(p.has_grad());
}

TEST(OptimizerTest, RefusesANullParameter) {
  Parameter p(Array{1});
  EXPECT_EQ(error_of([&] {
              Sgd({&p, nullptr});
            }),
            "optimizer: a parameter must not be null; got one at 1");
}

TEST(OptimizerTest, AdamsFirstStepIsTheRateHoweverSlowItsMeans) {
  for (const double beta : {0.9, 0.99999, 1 - 1e-8}) {
    Parameter p(Array{0});
    Adam optimizer({&p}, {.learning_rate = 1, .beta1 = beta, .beta2 = beta});
    set_gradient(p, {1});
    optimizer.step();
    EXPECT_NEAR(p.value()(0), -1, 1e-6) << beta;
  }
}

TEST(OptimizerTest, LearningRateMayChangeBetweenSteps) {
  Parameter p(Array{0});
  Sgd optimizer({&p}, {.learning_rate = 1});
  for (const double rate : {1.0, 0.25}) {
    optimizer.learning_rate = rate;
    set_gradient(p, {1});
    optimizer.step();
  }
  EXPECT_EQ(p.value()(0), real(-1.25));
}

TEST(OptimizerTest, ZeroGradForgets) {
  Parameter p(Array{1, 2});
  Sgd optimizer({&p});
  set_gradient(p, {1, 2});
  optimizer.zero_grad();
  EXPECT_FALSE(p.has_grad());
  EXPECT_EQ(p.grad(), (Array{0, 0}));
}

// Rosenbrock's valley: (1 - x)^2 + 100 (y - x^2)^2, lowest at (1, 1).
double rosenbrock_after(Optimizer& optimizer, Parameter& p, int steps) {
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    Tape tape;
    const auto [x, y] = split<2>(Var(p));
    const Var loss = sum(square(1 - x) + 100 * square(y - square(x)));
    tape.backward(loss);
    last = loss.item();
    optimizer.step();
  }
  return last;
}

TEST(OptimizerTest, EachConvergesInRosenbrocksValley) {
  const auto run = [](auto make) {
    Parameter p(Array{-1, 1});
    auto optimizer = make(std::vector<Parameter*>{&p});
    return rosenbrock_after(optimizer, p, 3000);
  };
  using List = std::vector<Parameter*>;
  EXPECT_LT(run([](List p) { return Sgd(p, {.learning_rate = 1e-3}); }), 0.05);
  EXPECT_LT(run([](List p) { return Sgd(p, {.learning_rate = 1e-3, .momentum = 0.9}); }), 1e-6);
  EXPECT_LT(run([](List p) {
              return Sgd(p, {.learning_rate = 1e-3, .momentum = 0.9, .nesterov = true});
            }),
            1e-6);
  EXPECT_LT(run([](List p) { return Adam(p, {.learning_rate = 0.03}); }), 1e-6);
}

TEST(OptimizerTest, WrongOptionsAreNamed) {
  const std::vector<Parameter*> none;
  EXPECT_EQ(error_of([&] { Sgd(none, {.learning_rate = -1}); }),
            "optimizer: learning_rate must lie in [0, inf); got -1");
  EXPECT_EQ(error_of([&] { Sgd(none, {.momentum = 1}); }),
            "sgd: momentum must lie in [0, 1); got 1");
  EXPECT_EQ(error_of([&] { Sgd(none, {.nesterov = true}); }), "sgd: nesterov needs a momentum");
  EXPECT_EQ(error_of([&] { Adam(none, {.beta2 = 1}); }), "adam: beta2 must lie in [0, 1); got 1");
  EXPECT_EQ(error_of([&] { AdamW(none, {.weight_decay = -0.1}); }),
            "adamw: weight_decay must lie in [0, inf); got -0.1");
}

TEST(OptimizerTest, ShapesThatChangedAreRefused) {
  Parameter p(Array{1, 2});
  p.name = "head.weight";
  Adam adam({&p});
  p.mutable_grad() = Array{1, 1, 1};
  EXPECT_EQ(error_of([&] { adam.step(); }),
            "optimizer: the gradient of head.weight must be [2]; got [3]");
  EXPECT_TRUE(adam.slots()[0].state.empty());
  p.mutable_grad() = Array{1, 1};
  adam.step();
  p.mutable_value() = Array{1, 2, 3};
  p.mutable_grad() = Array{1, 1, 1};
  EXPECT_EQ(error_of([&] { adam.step(); }),
            "optimizer: the state of head.weight must be [3]; got [2]");
  EXPECT_EQ(p.value(), (Array{1, 2, 3}));
}

// --- clipping ---

struct ClippingTest : ::testing::Test {
  Parameter a{Array{0, 0}}, b{Array{0}}, without{Array{7}};
  std::vector<Parameter*> all{&a, &b, &without};
  void SetUp() override {
    set_gradient(a, {2, -4});
    set_gradient(b, {4});
  }
};

TEST_F(ClippingTest, NormIsJointAndIsCutToTheLimit) {
  EXPECT_EQ(clip_grad_norm(all, 3), 6);
  EXPECT_EQ(a.grad(), (Array{1, -2}));
  EXPECT_EQ(b.grad(), (Array{2}));
  EXPECT_FALSE(without.has_grad());
}

TEST_F(ClippingTest, FrozenParametersDoNotCount) {
  a.trainable = false;
  EXPECT_EQ(clip_grad_norm(all, 2), 4);
  EXPECT_EQ(a.grad(), (Array{2, -4}));
  EXPECT_EQ(b.grad(), (Array{2}));
}

TEST_F(ClippingTest, NormWithinTheLimitChangesNothing) {
  EXPECT_EQ(clip_grad_norm(all, 6), 6);
  EXPECT_EQ(a.grad(), (Array{2, -4}));
}

TEST_F(ClippingTest, ValuesAreCutOneByOne) {
  clip_grad_value(all, 3);
  EXPECT_EQ(a.grad(), (Array{2, -3}));
  EXPECT_EQ(b.grad(), (Array{3}));
  EXPECT_FALSE(without.has_grad());
}

TEST_F(ClippingTest, NormThatIsNotFiniteThrowsAndChangesNothing) {
  b.mutable_grad().fill(std::numeric_limits<real>::infinity());
  EXPECT_EQ(error_of<NonFiniteError>([&] { clip_grad_norm(all, 1); }),
            "clip_grad_norm: the gradient's norm is inf; Tape::check_finite finds where");
  EXPECT_EQ(a.grad(), (Array{2, -4}));
}

TEST_F(ClippingTest, LimitMustBePositive) {
  EXPECT_EQ(error_of([&] { clip_grad_norm(all, 0); }),
            "clip_grad_norm: the limit must be positive; got 0");
  EXPECT_EQ(error_of([&] { clip_grad_value(all, -1); }),
            "clip_grad_value: the limit must be positive; got -1");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
