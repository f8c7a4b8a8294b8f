// Dropout, zoneout and DropConnect within a layer, against the same by hand.
#include <reel/layers/stack.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kIn = 5, kHidden = 4, kSteps = 6;
const Lengths kLengths{3, 6, 0, 5};
const std::vector<std::size_t> kByFallingLength{1, 3, 0, 2};

// An LSTM-like cell with a place for dropout on its state.
struct Leaky {
  struct State {
    Var h, c;
  };
  Parameter weight_ih{random_array({kHidden, kIn}, 41)};
  Parameter weight_hh{random_array({kHidden, kHidden}, 42)};
  State initial_state(std::size_t n) const { return {zeros({n, kHidden}), zeros({n, kHidden})}; }
  Var project(const Var& x) const { return affine(x, weight_ih); }
  State step(Var x, const State& s, const Var& h) const {
    const Var c = s.c * real(0.5) + sin(affine(h, weight_hh, std::move(x)));
    return {tanh(c) + s.h * real(0.25), c};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
  }
};

Recurrent<Leaky> layer_with(RecurrentDropout dropout) {
  return Recurrent<Leaky>(Leaky(), {.dropout = std::move(dropout)});
}

struct Outcome {
  Array outputs, h, c, grad_ih, grad_hh, grad_x;
};
using Run = std::function<RecurrentResult<Leaky::State>(const Var& x)>;
Outcome outcome(const Leaky& cell, const Run& run, std::uint64_t seed = 3) {
  cell.weight_ih.zero_grad();
  cell.weight_hh.zero_grad();
  Tape tape;
  const Var x = tape.leaf(random_array({kSteps, kLengths.size(), kIn}, seed));
  const auto r = run(x);
  tape.backward(sum(sin(r.outputs)) + sum(r.state.h) + sum(square(r.state.c)));
  return {r.outputs.value(),     r.state.h.value(),     r.state.c.value(),
          cell.weight_ih.grad(), cell.weight_hh.grad(), x.grad()};
}
void expect_same(const Outcome& a, const Outcome& b, double tolerance = kRounding) {
  EXPECT_LE(relative_error(a.outputs, b.outputs), tolerance);
  EXPECT_LE(relative_error(a.h, b.h), tolerance);
  EXPECT_LE(relative_error(a.c, b.c), tolerance);
  EXPECT_LE(relative_error(a.grad_ih, b.grad_ih), tolerance);
  EXPECT_LE(relative_error(a.grad_hh, b.grad_hh), tolerance);
  EXPECT_LE(relative_error(a.grad_x, b.grad_x), tolerance);
}

// The mask that a layer draws first, its rows in the order of the batch.
Var mask_of(const Shape& shape, real p, std::uint64_t seed) {
  Random random(seed);
  const Var sorted = detail::dropout_mask(shape, p, random);
  Indices place = Indices::from_shape({kByFallingLength.size()});
  for (std::size_t i = 0; i < kByFallingLength.size(); ++i)
    place(kByFallingLength[i]) = static_cast<std::int64_t>(i);
  return gather(sorted, place);
}

// A layer's steps by hand on rows that all run, outputs and states cut where rows end.
using HandStep = std::function<Leaky::State(const Var& x, const Leaky::State&, std::size_t t)>;
RecurrentResult<Leaky::State> by_hand(const Leaky& cell, const Var& x, const HandStep& step) {
  const std::size_t batch = x.size(1);
  Leaky::State state = cell.initial_state(batch);
  std::vector<Var> outputs;
  for (std::size_t t = 0; t < kSteps; ++t) {
    Array runs = full_array({batch, 1}, 0);
    for (std::size_t row = 0; row < batch; ++row) runs(row, 0) = t < kLengths[row] ? 1 : 0;
    const Leaky::State next = step(index(x, 0, static_cast<std::ptrdiff_t>(t)), state, t);
    outputs.push_back(where(Var(runs), next.h, 0));
    state = {where(Var(runs), next.h, state.h), where(Var(runs), next.c, state.c)};
  }
  RecurrentResult<Leaky::State> result;
  result.outputs = stack(outputs, 0);
  result.state = state;
  return result;
}

