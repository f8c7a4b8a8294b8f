// A layer's steps ask the system for no memory once they have run.
#include <reel/layers/cells/layer_norm_gru.hpp>
#include <reel/layers/cells/sru.hpp>

#include "../../bench/count_malloc.hpp"
#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// In plain ops, its weights in a module with long names.
struct PlainCell {
  struct State {
    Var h, c;
  };
  struct Weights {
    Parameter from_the_input, from_the_state;
    static void fields(auto& self, auto&& visit) {
      visit("a_weight_that_reads_the_input", self.from_the_input);
      visit("a_weight_that_reads_the_state", self.from_the_state);
    }
  } weights;

  PlainCell(std::size_t in, std::size_t hidden, Random& random)
      : weights{Parameter(uniform({4 * hidden, in}, -1, 1, random)),
                Parameter(uniform({4 * hidden, hidden}, -1, 1, random))} {}
  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, weights.from_the_state.shape()[1]});
    return {zero, zero};
  }
  State step(const Var& x, const State& s) const {
    auto [i, f, g, o] =
        split<4>(affine(s.h, weights.from_the_state, affine(x, weights.from_the_input)));
    const Var c = sigmoid(f) * s.c + sigmoid(i) * tanh(g);
    return {sigmoid(o) * tanh(c) + mean(stack({o, f}, 0), {0}), c};
  }
  static void fields(auto& self, auto&& visit) { visit("weights_of_the_cell", self.weights); }
};

constexpr std::size_t kInput = 24, kWidth = 32;
const std::vector<Lengths> kLengths{{}, {40, 3, 17, 0, 40, 21}, {1, 2, 3, 4, 5, 6}};

template <class C>
struct LayerMemoryTest : ::testing::Test {
  Random random{3};
  Recurrent<C> layer{C(kInput, kWidth, random)};
  std::vector<Parameter*> all = parameters(layer);
  const Var x = full_array({40, 6, kInput}, real(0.1));

  // Not under sanitizers.
  static bool mallocs_are_counted() {
    bench::start_counting_mallocs();
    delete new int;
    return bench::counted_mallocs() >= 0;
  }

  // Forward and backward; lengths [B], or B rows that are full.
  void step(std::size_t steps, std::size_t batch, const Lengths& lengths, bool reversed,
            bool all_outputs) {
    for (Parameter* parameter : all) parameter->zero_grad();
    Tape tape;
    const Var x = tape.leaf(full_array({steps, batch, kInput}, real(0.1)));
    const auto result =
        layer(x, {.lengths = lengths, .all_outputs = all_outputs, .reversed = reversed});
    tape.backward(sum(square(all_outputs ? result.outputs : result.last())));
  }
};
using Cells = ::testing::Types<Lstm, Gru, Rnn, LayerNormGru, Sru, PlainCell>;
TYPED_TEST_SUITE(LayerMemoryTest, Cells);

TYPED_TEST(LayerMemoryTest, StepsOfTheSameShapesNeverCallMalloc) {
  if (!this->mallocs_are_counted()) GTEST_SKIP() << "malloc is not counted here";
  const auto steps = [&] {
    for (const bool reversed : {false, true})
      for (const bool all_outputs : {false, true})
        for (const Lengths& lengths : kLengths) {
          this->step(40, 6, lengths, reversed, all_outputs);
          this->layer(this->x, {.lengths = lengths, .reversed = reversed});
        }
  };
  for (int i = 0; i < 3; ++i) steps();
  bench::start_counting_mallocs();
  for (int i = 0; i < 3; ++i) steps();
  EXPECT_EQ(bench::counted_mallocs(), 0);
}

// One narrow row: most cells' steps are recorded once and replayed.
TYPED_TEST(LayerMemoryTest, LongStepsOfOneRowNeverCallMalloc) {
  if (!this->mallocs_are_counted()) GTEST_SKIP() << "malloc is not counted here";
  for (int i = 0; i < 3; ++i) this->step(300, 1, {}, false, true);
  bench::start_counting_mallocs();
  for (int i = 0; i < 3; ++i) this->step(300, 1, {}, false, true);
  EXPECT_EQ(bench::counted_mallocs(), 0);
}

TYPED_TEST(LayerMemoryTest, OverRandomLengthsThePoolHoldsHalfMoreThanTheLargestStep) {
  pool::trim();
  pool::reset_peak();
  Random draw(5);
  for (int i = 0; i < 300; ++i) {
    const std::size_t batch = 1 + draw.below(16), steps = 1 + draw.below(40);
    Lengths lengths(batch);
    for (std::size_t& length : lengths) length = draw.below(steps + 1);
    lengths[0] = steps;
    this->step(steps, batch, lengths, i % 2 == 0, i % 3 == 0);
    const PoolStats stats = pool::stats();
    EXPECT_LE(2 * stats.reserved, 3 * std::max(stats.peak_in_use, std::size_t{1} << 19));
  }
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
