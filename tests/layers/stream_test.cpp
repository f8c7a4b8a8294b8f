// A stream gives, step by step, what the layer gives for the whole sequence, bit for bit.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/stack.hpp>

#include <thread>

#include "../../bench/count_malloc.hpp"
#include "../autodiff/throws.hpp"
#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

std::span<const real> row(const Array& x, std::size_t t) {
  const std::size_t size = x.size() / x.shape()[0];
  return {x.data() + t * size, size};
}

template <class State>
bool same_states(const State& a, const State& b) {
  const auto x = state_parts(a), y = state_parts(b);
  bool same = x.size() == y.size();
  for (std::size_t i = 0; same && i < x.size(); ++i) same = same_bits(x[i]->value(), y[i]->value());
  return same;
}

// Steps, state in and out, reset, and branches, all against the layer.
template <class Layer>
void expect_streams(const Layer& layer, std::size_t in, std::size_t batch) {
  SCOPED_TRACE(batch);
  const std::size_t steps = 7;
  const Array x = random_array({steps, batch, in}, 1);
  typename Layer::State start = layer.initial_state(batch);
  for_each_part(start, [seed = 10](Var& part) mutable {
    part = Var(random_array(part.shape(), static_cast<std::uint64_t>(seed++)));
  });
  auto stream = layer.stream(batch);
  const auto expect_steps = [&](auto& run, const auto& expected, std::size_t from) {
    const Array outputs = expected.outputs.value();
    for (std::size_t t = from; t < steps; ++t) {
      const std::span<const real> got = run.step(row(x, t)), wanted = row(outputs, t);
      ASSERT_EQ(got.size(), wanted.size());
      EXPECT_EQ(std::memcmp(got.data(), wanted.data(), got.size_bytes()), 0) << "step " << t;
    }
    EXPECT_TRUE(same_states(run.state(), expected.state));
  };
  const auto from_zero = layer(Var(x)), from_start = layer(Var(x), {.state = start});
  expect_steps(stream, from_zero, 0);
  stream.reset();
  expect_steps(stream, from_zero, 0);
  stream.set_state(start);
  EXPECT_TRUE(same_states(stream.state(), start));
  expect_steps(stream, from_start, 0);

  stream.set_state(start);
  for (std::size_t t = 0; t < 3; ++t) stream.step(row(x, t));
  auto branch = stream;
  for (std::size_t t = 0; t < 5; ++t) branch.step(row(x, t));
  expect_steps(stream, from_start, 3);
  stream.reset();
  stream.step(row(x, 0));
  branch = stream;
  expect_steps(branch, from_zero, 1);
  auto moved = std::move(stream);
  expect_steps(moved, from_zero, 1);

  // Before the width of x is known.
  auto waiting = layer.stream(batch);
  waiting.set_state(start);
  auto copy = waiting;
  waiting.reset();
  expect_steps(copy, from_start, 0);
  expect_steps(waiting, from_zero, 0);
  auto at_once = layer.stream(batch, in);
  expect_steps(at_once, from_zero, 0);
}

template <class Layer>
void expect_streams(const Layer& layer, std::size_t in) {
  expect_streams(layer, in, 1);
  expect_streams(layer, in, 3);
}

// Long runs of few numbers are replayed where nothing records, in blocks of 512 rows.
template <class Layer>
void expect_same_on_a_tape(const Layer& layer, std::size_t in) {
  for (const std::size_t batch : {1, 2}) {
    const Array x = random_array({300, batch, in}, 1);
    typename Layer::State start = layer.initial_state(batch);
    for_each_part(start, [](Var& part) { part = Var(random_array(part.shape(), 10)); });
    const std::array<typename Layer::Options, 3> several{{
        {.state = start, .all_states = true},
        {.reversed = true},
        {.all_outputs = false},
    }};
    for (const auto& options : several) {
      Tape tape;
      const auto recorded = layer(tape.leaf(x), options);
      const PauseRecording pause;
      const auto plain = layer(Var(x), options);
      EXPECT_TRUE(same_states(plain.state, recorded.state));
      EXPECT_TRUE(!options.all_outputs ||
                  same_bits(plain.outputs.value(), recorded.outputs.value()));
      EXPECT_TRUE(!options.all_states || same_states(*plain.states, *recorded.states));
    }
  }
}

template <class M>
struct StreamTest : ::testing::Test {
  using Layer = Recurrent<typename M::Cell>;
  static Layer make(std::size_t in, std::size_t hidden) { return Layer(M::make(in, hidden)); }
};
TYPED_TEST_SUITE(StreamTest, BuiltInCells, CellName);

