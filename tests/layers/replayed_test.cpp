// A loop whose step is recorded once and replayed answers as one that is recorded step by step, as
// short blocks between checkpoints are.
#include <reel/autodiff/record.hpp>

#include "../autodiff/throws.hpp"
#include "tested_cells.hpp"
#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kSteps = 600;  // products of weight gradients in several pieces
constexpr std::size_t kLeast = 200;  // of which few are replayed
const Checkpointing kStepByStep{.states = 3, .block = 7};
using Maybe = std::optional<Checkpointing>;

// nodes: how many the layer puts on the tape.
template <class Layer, class State>
auto run(Layer& layer, const Var& x, const State& state, const Maybe& checkpoint,
         std::size_t* nodes = nullptr) {
  const std::size_t before = Tape::current()->size();
  const auto result = layer(x, {.state = state, .checkpoint = checkpoint});
  if (nodes) *nodes = Tape::current()->size() - before;
  return result;
}

template <class C>
Answers answers(Recurrent<C>& layer, const Problem& p, const Maybe& checkpoint,
                std::size_t* nodes = nullptr) {
  using State = typename C::State;
  return answers_of<State>(p, parameters(layer), [&](const Var& x, const State& state) {
    const auto result = run(layer, x, state, checkpoint, nodes);
    return std::pair(result.outputs, result.state);
  });
}

// Equal numbers: zeros may have another sign.
void expect_same(const Answers& actual, const Answers& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, array] : expected)
    EXPECT_EQ(actual.at(name), array)
        << name << " differs by " << relative_error(actual.at(name), array);
}

// in_another_order: blocks between checkpoints add the same terms in another order.
template <class C>
void expect_same_as_step_by_step(Recurrent<C>& layer, std::size_t in, std::size_t width,
                                 bool is_replayed, bool in_another_order = false) {
  for (const std::size_t batch : {1, 3}) {
    const Problem p = random_problem<typename C::State>(kSteps, batch, in, width);
    std::size_t nodes = 0;
    const Answers actual = answers(layer, p, {}, &nodes);
    EXPECT_EQ(nodes < kLeast, is_replayed) << nodes;
    const Answers expected = answers(layer, p, kStepByStep);
    in_another_order ? expect_near(actual, expected, kRounding) : expect_same(actual, expected);
  }
}

template <class M>
struct ReplayedTest : ::testing::Test {
  using Cell = typename M::Cell;
  using State = typename Cell::State;
  Recurrent<Cell> layer{M::make(3, 4)};
  // Rules of whole rows have loops of their own.
  static bool is_replayed() {
    const std::string_view name = M::kName;
    return name.find("norm") == name.npos && name != "lstm_all";
  }
};
TYPED_TEST_SUITE(ReplayedTest, TestedCells, CellName);

TYPED_TEST(ReplayedTest, AnswersAsStepByStep) {
  expect_same_as_step_by_step(this->layer, 3, 4, this->is_replayed());
}

// A loss on the final state alone, on few outputs, on outputs alone; nothing that wants a gradient
// but parameters; a state that is learned.
TYPED_TEST(ReplayedTest, PartsOfTheResultMayBeRead) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(kLeast, 2, 3, 4);
  this->layer.start = detail::learned_start([&] {
    static State like;
    like = this->layer.cell.initial_state(1);
    return state_parts(like);
  }());
  const auto answer = [&](int which, const Maybe& checkpoint) {
    const std::vector<Parameter*> all = parameters(this->layer);
    for (Parameter* parameter : all) parameter->zero_grad();
    Tape tape;
    const auto result = this->layer(Var(p.x), {.all_outputs = which > 0, .checkpoint = checkpoint});
    EXPECT_EQ(tape.size() < kLeast, checkpoint || this->is_replayed());
    const Var read = which == 0   ? result.last()
                     : which == 1 ? slice(result.outputs, 0, 2, 4)
                                  : result.outputs * Var(p.d_outputs);
    tape.backward(sum(square(read)));
    Answers answers;
    for (Parameter* parameter : all) answers[parameter->name] = parameter->grad();
    return answers;
  };
  for (int which : {0, 1, 2}) expect_same(answer(which, {}), answer(which, kStepByStep));
}

// Gradients add to what is there: x, the initial state and the weights are read elsewhere too.
TYPED_TEST(ReplayedTest, GradientsAddUp) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(kLeast, 2, 3, 4);
  const auto answer = [&](const Maybe& checkpoint) {
    return answers_of<State>(p, parameters(this->layer), [&](const Var& x, const State& state) {
      const auto first = run(this->layer, x, state, checkpoint);
      const auto second = run(this->layer, x * x, first.state, checkpoint);
      const auto third = run(this->layer, x, state, checkpoint);
      return std::pair(first.outputs + second.outputs * third.outputs, second.state);
    });
  };
  expect_same(answer({}), answer(kStepByStep));
}

