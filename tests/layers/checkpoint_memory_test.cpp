// What checkpoints hold, what they draw again, and what happens when something fails.
#include <reel/layers/dropout.hpp>
#include <reel/layers/linear.hpp>

#include <optional>

#include "../autodiff/throws.hpp"
#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

using Maybe = std::optional<Checkpointing>;

constexpr std::size_t kIn = 5, kHidden = 8;
constexpr Checkpointing kFew{.states = 2, .block = 3};

// Most bytes in use during a step, and before backward, beyond those before it.
struct Usage {
  std::size_t peak, kept;
};

template <class C>
Usage usage(const Recurrent<C>& layer, const Var& x, const Maybe& checkpoint) {
  for_each_parameter(layer, [](const std::string&, const Parameter& p) { p.mutable_grad(); });
  const std::size_t before = pool::stats().in_use;
  pool::reset_peak();
  Tape tape;
  const Var last = layer(x, {.all_outputs = false, .checkpoint = checkpoint}).last();
  const std::size_t kept = pool::stats().in_use - before;
  tape.backward(sum(last));
  return {pool::stats().peak_in_use - before, kept};
}

template <class M>
struct CheckpointMemoryTest : ::testing::Test {
  static constexpr std::size_t kWidth = 32;
  Recurrent<typename M::Cell> layer{M::make(kWidth, kWidth)};
  // Of parameters, packed for products, and of their transposes.
  std::size_t packed_bytes() const { return 2 * parameter_count(layer) * sizeof(real); }
};
TYPED_TEST_SUITE(CheckpointMemoryTest, BuiltInCells, CellName);

TYPED_TEST(CheckpointMemoryTest, AThousandStepsTakeATwentieth) {
  const Var x(random_array({1000, 32, this->kWidth}, 1));
  const Usage plain = usage(this->layer, x, {}), least = usage(this->layer, x, Checkpointing{});
  EXPECT_LE(static_cast<double>(least.peak), 0.05 * static_cast<double>(plain.peak));
  EXPECT_LE(least.kept, least.peak);
}

// Besides the budget a step holds the packed parameters, and little else.
TYPED_TEST(CheckpointMemoryTest, ABudgetInBytesIsKept) {
  const Var x(random_array({600, 4, this->kWidth}, 1));
  const std::size_t extra = this->packed_bytes() + 20000;
  std::size_t least = 0;
  try {
    usage(this->layer, x, Checkpointing{.bytes = 1});
  } catch (const Error& error) {
    const std::string text = error.what();
    const std::string before = "at least ";
    ASSERT_NE(text.find(before), std::string::npos) << text;
    least = std::stoul(text.substr(text.find(before) + before.size()));
  }
  const std::size_t plain = usage(this->layer, x, {}).peak;
  ASSERT_LT(least, plain / 4);
  for (std::size_t bytes = least; bytes < 4 * plain; bytes += bytes / 2) {
    const Usage used = usage(this->layer, x, Checkpointing{.bytes = bytes});
    EXPECT_LE(used.peak, bytes + extra) << bytes;
    EXPECT_GE(used.peak, std::min(bytes, plain) / 4) << bytes;
  }
  const std::size_t unbounded = usage(this->layer, x, Checkpointing{.bytes = 4 * plain}).peak;
  EXPECT_LE(unbounded, plain + this->packed_bytes());  // trying two steps out packs the weights
  EXPECT_GE(unbounded, plain - plain / 50);            // no checkpoint at all
}

TYPED_TEST(CheckpointMemoryTest, MoreStepsNeedNoMoreWhenStatesAreGiven) {
  const auto peak = [&](std::size_t steps) {
    const Var x(random_array({steps, 4, this->kWidth}, 1));
    return usage(this->layer, x, Checkpointing{.states = 5, .block = 16}).peak;
  };
  peak(100);
  const std::size_t some = peak(200);
  EXPECT_LE(peak(1600), some + some / 16);
}

