// Stacks and both directions, against what they are made of.
#include <reel/layers/stack.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kIn = 5, kSteps = 6;
const Lengths kLengths{3, 6, 0, 5};

std::vector<Var> sequence_of(const Var& all) {
  std::vector<Var> steps;
  for (std::size_t t = 0; t < all.size(0); ++t)
    steps.push_back(index(all, 0, static_cast<std::ptrdiff_t>(t)));
  return steps;
}

Var random_input(std::uint64_t seed = 3) {
  return random_array({kSteps, kLengths.size(), kIn}, seed);
}

void expect_same(const Var& a, const Var& b, const char* what) {
  EXPECT_TRUE(same_bits(a.value(), b.value()))
      << what << " differs by " << relative_error(a.value(), b.value());
}

template <class State>
void expect_same_states(State a, State b) {
  const auto x = state_parts(a), y = state_parts(b);
  ASSERT_EQ(x.size(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) expect_same(*x[i], *y[i], "state");
}

TEST(StackTest, IsOneLayerAfterTheOther) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 7, 3};
  const auto stack = make_stack<Lstm>(kIn, sizes, random);
  EXPECT_EQ(stack.width(), 3u);
  const Var x = random_input();
  const auto all = stack(x, {.lengths = kLengths});
  Var y = x;
  for (std::size_t l = 0; l < 3; ++l) {
    const auto one = stack.layers[l](y, {.lengths = kLengths});
    expect_same_states(one.state, all.state[l]);
    y = one.outputs;
  }
  expect_same(all.outputs, y, "outputs");
  expect_same(all.last(), all.state[2].h, "last");
}

TEST(StackTest, ResidualLayersAddWhatEntersThem) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 4};
  const auto stack = make_stack<Gru>(kIn, sizes, random, {.residual = true});
  const Var x = random_input();
  const auto all = stack(x, {.lengths = kLengths});
  const auto a = stack.layers[0](x, {.lengths = kLengths});
  const auto b = stack.layers[1](a.outputs, {.lengths = kLengths});
  expect_same(all.outputs, a.outputs + b.outputs, "outputs");
  expect_same(all.last(), b.last() + a.last(), "last");
}

TEST(StackTest, StepsAreTheSequence) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 4};
  const auto stack = make_stack<Gru>(kIn, sizes, random, {.residual = true});
  const Var x = random_input();
  auto state = stack.initial_state(4);
  std::vector<Var> outputs;
  for (const Var& step : sequence_of(x)) {
    auto [output, next] = stack.step(step, state);
    outputs.push_back(output);
    state = next;
  }
  const auto all = stack(x);
  expect_same(reel::stack(outputs, 0), all.outputs, "outputs");
  expect_same_states(state, all.state);
}

TEST(BidirectionalTest, IsACellEachWayMerged) {
  Random random(1);
  const Gru forward(kIn, 4, random);
  const Lstm backward(kIn, 4, random);
  const Var x = random_input();
  const Recurrent f{forward};
  const Recurrent b{backward};
  const auto there = f(x, {.lengths = kLengths});
  const auto back = b(x, {.lengths = kLengths, .reversed = true});
  const auto merged = [&](Merge merge) {
    return Bidirectional<Gru, Lstm>(forward, backward, {.merge = std::move(merge)})(
        x, {.lengths = kLengths});
  };
  const Var ys = there.outputs, zs = back.outputs;
  expect_same(merged(Merge::kConcat).outputs, concat({ys, zs}, -1), "concat");
  expect_same(merged(Merge::kSum).outputs, ys + zs, "sum");
  expect_same(merged(Merge::kMean).outputs, (ys + zs) / 2, "mean");
  expect_same(merged(Merge::kProduct).outputs, ys * zs, "product");
  expect_same(merged(Merge::kConcat).last(), concat({there.last(), back.last()}, -1), "last");
  expect_same_states(merged(Merge::kSum).state.backward, back.state);
}

TEST(BidirectionalTest, WhatAFunctionMakesOfPaddingIsZero) {
  Random random(1);
  const Merge own([](const Var& f, const Var& b) -> Var { return exp(f) + slice(b, -1, 0, 1); });
  const Bidirectional<Gru> layer(Gru(kIn, 4, random), Gru(kIn, 4, random), {.merge = own});
  for (const bool batch_first : {false, true}) {
    const Var x = batch_first ? Var(permute(random_input(), {1, 0, 2})) : random_input();
    const Var y = layer(x, {.lengths = kLengths, .batch_first = batch_first}).outputs;
    for (std::size_t t = 0; t < kSteps; ++t)
      for (std::size_t row = 0; row < kLengths.size(); ++row) {
        const real first = batch_first ? y.value()(row, t, 0) : y.value()(t, row, 0);
        EXPECT_EQ(first == 0, t >= kLengths[row]);
      }
  }
}