TYPED_TEST(StreamTest, IsTheLayerStepByStep) {
  for (const std::size_t in : {1, 5, 16})
    for (const std::size_t hidden : {1, 7, 16, 33}) expect_streams(this->make(in, hidden), in);
}

TYPED_TEST(StreamTest, LongRunsAreWhatATapeRecords) { expect_same_on_a_tape(this->make(5, 7), 5); }

TYPED_TEST(StreamTest, WideLayersToo) { expect_streams(this->make(130, 300), 130); }

template <class C>
struct StreamOfUnusualCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(StreamOfUnusualCellsTest, UnusualCells);

TYPED_TEST(StreamOfUnusualCellsTest, IsTheLayerStepByStep) {
  expect_streams(Recurrent<TypeParam>{TypeParam()}, kIn);
}

TYPED_TEST(StreamOfUnusualCellsTest, LongRunsAreWhatATapeRecords) {
  expect_same_on_a_tape(Recurrent<TypeParam>{TypeParam()}, kIn);
}

TEST(Stream, OfAStackIsTheStackStepByStep) {
  Random random(3);
  const std::array<std::size_t, 3> widths{8, 8, 8};
  for (const bool residual : {false, true}) {
    expect_streams(make_stack<Lstm>(5, widths, random, {.residual = residual}), 5);
    expect_streams(make_stack<Gru>(5, widths, random, {.residual = residual}), 5);
  }
}

TEST(Stream, OfALearnedStartAndZoneoutIsTheLayer) {
  Random random(3);
  Recurrent<Lstm> layer(Lstm(4, 6, random),
                        {.dropout = {.zoneout = {real(0.1), real(0.2)}}, .learned_start = true});
  for (Parameter& part : layer.start) part.mutable_value() = random_array(part.shape(), 5);
  expect_streams(layer, 4);
}

TEST(Stream, RefusesBothDirections) {
  Random random(3);
  const Bidirectional<Gru> layer(Gru(2, 3, random), Gru(2, 3, random));
  EXPECT_THROWS_WITH(layer.stream(1), Error, "both directions of time cannot run step by step");
  const std::array<std::size_t, 2> widths{3, 3};
  const auto stack = make_bidirectional_stack<Gru>(2, widths, random);
  EXPECT_THROWS_WITH(stack.stream(1), Error, "both directions of time cannot run step by step");
}

// --- errors ---

struct Drops : Hoisted {
  State step(Var x, const State& s) const {
    Random random(1);
    return {dropout(recurrent(s.h, std::move(x)), real(0.5), random)};
  }
};
struct Reads : Hoisted {
  State step(Var x, const State& s) const {
    const Var h = recurrent(s.h, std::move(x));
    return {h / norm(h).item()};
  }
};

// A part of the state grows.
struct Remembers : Weights {
  struct State {
    Var h, all;
  };
  State initial_state(std::size_t batch) const { return {zero(batch), zeros({batch, 1})}; }
  State step(const Var& x, const State& s) const {
    const Var h = tanh(recurrent(s.h, input(x)) + mean(s.all));
    return {h, concat({s.all, h}, 1)};
  }
};
struct ProjectsOneRow : OnePart {
  Var project(const Var& x) const { return slice(input(x), 0, 0, 1); }
  State step(Var x, const State& s) const { return {recurrent(s.h, std::move(x))}; }
};

TEST(Stream, LongRunsOfACellThatCannotBeReplayedGoOpByOp) {
  const Array x = random_array({200, 1, kIn}, 1);
  const Recurrent layer{Remembers()};
  Tape tape;
  const auto recorded = layer(tape.leaf(x));
  const PauseRecording pause;
  EXPECT_TRUE(same_bits(layer(Var(x)).outputs.value(), recorded.outputs.value()));
  EXPECT_THROWS_WITH(Recurrent{ProjectsOneRow()}(Var(x)), ShapeError, "extents must add up");
}

struct Counts : OnePart {
  std::shared_ptr<std::size_t> steps = std::make_shared<std::size_t>(0);
  State step(const Var& x, const State& s) const {
    ++*steps;
    return {tanh(recurrent(s.h, input(x)))};
  }
};