TYPED_TEST(CheckpointMemoryTest, InferenceHoldsItsOutputsAndFewSteps) {
  const Var x(random_array({2000, 4, this->kWidth}, 1));
  const std::size_t before = pool::stats().in_use;
  for (bool all_outputs : {true, false}) {
    pool::reset_peak();
    const auto result = this->layer(x, {.all_outputs = all_outputs});
    const std::size_t outputs = all_outputs ? 2000 * 4 * this->kWidth * sizeof(real) : 0;
    // Up to six hidden widths for 512 rows, and the packed parameters.
    EXPECT_LE(pool::stats().peak_in_use - before,
              outputs + outputs / 8 + 512 * 6 * this->kWidth * sizeof(real) * 9 / 8 +
                  this->packed_bytes() + 20000);
  }
}

// --- randomness ---

// Dropout within the step, of a mask drawn by the op and one drawn by the cell.
struct DroppingCell {
  struct State {
    Var h;
  };
  Parameter weight{random_array({kHidden, kHidden + kIn}, 3)};
  Random* random = nullptr;
  Random* own = nullptr;

  State initial_state(std::size_t batch) const { return {zeros({batch, kHidden})}; }
  State step(const Var& x, const State& s) const {
    Random local(7);
    Array mask = empty_array(s.h.shape());
    for (real& keep : mask.storage()) keep = own->uniform() < 0.3 ? 0 : 1;
    const Var seen = concat({dropout(x, real(0.4), *random), s.h}, -1);
    return {tanh(affine(seen, weight)) * Var(mask) + real(local.uniform()) * s.h};
  }
  static void fields(auto& self, auto&& visit) { visit("weight", self.weight); }
};

TEST(CheckpointRandomTest, MasksAreDrawnAgain) {
  Recurrent<DroppingCell> layer{DroppingCell()};
  const Lengths ragged{20, 4, 20, 9};
  const Problem p = random_problem<DroppingCell::State>(20, 4, kIn, kHidden, ragged);
  std::uint64_t next[2][2];
  const auto answer = [&](const Maybe& checkpoint, std::uint64_t* after) {
    Random random(1), own(2);
    layer.cell.random = &random;
    layer.cell.own = &own;
    using State = DroppingCell::State;
    const Answers answers =
        answers_of<State>(p, parameters(layer), [&](const Var& x, const State& state) {
          const auto result =
              layer(x, {.lengths = p.lengths, .state = state, .checkpoint = checkpoint});
          random.bits();  // what others draw afterwards stays drawn
          return std::pair(result.outputs, result.state);
        });
    after[0] = random.bits();
    after[1] = own.bits();
    return answers;
  };
  const Answers expected = answer({}, next[0]);
  for (const Checkpointing& checkpoint :
       {Checkpointing{}, kFew, Checkpointing{.states = 0, .block = 1}, Checkpointing{.states = 9},
        Checkpointing{.states = 1, .block = 2}, Checkpointing{.bytes = 100000}}) {
    expect_same_bits(answer(checkpoint, next[1]), expected);
    EXPECT_EQ(next[1][0], next[0][0]);
    EXPECT_EQ(next[1][1], next[0][1]);
  }
}

TEST(CheckpointRandomTest, GradientsOnRequestAndAgainDrawTheSame) {
  Recurrent<DroppingCell> layer{DroppingCell()};
  Random random(1), own(2);
  layer.cell.random = &random;
  layer.cell.own = &own;
  Tape tape;
  const Var x = tape.leaf(random_array({20, 3, kIn}, 1));
  const Var loss = sum(square(layer(x, {.checkpoint = kFew}).outputs));
  const Array first = tape.gradients(loss, {x})[0].value();
  const std::uint64_t next = Random(random).bits();
  for (int times : {1, 2}) {
    tape.backward(loss);
    EXPECT_LE(relative_error(x.grad(), first * times), kRounding);
  }
  EXPECT_LE(relative_error(tape.gradients(loss, {x})[0].value(), first), kRounding);
  EXPECT_EQ(random.bits(), next);
}

// --- what cells hold ---

// Weights made before the loop, and the inputs themselves.
struct OuterCell {
  struct State {
    Var h;
  };
  Var weight, bias, context;