TEST(RecurrentDropoutTest, WithoutRandomDropoutDoesNothing) {
  const auto noisy = layer_with({real(0.5), real(0.5), real(0.5), {}});
  const auto plain = layer_with({});
  expect_same(outcome(noisy.cell, [&](const Var& x) { return noisy(x, {.lengths = kLengths}); }),
              outcome(plain.cell, [&](const Var& x) { return plain(x, {.lengths = kLengths}); }),
              0);
}

TEST(RecurrentDropoutTest, OnInputsIsOneMaskForAllSteps) {
  const auto layer = layer_with({.inputs = real(0.4)});
  for (const bool full : {false, true}) {
    const Lengths lengths = full ? Lengths{} : kLengths;
    const auto noisy = outcome(layer.cell, [&](const Var& x) {
      Random random(9);
      return layer(x, {.lengths = lengths, .random = &random});
    });
    Random again(9);
    const Var mask =
        full ? detail::dropout_mask({4, kIn}, real(0.4), again) : mask_of({4, kIn}, real(0.4), 9);
    EXPECT_GT(xt::amax(mask.value())(), 1.6);
    EXPECT_EQ(xt::amin(mask.value())(), 0);
    expect_same(noisy, outcome(layer.cell, [&](const Var& x) {
                  return layer(x * mask, {.lengths = lengths});
                }));
  }
}

TEST(RecurrentDropoutTest, OnStatesMasksWhatTheWeightsSeeAndNothingElse) {
  const auto layer = layer_with({.states = real(0.4)});
  const auto noisy = outcome(layer.cell, [&](const Var& x) {
    Random random(9);
    return layer(x, {.lengths = kLengths, .random = &random});
  });
  const Var mask = mask_of({4, kHidden}, real(0.4), 9);
  expect_same(noisy, outcome(layer.cell, [&](const Var& x) {
                return by_hand(layer.cell, x,
                               [&](const Var& one, const Leaky::State& s, std::size_t) {
                                 return layer.cell.step(layer.cell.project(one), s, s.h * mask);
                               });
              }));
}

TEST(RecurrentDropoutTest, OnWeightsIsOneMaskForAllRowsAndSteps) {
  const auto layer = layer_with({.weights = real(0.4)});
  const auto noisy = outcome(layer.cell, [&](const Var& x) {
    Random random(9);
    return layer(x, {.lengths = kLengths, .random = &random});
  });
  Random random(9);
  const Array mask = detail::dropout_mask({kHidden, kHidden}, real(0.4), random).value();
  auto masked = layer_with({});
  masked.cell.weight_hh.mutable_value() *= mask;
  Outcome expected =
      outcome(masked.cell, [&](const Var& x) { return masked(x, {.lengths = kLengths}); });
  expected.grad_hh *= mask;
  expect_same(noisy, expected);
}

TEST(RecurrentDropoutTest, ZoneoutKeepsElementsOfTheState) {
  const auto layer = layer_with({.zoneout = {real(0.5), real(0.25)}});
  const Var x = random_array({kSteps, 4, kIn}, 3);
  Random random(9);
  const auto r = layer(x, {.all_states = true, .random = &random});
  std::size_t kept[2] = {0, 0};
  Leaky::State state = layer.cell.initial_state(4);
  for (std::size_t t = 0; t < kSteps; ++t) {
    const auto at = static_cast<std::ptrdiff_t>(t);
    const Leaky::State next = cell_step(layer.cell, index(x, 0, at), state);
    const Leaky::State actual{index(r.states->h, 0, at), index(r.states->c, 0, at)};
    const auto compare = [&](const Var& was, const Var& is, const Var& would, std::size_t part) {
      for (std::size_t i = 0; i < 4 * kHidden; ++i) {
        const real a = is.value().flat(i), b = was.value().flat(i), c = would.value().flat(i);
        EXPECT_TRUE(a == b || std::abs(a - c) <= kRounding);
        kept[part] += a == b ? 1 : 0;
      }
    };
    compare(state.h, actual.h, next.h, 0);
    compare(state.c, actual.c, next.c, 1);
    state = actual;
  }
  // 96 draws each: within four standard deviations
  EXPECT_NEAR(static_cast<double>(kept[0]), 48, 20);
  EXPECT_NEAR(static_cast<double>(kept[1]), 24, 17);
}