TEST(Stream, LongRunsOfFewNumbersAreRecordedOnce) {
  const Counts cell;
  const Recurrent layer(cell);
  const auto recorded = [&](std::size_t steps, std::size_t batch, std::size_t last_length) {
    *cell.steps = 0;
    std::vector<std::size_t> lengths(batch, steps);
    lengths.back() = last_length;
    layer(Var(random_array({steps, batch, kIn}, 1)), {.lengths = lengths});
    return *cell.steps;
  };
  EXPECT_EQ(recorded(300, 2, 300), 1u);
  EXPECT_EQ(recorded(300, 2, 299), 300u);   // ragged
  EXPECT_EQ(recorded(127, 2, 127), 127u);   // short
  EXPECT_EQ(recorded(128, 65, 128), 128u);  // 260 numbers
  EXPECT_EQ(recorded(128, 64, 128), 1u);
}

struct Model {
  Recurrent<Gru> encoder;
  static void fields(auto& self, auto&& visit) { visit("encoder", self.encoder); }
};

TEST(Stream, RefusesACellWhoseStepCannotBeReplayed) {
  EXPECT_THROWS_WITH(Recurrent(Drops()).stream(1, kIn), Error, "must not draw random numbers");
  EXPECT_THROWS_WITH(Recurrent(Reads()).stream(1, kIn), Error, "must not read a number");
  expect_same_on_a_tape(Recurrent(Drops()), kIn);
  expect_same_on_a_tape(Recurrent(Reads()), kIn);
}

TEST(Stream, ErrorsLeaveItAsItWas) {
  Random random(3);
  Model model{Recurrent<Gru>(Gru(3, 4, random))};
  parameters(model);
  const Recurrent<Gru>& layer = model.encoder;
  EXPECT_THROWS_WITH(layer.stream(0), ShapeError, "stream: there must be at least one row");
  EXPECT_THROWS_WITH(layer.stream(1, 5), ShapeError, "encoder: affine: the last extent of x");
  auto stream = layer.stream(2);
  const Array x = random_array({2, 3}, 1),
              expected = layer(reshape(Var(x), {1, 2, 3})).outputs.value();
  const std::vector<real> wrong(7);
  EXPECT_THROWS_WITH(stream.step(wrong), ShapeError, "encoder: stream: x must have 2 rows; got 7");
  EXPECT_THROWS_WITH(stream.step(std::span<const real>()), ShapeError, "x must have 2 rows; got 0");
  EXPECT_THROWS_WITH(stream.step(random_array({2, 5}, 1)), ShapeError, "affine: the last extent");
  EXPECT_THROWS_WITH(stream.step(random_array({6}, 1)), ShapeError, "x must be [2, in]; got [6]");
  EXPECT_TRUE(same_bits(stream.step(x), index(Var(expected), 0, 0).value()));
  const Gru::State state = stream.state();
  EXPECT_THROWS_WITH(stream.step(wrong), ShapeError, "x must be [2, 3]; got 7 numbers");
  EXPECT_THROWS_WITH(stream.step(random_array({3, 2}, 1)), ShapeError,
                     "x must be [2, 3]; got [3, 2]");
  EXPECT_THROWS_WITH(stream.set_state({zeros({1, 4})}), ShapeError,
                     "encoder: stream: part 0 of the state must be [2, 4]; got [1, 4]");
  EXPECT_TRUE(same_states(stream.state(), state));
  auto moved = std::move(stream);
  EXPECT_THROWS_WITH(stream.step(x), Error, "stream: it has been moved from");
  EXPECT_THROWS_WITH(stream.step(wrong), Error, "stream: it has been moved from");
  EXPECT_THROWS_WITH(stream.state(), Error, "stream: it has been moved from");
}

TEST(Stream, KeepsTheWeightsItWasRecordedWith) {
  Random random(3);
  auto layer = std::make_unique<Recurrent<Lstm>>(Lstm(3, 4, random));
  const Array x = random_array({5, 1, 3}, 1), expected = (*layer)(Var(x)).outputs.value();
  auto stream = layer->stream(1, 3);
  for_each_parameter(*layer, [](const auto&, Parameter& p) { p.mutable_value().fill(9); });
  auto changed = layer->stream(1, 3);
  layer.reset();
  bool differs = false;
  for (std::size_t t = 0; t < 5; ++t) {
    const std::span<const real> wanted = row(expected, t), got = stream.step(row(x, t));
    EXPECT_EQ(std::memcmp(got.data(), wanted.data(), got.size_bytes()), 0);
    differs |= std::memcmp(changed.step(row(x, t)).data(), wanted.data(), wanted.size_bytes()) != 0;
  }
  EXPECT_TRUE(differs);
}