template <class Layer>
void check_batch_first(const Layer& layer) {
  const Var x = random_input();
  const auto a = layer(x, {.lengths = kLengths, .all_states = true});
  const auto b =
      layer(permute(x, {1, 0, 2}), {.lengths = kLengths, .all_states = true, .batch_first = true});
  expect_same(permute(a.outputs, {1, 0, 2}), b.outputs, "outputs");
  expect_same_states(a.state, b.state);
  auto states = *a.states;
  for_each_part(states, [](Var& part) { part = permute(part, {1, 0, 2}); });
  expect_same_states(states, *b.states);
}

TEST(BatchFirstTest, IsTimeFirstWithItsAxesExchanged) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 3};
  check_batch_first(Recurrent(Lstm(kIn, 4, random)));
  check_batch_first(make_stack<Lstm>(kIn, sizes, random));
  check_batch_first(make_bidirectional_stack<Lstm>(kIn, sizes, random));
}

TEST(AllStatesTest, AreTheFinalStatesOfShorterSequences) {
  Random random(1);
  const Recurrent layer{Lstm(kIn, 4, random)};
  const Var x = random_input();
  const auto all = layer(x, {.lengths = kLengths, .all_states = true});
  expect_same(all.states->h, all.outputs, "outputs");
  for (std::size_t t = 1; t <= kSteps; ++t) {
    Lengths cut = kLengths;
    for (std::size_t& length : cut) length = std::min(length, t);
    const auto shorter = layer(x, {.lengths = cut});
    for (std::size_t row = 0; row < cut.size(); ++row)
      for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(all.states->c.value()(t - 1, row, i),
                  t <= kLengths[row] ? shorter.state.c.value()(row, i) : 0);
  }
}

TEST(AllStatesTest, GiveTheirGradientWithCheckpointsToo) {
  Random random(1);
  Recurrent layer{Lstm(kIn, 4, random)};
  const auto gradient = [&](std::optional<Checkpointing> checkpoint) {
    layer.cell.weight_hh.zero_grad();
    Tape tape;
    const auto all =
        layer(random_input(), {.lengths = kLengths, .all_states = true, .checkpoint = checkpoint});
    tape.backward(sum(square(all.states->c)) + sum(all.outputs) + sum(all.state.c));
    return layer.cell.weight_hh.grad();
  };
  const Array plain = gradient({});
  EXPECT_NE(plain(0, 0), 0);
  EXPECT_TRUE(same_bits(plain, gradient(Checkpointing{.block = 2})));
}

TEST(LearnedStartTest, IsTheInitialStateAndGetsAGradient) {
  Random random(1);
  Recurrent<Lstm> layer(Lstm(kIn, 4, random), {.learned_start = true});
  ASSERT_EQ(layer.start.size(), 2u);
  EXPECT_EQ(parameters(layer).back()->name, "initial_state_1_l0");
  layer.start[0].mutable_value() = random_array({4}, 5);
  layer.start[1].mutable_value() = random_array({4}, 6);
  const Var h = expand(Var(layer.start[0].value()), {4, 4});
  const Var c = expand(Var(layer.start[1].value()), {4, 4});
  Tape tape;
  const Var given_h = tape.leaf(h.value()), given_c = tape.leaf(c.value());
  const auto given =
      layer(random_input(), {.lengths = kLengths, .state = Lstm::State{given_h, given_c}});
  const auto learned = layer(random_input(), {.lengths = kLengths});
  expect_same(given.outputs, learned.outputs, "outputs");
  tape.backward(sum(given.outputs) + sum(learned.outputs) + sum(given.state.c) +
                sum(learned.state.c));
  EXPECT_LE(relative_error(layer.start[0].grad(), sum(Var(given_h.grad()), {0}).value()),
            kRounding);
  EXPECT_LE(relative_error(layer.start[1].grad(), sum(Var(given_c.grad()), {0}).value()),
            kRounding);
}

