// Cells that do what the built-in ones do not (unusual_cells.hpp). The layer lets a step
// overwrite its rows of the hoisted product; nothing that a cell still reads may change by that.
#include <reel/autodiff/gradcheck.hpp>

#include "../autodiff/throws.hpp"
#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

template <class C>
struct UnusualCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(UnusualCellsTest, UnusualCells);

// Outputs and final state of a loop of steps, each of which owns its x.
template <class C>
std::pair<Var, typename C::State> loop_of_steps(const C& cell, const Var& x,
                                                typename C::State state) {
  std::vector<Var> outputs;
  for (std::ptrdiff_t t = 0; t < static_cast<std::ptrdiff_t>(x.size(0)); ++t) {
    if constexpr (Projecting<C>)
      state = cell.step(cell.project(index(x, 0, t)) * Var(real(1)), state);
    else
      state = cell.step(index(x, 0, t), state);
    outputs.push_back(*state_parts(state)[0]);
  }
  return {stack(outputs, 0), state};
}

TYPED_TEST(UnusualCellsTest, AreALoopOfSteps) {
  using State = typename TypeParam::State;
  Recurrent<TypeParam> layer{TypeParam()};
  const Problem p = random_problem<State>(6, 3, kIn, kHidden);
  const Answers expected = answers_of<State>(
      p, parameters(layer),
      [&](const Var& x, const State& state) { return loop_of_steps(layer.cell, x, state); });
  expect_near(answers_of(layer, p), expected, kRounding);
}

// Where nothing is recorded, no tape holds what a step still reads.
TYPED_TEST(UnusualCellsTest, WithoutATapeTheValuesAreTheSame) {
  using State = typename TypeParam::State;
  Recurrent<TypeParam> layer{TypeParam()};
  const Problem p = random_problem<State>(6, 3, kIn, kHidden);
  const State state = make_state<State>(std::vector<Var>(p.initial.begin(), p.initial.end()));
  EXPECT_LE(relative_error(layer(Var(p.x), {.state = state}).outputs.value(),
                           answers_of(layer, p).at("outputs")),
            kRounding);
}

#ifdef REEL_DOUBLE  // which finite differences need

template <class C>
GradcheckResult check_gradients(const Lengths& lengths) {
  using State = typename C::State;
  Recurrent<C> layer{C()};
  const Problem p = random_problem<State>(4, lengths.size(), kIn, kHidden, lengths);
  std::vector<Array> inputs = p.initial;
  inputs.push_back(p.x);
  const auto outputs = [&](std::span<const Var> v) {
    const State state = make_state<State>({v.begin(), v.end() - 1});
    const auto result = layer(v.back(), {.lengths = lengths, .state = state});
    std::vector<Var> all{reshape(result.outputs, {-1})};
    State last = result.state;
    for (const Var* part : state_parts(last)) all.push_back(reshape(*part, {-1}));
    return concat(all, 0);
  };
  // These curve sharply: a shorter step, so that its fourth power is below the tolerance.
  return gradcheck(outputs, inputs, parameters(layer), {.step = 2e-4});
}

TYPED_TEST(UnusualCellsTest, HaveRightFirstAndSecondDerivatives) {
  // What detach hides, finite differences see.
  const bool right = !std::is_same_v<TypeParam, StopsTheGradientOfX>;
  for (const Lengths& lengths : {Lengths{4, 4}, Lengths{1, 4, 0, 3}}) {
    const GradcheckResult result = check_gradients<TypeParam>(lengths);
    EXPECT_EQ(result.ok, right) << result.message;
  }
}

#endif

template <class C>
struct CellsThatShareTheirProjectionTest : ::testing::Test {};
using CellsThatShareTheirProjection = ::testing::Types<KeepsTheProjection, ReadsTheProjectionFirst>;
TYPED_TEST_SUITE(CellsThatShareTheirProjectionTest, CellsThatShareTheirProjection);

TYPED_TEST(CellsThatShareTheirProjectionTest, ReadWhatTheyProjected) {
  using State = typename TypeParam::State;
  Recurrent<TypeParam> layer{TypeParam()};
  const Problem p = random_problem<State>(5, 2, kIn, kHidden);
  const Answers expected = answers_of<State>(p, parameters(layer), [&](const Var& x, State state) {
    const Var projected = layer.cell.project(reshape(x, {10, kIn}));
    std::vector<Var> outputs;
    for (std::ptrdiff_t t = 0; t < 5; ++t) {
      state = layer.cell.step(slice(projected, 0, 2 * t, 2 * t + 2) * Var(real(1)), state);
      outputs.push_back(state.h);
    }
    return std::pair(stack(outputs, 0), state);
  });
  expect_near(answers_of(layer, p), expected, kRounding);
  const auto untaped = layer(Var(p.x), {.state = State{Var(p.initial[0])}});
  EXPECT_LE(relative_error(untaped.outputs.value(), expected.at("outputs")), kRounding);
}

struct HasNoState {
  using State = std::vector<Var>;
  State initial_state(std::size_t) const { return {}; }
  State step(const Var&, const State& s) const { return s; }
  static void fields(auto&, auto&&) {}
};