  State initial_state(std::size_t batch) const { return {zeros({batch, kHidden})}; }
  Var project(const Var& x) const { return affine(x, slice(weight, 1, 0, kIn), bias); }
  State step(Var x, const State& s) const {
    const Var recurrent = slice(weight, 1, kIn, kIn + kHidden);
    return {tanh(affine(s.h, recurrent, std::move(x)) + sum(mean(context, {0}, true)))};
  }
  static void fields(auto&, auto&&) {}
};

TEST(CheckpointOuterTest, GradientsReachWhatTheCellHolds) {
  Parameter weight(random_array({kHidden, kIn + kHidden}, 1)), bias(random_array({kHidden}, 2));
  const Array mask = random_array({kHidden, kIn + kHidden}, 3);
  const auto answer = [&](const Maybe& checkpoint) {
    weight.zero_grad();
    bias.zero_grad();
    Tape tape;
    const Var x = tape.leaf(random_array({17, 1, kIn}, 4));
    const Recurrent<OuterCell> layer(
        OuterCell{Var(weight) * Var(mask), square(Var(bias)), reshape(x, {17, 1, kIn})});
    const auto result = layer(x, {.checkpoint = checkpoint});
    tape.backward(sum(square(reshape(result.outputs, {17, -1}))));
    return Answers{{"x", x.grad()}, {"weight", weight.grad()}, {"bias", bias.grad()}};
  };
  const Answers expected = answer({});
  for (const Checkpointing& checkpoint :
       {Checkpointing{}, kFew, Checkpointing{.states = 20, .block = 1}}) {
    const Answers actual = answer(checkpoint);
    expect_near(actual, expected, kRounding);  // x is read in steps and between them
    for (const char* name : {"weight", "bias"})
      EXPECT_TRUE(same_bits(actual.at(name), expected.at(name))) << name;
  }
}

// --- what fails ---

struct FailingCell : DroppingCell {
  int* countdown = nullptr;
  State step(const Var& x, const State& s) const {
    if ((*countdown)-- == 0) throw Error("broken");
    return DroppingCell::step(x, s);
  }
};

TEST(CheckpointFailureTest, AFailedReplayLeavesTapeRandomsAndGradientsAsTheyWere) {
  Recurrent<FailingCell> layer{FailingCell()};
  int countdown = -1;
  Random random(1), own(2);
  layer.cell.random = &random;
  layer.cell.own = &own;
  layer.cell.countdown = &countdown;
  Tape tape;
  const Var x = tape.leaf(random_array({12, 3, kIn}, 1));
  const Var loss = sum(square(layer(x, {.checkpoint = kFew}).outputs));
  const std::size_t size = tape.size();
  const std::uint64_t next = Random(random).bits();
  tape.backward(loss);
  const Array expected = layer.cell.weight.grad(), expected_x = x.grad();
  for (int fails_at : {0, 1, 4, 8, 12}) {
    layer.cell.weight.zero_grad();
    countdown = fails_at;
    EXPECT_THROWS_WITH(tape.backward(loss), Error, "broken");
    EXPECT_EQ(tape.size(), size);
    EXPECT_EQ(Tape::current(), &tape);
    EXPECT_FALSE(layer.cell.weight.has_grad());
    EXPECT_EQ(Random(random).bits(), next);
  }
  countdown = -1;
  layer.cell.weight.zero_grad();
  tape.backward(loss);
  EXPECT_LE(relative_error(layer.cell.weight.grad(), expected), kRounding);
}

TEST(CheckpointFailureTest, AParameterChangedBeforeBackwardIsFound) {
  Recurrent<Lstm> layer(MakeLstm::make(kIn, kHidden));
  parameters(layer);
  Tape tape;
  const Var loss = sum(layer(Var(random_array({12, 3, kIn}, 1)), {.checkpoint = kFew}).outputs);
  layer.cell.weight_hh.mutable_value()(0, 0) += 1;
  EXPECT_THROWS_WITH(tape.backward(loss), Error, "weight_hh_l0 was changed after its Var was made");
}