TEST(RecurrentDropoutTest, ZoneoutTakesItsMeanWithoutRandom) {
  const auto layer = layer_with({.zoneout = {real(0.25)}});
  const auto mean = [](const Var& was, const Var& next) -> Var {
    return real(0.25) * was + real(0.75) * next;
  };
  expect_same(outcome(layer.cell, [&](const Var& x) { return layer(x, {.lengths = kLengths}); }),
              outcome(layer.cell, [&](const Var& x) {
                return by_hand(layer.cell, x,
                               [&](const Var& one, const Leaky::State& s, std::size_t) {
                                 const auto next = cell_step(layer.cell, one, s);
                                 return Leaky::State{mean(s.h, next.h), mean(s.c, next.c)};
                               });
              }));
  const Var x = random_array({4, kIn}, 3);
  const Leaky::State start{random_array({4, kHidden}, 4), random_array({4, kHidden}, 5)};
  const auto [output, state] = layer.step(x, start);
  EXPECT_TRUE(
      same_bits(output.value(), layer(reshape(x, {1, 4, kIn}), {.state = start}).state.h.value()));
}

TEST(RecurrentDropoutTest, CheckpointsDrawTheSameAgain) {
  const auto layer = layer_with({real(0.3), real(0.3), real(0.3), {real(0.3), real(0.2)}});
  const auto run = [&](std::optional<Checkpointing> checkpoint) {
    return outcome(layer.cell, [&](const Var& x) {
      Random random(9);
      return layer(x, {.lengths = kLengths, .random = &random, .checkpoint = checkpoint});
    });
  };
  expect_same(run({}), run(Checkpointing{.block = 2}), 0);
}

TEST(RecurrentDropoutTest, PaddingIsNotRead) {
  const auto layer = layer_with({real(0.3), real(0.3), real(0.3), {real(0.3), real(0.2)}});
  const auto run = [&](real padding) {
    Array x = random_array({kSteps, 4, kIn}, 3);
    for (std::size_t t = 0; t < kSteps; ++t)
      for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t i = 0; i < kIn; ++i)
          if (t >= kLengths[row]) x(t, row, i) = padding;
    Random random(9);
    return layer(Var(x), {.lengths = kLengths, .random = &random}).outputs.value();
  };
  EXPECT_TRUE(same_bits(run(0), run(std::numeric_limits<real>::quiet_NaN())));
}

TEST(RecurrentDropoutTest, MasksAreFairAndScaled) {
  Random random(5);
  const Array mask = detail::dropout_mask({1000, 100}, real(0.3), random).value();
  double zeros = 0;
  for (const real m : mask.storage()) {
    EXPECT_TRUE(m == 0 || m == 1 / (1 - real(0.3)));
    zeros += m == 0 ? 1 : 0;
  }
  EXPECT_NEAR(zeros / 1e5, 0.3, 6e-3);  // four standard deviations
}

TEST(StackDropoutTest, IsDrawnBetweenLayers) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 3};
  const auto stack = make_stack<Lstm>(kIn, sizes, random, {.dropout = real(0.5)});
  const Var x = random_array({kSteps, 4, kIn}, 3);
  Random a(9), b(9);
  const Var below = stack.layers[0](x).outputs;
  EXPECT_TRUE(same_bits(stack(x, {.random = &a}).outputs.value(),
                        stack.layers[1](dropout(below, real(0.5), b)).outputs.value()));
  EXPECT_TRUE(same_bits(stack(x).outputs.value(), stack.layers[1](below).outputs.value()));
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