TEST(UnusualCells, AStateMustHaveAPart) {
  const Recurrent layer(HasNoState{});
  EXPECT_THROWS_WITH(layer(zeros({2, 1, 3})), Error,
                     "recurrent: the state of a cell must have a part; got none");
}

// A cell as wrong as it is told to be.
struct Careless {
  struct State {
    std::vector<Var> parts;
  };
  std::size_t started = 2;  // rows of the initial state, of two parts
  Shape made{2, 3};
  std::size_t parts = 2;
  bool keeps_rows = false;  // of part 1, when some have ended

  State initial_state(std::size_t batch) const {
    return {{zeros({batch, 3}), zeros({batch == 1 ? 1 : started})}};
  }
  State step(const Var& x, const State& s) const {
    State next;
    for (std::size_t i = 0; i < parts; ++i) {
      const Var given = s.parts[std::min<std::size_t>(i, 1)];
      next.parts.push_back(i > 0 || x.size(0) == 1 ? given : zeros(made));
    }
    if (keeps_rows) next.parts[1] = zeros({2});
    return next;
  }
  static void fields(auto&, auto&&) {}
};

TEST(UnusualCells, WhatACellReturnsIsChecked) {
  const auto refuses = [](const Careless& cell, const std::string& text) {
    const Recurrent layer(cell);
    EXPECT_THROWS_WITH(layer(zeros({4, 2, 3})), ShapeError, text);
    {
      Tape tape;
      EXPECT_THROWS_WITH(layer(tape.leaf(empty_array({4, 2, 3}))), ShapeError, text);
    }
    const auto step = [&] { return layer.step(zeros({2, 3}), layer.initial_state(2)); };
    EXPECT_THROWS_WITH(step(), ShapeError, text);
  };
  refuses({.started = 3},
          "recurrent: part 1 of a cell's initial_state(2) must be [2, ..]; got [3]");
  refuses(
      {.made = {2, 4}},
      "recurrent: a cell's step must return part 0 of its state as [2, 3], as it was given; got "
      "[2, 4]");
  refuses({.parts = 1},
          "recurrent: a cell's step must return a state of 2 parts, as it was given; got 1");
  const Recurrent zoned(Careless{.parts = 3}, {.dropout = {.zoneout = {0.5}}});
  EXPECT_THROWS_WITH(
      zoned(zeros({4, 2, 3})), ShapeError,
      "recurrent: a cell's step must return a state of 2 parts, as it was given; got 3");
}

// A part that is another one after the first step.
struct Widens {
  struct State {
    Var h, part;
  };
  Shape after;
  State initial_state(std::size_t batch) const { return {zeros({batch, 3}), zeros({batch})}; }
  State step(const Var&, const State& s) const { return {s.h, zeros(after)}; }
  static void fields(auto&, auto&&) {}
};

TEST(UnusualCells, StatesOfAllStepsKeepTheirShape) {
  const Recurrent layer(Widens{.after = {2, 5}});
  EXPECT_EQ(layer(zeros({4, 2, 3})).state.part.shape(), (Shape{2, 5}));
  EXPECT_THROWS_WITH(layer(zeros({4, 2, 3}), {.all_states = true}), ShapeError,
                     "recurrent: where states of all steps are asked for, they must keep their "
                     "shape, here [2]; got [2, 5]");
}

// A part of the state grows.
struct Remembers {
  struct State {
    Var h, all;
  };
  State initial_state(std::size_t batch) const { return {zeros({batch, kIn}), zeros({batch, 1})}; }
  State step(const Var& x, const State& s) const {
    const Var h = tanh(x + s.h + mean(s.all));
    return {h, concat({s.all, h}, 1)};
  }
  static void fields(auto&, auto&&) {}
};

// Also where outputs are laid out beforehand: in blocks, and with checkpoints.
TEST(UnusualCells, APartOfTheStateMayGrow) {
  const Array x = random_array({700, 1, kIn}, 1);
  const Recurrent layer{Remembers()};
  Tape tape;
  const auto run = [&](const std::optional<Checkpointing>& checkpoint) {
    const Var leaf = tape.leaf(x);
    const auto result = layer(leaf, {.checkpoint = checkpoint});
    tape.backward(sum(result.state.all) + sum(result.outputs));
    return std::tuple{Array(result.outputs.value()), Array(result.state.all.value()), leaf.grad()};
  };
  const auto plain = run({});
  EXPECT_EQ(run(Checkpointing{.states = 3}), plain);
  const PauseRecording pause;
  const auto result = layer(Var(x));
  EXPECT_EQ(Array(result.outputs.value()), std::get<0>(plain));
  EXPECT_EQ(Array(result.state.all.value()), std::get<1>(plain));
}

TEST(UnusualCells, WhatACellReturnsIsCheckedWhenRowsHaveEnded) {
  const Recurrent layer(Careless{.keeps_rows = true});
  const Lengths lengths{4, 2};
  for (const bool all : {false, true})
    EXPECT_THROWS_WITH(
        layer(zeros({4, 2, 3}), {.lengths = lengths, .all_states = all}), ShapeError,
        "recurrent: a cell's step must return part 1 of its state as [1, ..], as it was "
        "given; got [2]");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