struct OverflowingCell {
  struct State {
    Var h;
  };
  Parameter weight{full_array({kHidden}, 1)};

  State initial_state(std::size_t batch) const { return {full_array({batch, kHidden}, 1)}; }
  State step(const Var&, const State& s) const {
    return {sqrt(s.h * Var(weight) - real(1)) + real(1)};
  }
  static void fields(auto& self, auto&& visit) { visit("weight", self.weight); }
};

TEST(CheckpointFailureTest, CheckFiniteNamesOpAndLayer) {
  Recurrent<OverflowingCell> layer{OverflowingCell()};
  layer.cell.weight.name = "encoder.weight_l0";
  const Var x(random_array({12, 3, kIn}, 1));
  Tape tape;
  tape.check_finite(true);
  const Var loss = sum(layer(x, {.checkpoint = kFew}).outputs);
  EXPECT_THROWS_WITH(tape.backward(loss), NonFiniteError, "encoder: sqrt: backward");
  layer.cell.weight.mutable_value()(0) = 0;
  EXPECT_THROWS_WITH(layer(x, {.checkpoint = kFew}), NonFiniteError, "encoder: sqrt: forward");
}

// --- tapes ---

TEST(CheckpointTapeTest, BackwardWhileAnotherTapeIsOpen) {
  Recurrent<Gru> layer(MakeGru::make(kIn, kHidden));
  const Array x = random_array({12, 3, kIn}, 1);
  const auto gradient = [&](bool nested) {
    for (Parameter* p : parameters(layer)) p->zero_grad();
    Tape tape;
    const Var loss = sum(square(layer(Var(x), {.checkpoint = kFew}).outputs));
    std::optional<Tape> inner;
    if (nested) {
      inner.emplace();
      layer(Var(x));
    }
    tape.backward(loss);
    EXPECT_EQ(Tape::current(), nested ? &*inner : &tape);
    return layer.cell.weight_hh.grad();
  };
  EXPECT_TRUE(same_bits(gradient(true), gradient(false)));
}

TEST(CheckpointTapeTest, WithoutATapeOrAGradientItIsPlainInference) {
  Recurrent<Lstm> layer(MakeLstm::make(kIn, kHidden));
  const Array x = random_array({700, 3, kIn}, 1);
  const Array expected = layer(Var(x)).outputs.value();
  EXPECT_TRUE(same_bits(layer(Var(x), {.checkpoint = kFew}).outputs.value(), expected));
  for (Parameter* p : parameters(layer)) p->trainable = false;
  Tape tape;
  const auto result = layer(Var(x), {.checkpoint = kFew});
  EXPECT_EQ(tape.size(), 0u);
  EXPECT_FALSE(result.outputs.is_recorded() || result.last().is_recorded());
  EXPECT_LE(relative_error(result.outputs.value(), expected), kRounding);
}

// A checkpointed layer within the step of another.
struct NestingCell {
  struct State {
    Var h;
  };
  Recurrent<Rnn> inner{RnnTanh::make(1, kHidden)};
  State initial_state(std::size_t batch) const { return {zeros({batch, kHidden})}; }
  State step(const Var& x, const State& s) const {
    const Var steps = reshape(transpose(x), {static_cast<std::ptrdiff_t>(kIn), -1, 1});
    const Checkpointing few{.states = 1, .block = 1};
    return {inner(steps, {.state = Rnn::State{s.h}, .checkpoint = few}).last()};
  }
  static void fields(auto& self, auto&& visit) { visit("inner", self.inner); }
};

TEST(CheckpointTapeTest, CheckpointsNest) {
  Recurrent<NestingCell> layer{NestingCell()};
  const Problem p = random_problem<NestingCell::State>(7, 3, kIn, kHidden);
  const auto answer = [&](const Maybe& checkpoint) {
    using State = NestingCell::State;
    return answers_of<State>(p, parameters(layer), [&](const Var& x, const State& state) {
      const auto result = layer(x, {.state = state, .checkpoint = checkpoint});
      return std::pair(result.outputs, result.state);
    });
  };
  expect_same_bits(answer(kFew), answer({}));
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