TYPED_TEST(ReplayedTest, BackwardMayRunAgain) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(kLeast, 2, 3, 4);
  Tape tape;
  const Var x = tape.leaf(p.x);
  const std::vector<Parameter*> all = parameters(this->layer);
  const Var loss = sum(square(this->layer(x).outputs));
  EXPECT_EQ(tape.size() < kLeast, this->is_replayed());
  tape.backward(loss);
  std::vector<Array> once{x.grad()};
  for (const Parameter* parameter : all) once.push_back(parameter->grad());
  tape.backward(loss);
  EXPECT_LE(relative_error(x.grad(), once[0] * real(2)), kRounding);
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_LE(relative_error(all[i]->grad(), once[i + 1] * real(2)), kRounding) << all[i]->name;
}

TYPED_TEST(ReplayedTest, HigherDerivativesAreThoseOfTheSteps) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(kLeast, 1, 3, 4);
  const auto answer = [&](const Maybe& checkpoint) {
    const std::vector<Parameter*> all = parameters(this->layer);
    for (Parameter* parameter : all) parameter->zero_grad();
    Tape tape;
    const Var x = tape.leaf(p.x);
    const Var loss = sum(this->layer(x, {.checkpoint = checkpoint}).outputs * Var(p.d_outputs));
    const Var slope = tape.gradients(loss, {x}, {.create_graph = true})[0];
    tape.backward(sum(square(slope)));
    Answers answers{{"x", x.grad()}, {"slope", slope.value()}};
    for (Parameter* parameter : all) answers[parameter->name] = parameter->grad();
    return answers;
  };
  expect_near(answer({}), answer(kStepByStep), kRounding);
}

#ifndef REEL_MORE_CELLS  // once

template <class C>
struct ReplayedUnusualTest : ::testing::Test {};
TYPED_TEST_SUITE(ReplayedUnusualTest, UnusualCells);

TYPED_TEST(ReplayedUnusualTest, AnswersAsStepByStep) {
  constexpr bool kPassesOn =  // a part of the state that is its input, or another part
      std::is_same_v<TypeParam, ReturnsItsState> || std::is_same_v<TypeParam, ReturnsX> ||
      std::is_same_v<TypeParam, KeepsXInItsState> || std::is_same_v<TypeParam, CopiesX> ||
      std::is_same_v<TypeParam, HasNineParts>;
  constexpr bool kTwice = std::is_same_v<TypeParam, AddsToXTwice>;  // a weight
  Recurrent<TypeParam> layer{TypeParam()};
  expect_same_as_step_by_step(layer, kIn, kHidden, !kPassesOn && !kTwice, true);
}

struct ReadsANumber : Hoisted {
  State step(Var x, const State& s) const {
    const Var h = tanh(recurrent(s.h, std::move(x)));
    return {h.value()(0, 0) > 0 ? h : h / real(2)};
  }
};
struct DerivesItsWeight : Hoisted {
  State step(Var x, const State& s) const {
    return {tanh(affine(s.h, tanh(Var(w)), std::move(x)))};
  }
};
struct HoldsAWeight : Hoisted {
  std::shared_ptr<Var> held = std::make_shared<Var>();
  Var project(const Var& x) const {
    *held = tanh(Var(w));
    return input(x);
  }
  State step(Var x, const State& s) const { return {tanh(affine(s.h, *held, std::move(x)))}; }
};
struct ReadsAnUntrainedWeight : Hoisted {
  ReadsAnUntrainedWeight() { w.trainable = false; }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
// An op of its own, which computes where no recorder sees it.
struct HasAnOpOfItsOwn : Hoisted {
  static Var negated(const Var& a) {
    return record("negated", std::array{a}, Array(-a.value()),
                  [](Pull& p) { p.give(0, [&] { return -p.dy(); }); });
  }
  State step(Var x, const State& s) const { return {tanh(negated(recurrent(s.h, std::move(x))))}; }
};
// A product with more rows than the batch, and one with a single row.
struct HasHeads : Hoisted {
  Parameter heads{random_array({kHidden / 2, kHidden / 2}, 34)};
  Parameter row{random_array({1, kHidden}, 35)}, of_row{random_array({kHidden, kHidden}, 36)};
  State step(Var x, const State& s) const {
    const Var each = affine(reshape(s.h, {-1, kHidden / 2}), heads);
    return {tanh(reshape(each, {-1, kHidden}) + x + affine(Var(row), of_row))};
  }
  static void fields(auto& self, auto&& visit) {
    Weights::fields(self, visit);
    visit("heads", self.heads);
    visit("row", self.row);
    visit("of_row", self.of_row);
  }
};
// Starts where it tends to: the parameter's gradient comes from the start and from the steps.
struct TendsToItsStart : Hoisted {
  Parameter rest{random_array({1, kHidden}, 37)};
  State initial_state(std::size_t) const { return {Var(rest)}; }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x))) + rest - s.h / real(2)};
  }
  static void fields(auto& self, auto&& visit) {
    Weights::fields(self, visit);
    visit("rest", self.rest);
  }
};
struct ReturnsWhatItHolds : HoistedTwoParts {
  std::shared_ptr<Var> held = std::make_shared<Var>();
  Var project(const Var& x) const {
    *held = tanh(Var(b)) * Var(full_array({3, kHidden}, 1));
    return input(x);
  }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x))) + s.memory, *held};
  }
};
struct ReturnsAWindowOfItsState : HoistedTwoParts {
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x))) + s.memory, reshape(s.memory, {-1, kHidden})};
  }
};
struct MentionsAWeightUnrecorded : Hoisted {
  Var norm() const {
    const PauseRecording pause;
    return sum(square(Var(w)));
  }
  State step(Var x, const State& s) const { return {tanh(s.h / norm() + x)}; }
};