// Any number of parts, of any shape, in any arrangement.
struct WideMemory {
  struct Inner {
    Var memory, clock;
  };
  struct State {
    Var h;
    std::array<Inner, 2> inner;
    std::vector<Var> more;
  };
  Parameter w{random_array({4, kIn}, 8)};
  State initial_state(std::size_t n) const {
    const Inner inner{zeros({n, 2, 3}), zeros({n, 1})};
    return {zeros({n, 4}), {inner, inner}, {zeros({n, 4}), zeros({n, 5}), zeros({n, 1, 1, 2})}};
  }
  State step(const Var& x, const State& s) const {
    State next = s;
    const Var a = affine(x, w);
    next.h = tanh(a + s.h + sum(s.inner[0].memory, {1, 2}, false).size() * real(0.01) + s.more[0]);
    next.inner[0].memory = s.inner[0].memory * real(0.5) + reshape(mean(a, {1}, true), {-1, 1, 1});
    next.inner[1].clock = s.inner[1].clock + 1;
    next.more[0] = sin(s.more[0] + a);
    next.more[2] = s.more[2] + reshape(slice(a, 1, 0, 2), {-1, 1, 1, 2});
    return next;
  }
  static void fields(auto& self, auto&& visit) { visit("w", self.w); }
};

TEST(StateTest, MayHaveAnyNumberOfPartsOfAnyShape) {
  Recurrent layer{WideMemory()};
  const Var x = random_input();
  const auto all = layer(x, {.lengths = kLengths, .all_states = true});
  EXPECT_EQ(state_parts(all.state).size(), 8u);
  EXPECT_EQ(all.states->inner[0].memory.shape(), (Shape{kSteps, 4, 2, 3}));
  for (std::size_t row = 0; row < kLengths.size(); ++row)
    EXPECT_EQ(all.state.inner[1].clock.value()(row, 0), static_cast<real>(kLengths[row]));
  auto state = layer.cell.initial_state(4);
  for (const Var& step : sequence_of(x)) state = layer.cell.step(step, state);
  expect_same_states(state, layer(x).state);

  const auto gradient = [&](std::optional<Checkpointing> checkpoint) {
    layer.cell.w.zero_grad();
    Tape tape;
    const auto r = layer(x, {.lengths = kLengths, .checkpoint = checkpoint});
    tape.backward(sum(square(r.state.inner[0].memory)) + sum(r.outputs) + sum(r.state.more[2]));
    return layer.cell.w.grad();
  };
  EXPECT_TRUE(same_bits(gradient({}), gradient(Checkpointing{.block = 2})));
}

// A part of what a cell projects is its input as it is.
struct WithSkip {
  struct State {
    Var h;
  };
  struct Projected {
    Var gate, skip;
  };
  Parameter w{random_array({kIn, kIn}, 9)};
  State initial_state(std::size_t n) const { return {zeros({n, kIn})}; }
  Projected project(const Var& x) const { return {affine(x, w), x}; }
  State step(Projected x, const State& s) const {
    return {sigmoid(x.gate + s.h) * x.skip + tanh(affine(s.h, w, x.gate))};
  }
  static void fields(auto& self, auto&& visit) { visit("w", self.w); }
};

TEST(ProjectionTest, MayHaveSeveralParts) {
  Recurrent layer{WithSkip()};
  const Problem p = random_problem<WithSkip::State>(kSteps, 4, kIn, kIn);
  const auto loop = [&](const Var& x, WithSkip::State state) {
    std::vector<Var> outputs;
    for (const Var& step : sequence_of(x)) {
      state = layer.cell.step(layer.cell.project(step * Var(real(1))), state);
      outputs.push_back(state.h);
    }
    return std::pair(reel::stack(outputs, 0), state);
  };
  expect_near(answers_of(layer, p), answers_of<WithSkip::State>(p, parameters(layer), loop),
              kRounding);
}

TEST(StackTest, RunsAsTheReadmeSays) {
  constexpr std::size_t in = kIn;
  Random random(1);
  const Var x = permute(random_input(), {1, 0, 2});
  const auto& lengths = kLengths;
  const std::vector<std::vector<real>> samples(3, std::vector<real>(in, 1));
  std::vector<real> seen;
  const auto use = [&](std::span<const real> y) { seen.assign(y.begin(), y.end()); };
  // [layers]
  const std::size_t hidden[] = {64, 32};
  const auto encoder = make_bidirectional_stack<Gru>(in, hidden, random, {.dropout = 0.2});
  const auto result = encoder(x, {.lengths = lengths, .batch_first = true, .random = &random});
  // result.outputs [B, T, 64], result.last() [B, 64], result.state[1].backward.h [B, 32]

  const auto forecaster = make_stack<Lstm>(in, hidden, random);
  auto stream = forecaster.stream(1, in);  // bit for bit what the layer gives for the sequence
  for (const auto& sample : samples) use(stream.step(sample));  // takes no memory and no lock
  // [/layers]
  EXPECT_EQ(result.outputs.shape(), (Shape{4, kSteps, 64}));
  EXPECT_EQ(result.last().shape(), (Shape{4, 64}));
  EXPECT_EQ(result.state[1].backward.h.shape(), (Shape{4, 32}));
  EXPECT_EQ(Array(forecaster(Var(full_array({3, 1, in}, 1))).last().value())(0, 31), seen[31]);
}