// What gradcheck moves, and streams are recorded of, it puts back as another value.
TEST(Stream, AfterAGradcheckHasTheWeightsOfTheLayer) {
  Random random(3);
  Recurrent<Lstm> layer(Lstm(3, 4, random));
  const Array x = random_array({1, 3}, 1);
  std::vector<Stream<Lstm::State>> kept;
  const auto function = [&](std::span<const Var>) {
    kept.push_back(layer.stream(1, 3));
    return layer.step(Var(x), layer.initial_state(1)).first;
  };
  gradcheck(function, {}, parameters(layer), {.orders = 1});
  const Array expected = function({}).value();
  auto stream = layer.stream(1, 3);
  const std::span<const real> got = stream.step(row(x, 0));
  EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size_bytes()), 0);
}

TEST(Stream, RunsWhileATapeRecords) {
  Random random(3);
  const Recurrent<Lstm> layer(Lstm(3, 4, random));
  const Array x = random_array({1, 3}, 1);
  auto outside = layer.stream(1, 3);
  const Array expected = outside.step(x);
  Tape tape;
  const Var other = layer(reshape(Var(x), {1, 1, 3})).outputs;
  const std::size_t before = tape.size();
  auto stream = layer.stream(1, 3);
  EXPECT_TRUE(same_bits(stream.step(x), expected));
  EXPECT_EQ(tape.size(), before);
}

// --- memory ---

TEST(Stream, StepsBranchesAndStatesTakeNoMemory) {
  Random random(3);
  const std::array<std::size_t, 2> widths{40, 24};
  const auto layer = make_stack<Lstm>(17, widths, random);
  bench::start_counting_mallocs();
  delete new int;
  const bool counted = bench::counted_mallocs() >= 0;
  for (const std::size_t batch : {1, 3}) {
    auto stream = layer.stream(batch);
    const Array x = random_array({batch, 17}, 1);
    stream.step(std::span<const real>(x.data(), x.size()));
    auto branch = stream;
    pool::trim();  // a step does without the pool
    const PoolStats before = pool::stats();
    bench::start_counting_mallocs();
    for (int i = 0; i < 100; ++i) {
      stream.step(std::span<const real>(x.data(), x.size()));
      if (i % 10 == 0) branch = stream;
    }
    EXPECT_EQ(counted ? bench::counted_mallocs() : 0, 0);
    EXPECT_EQ(pool::stats().blocks_made, before.blocks_made);
    EXPECT_EQ(pool::stats().in_use, before.in_use);
  }
}

// Of any cell: nothing is left to the pool, which on another thread would have to ask.
TYPED_TEST(StreamOfUnusualCellsTest, StepsTakeNoMemory) {
  const Recurrent<TypeParam> layer{TypeParam()};
  for (const std::size_t batch : {1, 3}) {
    auto stream = layer.stream(batch, kIn);
    const Array x = random_array({batch, kIn}, 1);
    pool::trim();
    const std::size_t before = pool::stats().blocks_made;
    stream.step(std::span<const real>(x.data(), x.size()));
    EXPECT_EQ(pool::stats().blocks_made, before);
  }
}

// --- threads ---

TEST(StreamThreads, StreamsOfOneModelRunAtTheSameTime) {
  Random random(3);
  const std::array<std::size_t, 2> widths{12, 12};
  const auto layer = make_stack<Gru>(6, widths, random);
  const std::size_t steps = 50;
  const Array x = random_array({steps, 1, 6}, 1), expected = layer(Var(x)).outputs.value();
  const auto shared = layer.stream(1, 6);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t k = 0; k < wrong.size(); ++k)
    threads.emplace_back([&, k] {
      auto own = layer.stream(1), branch = shared;  // recorded here, and elsewhere
      for (std::size_t t = 0; t < steps; ++t) {
        const std::span<const real> wanted = row(expected, t);
        for (auto* stream : {&own, &branch})
          wrong[k] +=
              std::memcmp(stream->step(row(x, t)).data(), wanted.data(), wanted.size_bytes()) != 0;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(StreamThreads, AStreamMovesToAnotherThreadAndBack) {
  Random random(3);
  const Recurrent<Lstm> layer(Lstm(3, 20, random));
  const Array x = random_array({2, 1, 3}, 1), expected = layer(Var(x)).outputs.value();
  std::optional<Stream<Lstm::State>> stream(layer.stream(1));
  std::thread([&] { stream->step(row(x, 0)); }).join();
  std::optional<Stream<Lstm::State>> branch(*stream);
  EXPECT_EQ(std::memcmp(stream->step(row(x, 1)).data(), row(expected, 1).data(), 20 * sizeof(real)),
            0);
  std::thread([&] { stream.reset(); }).join();
  EXPECT_EQ(std::memcmp(branch->step(row(x, 1)).data(), row(expected, 1).data(), 20 * sizeof(real)),
            0);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