template <class C>
void expect_step_by_step(bool is_replayed) {
  Recurrent<C> layer{C()};
  expect_same_as_step_by_step(layer, kIn, kHidden, is_replayed, true);
}

TEST(ReplayedTest, WhatCannotBeReplayedIsRecordedStepByStep) {
  expect_step_by_step<ReadsANumber>(false);
  expect_step_by_step<DerivesItsWeight>(false);
  expect_step_by_step<HoldsAWeight>(false);
  expect_step_by_step<HasAnOpOfItsOwn>(false);
  expect_step_by_step<ReturnsAWindowOfItsState>(false);
  expect_step_by_step<ReadsAnUntrainedWeight>(true);
  expect_step_by_step<HasHeads>(true);
}

TEST(ReplayedTest, AStartThatStepsReadTooGetsBothShares) {
  Recurrent<TendsToItsStart> layer{TendsToItsStart()};
  const auto slope = [&](const Maybe& checkpoint) {
    for (Parameter* parameter : parameters(layer)) parameter->zero_grad();
    Tape tape;
    const auto result = layer(Var(random_array({kLeast, 1, kIn}, 1)), {.checkpoint = checkpoint});
    tape.backward(sum(square(result.outputs)));
    return layer.cell.rest.grad();
  };
  EXPECT_LE(relative_error(slope({}), slope(kStepByStep)), kRounding);
}

TEST(ReplayedTest, AStateThatTheCellHoldsKeepsItsGradient) {
  Recurrent<ReturnsWhatItHolds> layer{ReturnsWhatItHolds()};
  const Problem p = random_problem<ReturnsWhatItHolds::State>(kLeast, 3, kIn, kHidden);
  std::size_t nodes = 0;
  const Answers actual = answers(layer, p, {}, &nodes);
  EXPECT_GE(nodes, kLeast);
  expect_near(actual, answers(layer, p, kStepByStep), kRounding);
}

TEST(ReplayedTest, AWeightMentionedUnrecordedIsAConstant) {
  Recurrent<MentionsAWeightUnrecorded> layer{MentionsAWeightUnrecorded()};
  Tape tape;
  const Var loss = sum(layer(Var(random_array({kLeast, 1, kIn}, 1))).outputs);
  EXPECT_LT(tape.size(), kLeast);
  tape.backward(loss);
  EXPECT_FALSE(layer.cell.w.has_grad());
}

TEST(ReplayedTest, AParameterChangedBeforeBackwardIsFound) {
  Recurrent<Lstm> layer(MakeLstm::make(3, 4));
  parameters(layer);
  Tape tape;
  const Var loss = sum(layer(Var(random_array({kLeast, 1, 3}, 1))).outputs);
  EXPECT_LT(tape.size(), kLeast);
  layer.cell.weight_hh.mutable_value()(0, 0) += 1;
  EXPECT_THROWS_WITH(tape.backward(loss), Error, "weight_hh_l0 was changed after its Var was made");
}

#endif

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
