// Cells that do with x, state and projection what the built-in ones do not. The layer lets a step
// overwrite its rows of the hoisted product; nothing that a cell still reads may change by that.
#include <reel/autodiff/gradcheck.hpp>

#include <memory>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kIn = 3, kHidden = 4;

struct Weights {
  Parameter u{random_array({kHidden, kIn}, 31) / 2};
  Parameter w{random_array({kHidden, kHidden}, 32) / 2};
  Parameter b{random_array({kHidden}, 33)};

  Var input(const Var& x) const { return affine(x, u, b); }
  Var recurrent(const Var& h, Var x) const { return affine(h, w, std::move(x)); }
  static Var zero(std::size_t batch) { return zeros({batch, kHidden}); }
  static void fields(auto& self, auto&& visit) {
    visit("u", self.u);
    visit("w", self.w);
    visit("b", self.b);
  }
};

struct OnePart : Weights {
  struct State {
    Var h;
  };
  State initial_state(std::size_t batch) const { return {zero(batch)}; }
};
struct TwoParts : Weights {
  struct State {
    Var h, memory;
  };
  State initial_state(std::size_t batch) const { return {zero(batch), zero(batch)}; }
};
struct Hoisted : OnePart {
  Var project(const Var& x) const { return input(x); }
};
struct HoistedTwoParts : TwoParts {
  Var project(const Var& x) const { return input(x); }
};

struct WithoutProject : OnePart {
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, input(x)))}; }
};
struct KeepsXInItsState : HoistedTwoParts {
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, x) + s.memory), x}; }
};
struct CopiesX : HoistedTwoParts {
  State step(Var x, const State& s) const {
    const Var copy = x;
    return {tanh(recurrent(s.h, std::move(x)) * s.memory), copy};
  }
};
struct ReadsXBefore : Hoisted {
  State step(Var x, const State& s) const {
    const Var gate = sigmoid(x);
    return {gate * tanh(recurrent(s.h, std::move(x)))};
  }
};
struct ReadsXAfter : Hoisted {
  State step(Var x, const State& s) const {
    const Var a = recurrent(s.h, x);
    return {tanh(a) + square(x)};
  }
};
struct AddsToXTwice : Hoisted {
  State step(Var x, const State& s) const {
    const Var a = recurrent(s.h, x);
    return {tanh(a) + sin(recurrent(square(s.h), std::move(x)))};
  }
};
struct SplitsXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const auto [low, high] = split<2>(x);
    const Var a = tanh(recurrent(s.h, std::move(x)));
    return {a * concat({high, low}, -1)};
  }
};
struct SlicesXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const Var first = slice(x, -1, 0, 1);
    return {tanh(recurrent(s.h, std::move(x))) * first};
  }
};
struct ReshapesXAndMovesIt : Hoisted {
  State step(Var x, const State& s) const {
    const Var flat = reshape(x, {-1});
    const Var a = tanh(recurrent(s.h, std::move(x)));
    return {a * reshape(flat, {-1, kHidden})};
  }
};
struct StopsTheGradientOfX : HoistedTwoParts {
  State step(Var x, const State& s) const {
    const Var constant = stop_gradient(x);
    return {tanh(recurrent(s.h, std::move(x))) * s.memory, constant};
  }
};
struct ProjectsByTanh : OnePart {
  Var project(const Var& x) const { return tanh(input(x)); }
  State step(Var x, const State& s) const { return {sin(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsBySoftmax : OnePart {
  Var project(const Var& x) const { return softmax(input(x)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsByReshape : OnePart {
  Var project(const Var& x) const { return reshape(input(x), {-1, 2, kHidden / 2}); }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, reshape(std::move(x), {-1, kHidden})))};
  }
};
struct ProjectsByTwoAffines : OnePart {
  Var project(const Var& x) const { return affine(square(input(x)), w, input(x)); }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, std::move(x)))}; }
};
struct ProjectsToXItself : OnePart {
  Var project(const Var& x) const { return x; }
  State step(Var x, const State& s) const { return {tanh(recurrent(s.h, input(x)))}; }
};
// Reads its own projection again at every step, as attention over the inputs would.
struct KeepsTheProjection : OnePart {
  std::shared_ptr<Var> kept = std::make_shared<Var>();
  Var project(const Var& x) const { return *kept = input(x); }
  State step(Var x, const State& s) const {
    const Var all = mean(*kept, {0}, true);
    return {tanh(recurrent(s.h, std::move(x))) + all};
  }
};
struct ReadsTheProjectionFirst : OnePart {
  std::shared_ptr<Var> squared = std::make_shared<Var>();
  Var project(const Var& x) const {
    const Var y = input(x);
    *squared = mean(square(y), {0}, true);
    return y;
  }
  State step(Var x, const State& s) const {
    return {tanh(recurrent(s.h, std::move(x))) + *squared};
  }
};
struct ReturnsItsState : Hoisted {
  State step(Var, const State& s) const { return s; }
};
struct ReturnsX : Hoisted {
  State step(Var x, const State&) const { return {x}; }
};
struct ReturnsTheBareProduct : Hoisted {
  State step(Var x, const State& s) const { return {recurrent(s.h, std::move(x))}; }
};
struct ReturnsViewsOfOneArray : OnePart {
  struct State {
    Var h, c, d, e;
  };
  State initial_state(std::size_t n) const { return {zero(n), zero(n), zero(n), zero(n)}; }
  Var project(const Var& x) const { return concat({input(x), square(input(x))}, -1); }
  State step(Var x, const State& s) const {
    const auto [a, b] = split<2>(x);
    return {sin(a + s.e), a, b, tanh(recurrent(s.c, b * s.d))};
  }
};

template <class C>
struct UnusualCellsTest : ::testing::Test {};
using UnusualCells =
    ::testing::Types<WithoutProject, KeepsXInItsState, CopiesX, ReadsXBefore, ReadsXAfter,
                     AddsToXTwice, SplitsXAndMovesIt, SlicesXAndMovesIt, ReshapesXAndMovesIt,
                     StopsTheGradientOfX, ProjectsByTanh, ProjectsBySoftmax, ProjectsByReshape,
                     ProjectsByTwoAffines, ProjectsToXItself, ReturnsItsState, ReturnsX,
                     ReturnsTheBareProduct, ReturnsViewsOfOneArray>;
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
  // What stop_gradient hides, finite differences see.
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

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