template <class E, class Act>
void expect_error(const std::string& text, Act&& act) {
  try {
    act();
    ADD_FAILURE() << "nothing thrown for " << text;
  } catch (const E& error) {
    EXPECT_NE(std::string(error.what()).find(text), std::string::npos) << error.what();
  }
}

TEST(RecurrentErrorsTest, NameTheRuleAndWhatWasFound) {
  Random random(1);
  const std::vector<std::size_t> sizes{4, 4};
  const auto stack = make_stack<Lstm>(kIn, sizes, random);
  const Var x = random_input();
  const auto with_lengths = [&](Lengths lengths) { stack(x, {.lengths = lengths}); };
  expect_error<ShapeError>("must not be negative; got -1 for row 2", [&] {
    with_lengths({1, 2, static_cast<std::size_t>(-1), 3});
  });
  expect_error<ShapeError>("must not exceed the 6 steps of x; got 7 for row 0", [&] {
    with_lengths({7, 1, 1, 1});
  });
  expect_error<ShapeError>("got 3 lengths for a batch of 4", [&] { with_lengths({1, 1, 1}); });
  expect_error<ShapeError>("one state for each of 2 layers; got 1", [&] {
    auto state = stack.initial_state(4);
    state.pop_back();
    stack(x, {.state = state});
  });
  expect_error<ShapeError>("one state for each of 2 layers; got 3", [&] {
    auto state = stack.initial_state(4);
    state.push_back(state[0]);
    stack.step(index(x, 0, 0), state);
  });
  expect_error<ShapeError>("part 1 of the initial state must be [4, 4]; got [1, 4]", [&] {
    auto state = stack.initial_state(4);
    state[1].c = zeros({1, 4});
    stack.step(index(x, 0, 0), state);
  });
  expect_error<ShapeError>("x must be [B, T, in]; got [6, 20]", [&] {
    stack(reshape(x, {6, 20}), {.batch_first = true});
  });
  expect_error<ShapeError>("part 0 of the initial state must be [4, 4]; got [3, 4]",
                           [&] { stack(x, {.state = stack.initial_state(3)}); });
  expect_error<ShapeError>("layer 1 must take the 4 numbers that layer 0 gives", [&] {
    Stack<Recurrent<Gru>>({Recurrent(Gru(kIn, 4, random)), Recurrent(Gru(5, 4, random))});
  });
  expect_error<ShapeError>("residual layers must be equally wide; got 4 for layer 0, 3", [&] {
    make_stack<Gru>(kIn, std::vector<std::size_t>{4, 3}, random, {.residual = true});
  });
  expect_error<ShapeError>("both directions must be equally wide", [&] {
    Bidirectional<Gru>(Gru(kIn, 4, random), Gru(kIn, 3, random), {.merge = Merge::kSum});
  });
  expect_error<ShapeError>("must differ in the last axis alone", [&] {
    const Merge sums([](const Var& f, const Var&) { return sum(f); });
    Bidirectional<Gru>(Gru(kIn, 4, random), Gru(kIn, 4, random), {.merge = sums});
  });
  expect_error<Error>("must lie in [0, 1); got 1",
                      [&] { make_stack<Gru>(kIn, sizes, random, {.dropout = 1}); });
  for (const RecurrentDropout& bad :
       {RecurrentDropout{.inputs = 1}, {.states = real(-0.5)}, {.weights = 2}, {.zoneout = {1}}})
    expect_error<Error>("must lie in [0, 1); got",
                        [&] { Recurrent<Gru>(Gru(kIn, 4, random), {.dropout = bad}); });
  expect_error<Error>("one for each of the 1 parts of the state; got 2", [&] {
    Recurrent<Gru>(Gru(kIn, 4, random), {.dropout = {.zoneout = {real(0.1), real(0.1)}}});
  });
  expect_error<Error>("a cell with a parameter weight_hh", [&] {
    Recurrent<WithSkip>(WithSkip(), {.dropout = {.weights = real(0.1)}});
  });
  expect_error<Error>("whose step takes h as its third argument",
                      [&] { Recurrent<WithSkip>(WithSkip(), {.dropout = {.states = real(0.1)}}); });
}

TEST(RecurrentErrorsTest, AForgottenDetachIsNamed) {
  Random random(1);
  const Recurrent layer{Gru(kIn, 4, random)};
  std::optional<Gru::State> state;
  {
    Tape tape;
    state = layer(random_input()).state;
  }
  Tape tape;
  expect_error<StaleError>("state = detach(state)",
                           [&] { layer(random_input(), {.state = state}); });
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
