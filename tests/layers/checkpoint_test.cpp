// A checkpointed layer answers as one that records all steps, in less memory.
#include <reel/autodiff/gradcheck.hpp>
#include <reel/layers/dropout.hpp>
#include <reel/layers/linear.hpp>

#include "../autodiff/throws.hpp"
#include "tested_cells.hpp"
#include "unusual_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

// Sums of the same terms in another order: where a weight is multiplied before the loop and again
// before it or in it, runs take turns; and where one Var is the state after several steps.
template <class C>
constexpr bool kSumsInAnotherOrder =
    std::is_same_v<C, ProjectsByTwoAffines> || std::is_same_v<C, ReturnsViewsOfOneArray> ||
    std::is_same_v<C, ReturnsItsState>;

const std::vector<Checkpointing> kSchedules = {
    {},
    {.states = 0, .block = 1},
    {.states = 1, .block = 1},
    {.states = 2, .block = 2},
    {.states = 3, .block = 1},
    {.states = 100, .block = 1},
    {.states = 2, .block = 5},
    {.bytes = std::size_t{1} << 30},
};

template <class C>
Answers answers_of(Recurrent<C>& layer, const Problem& p, const Checkpointing& checkpoint) {
  using State = typename C::State;
  return answers_of<State>(p, parameters(layer), [&](const Var& x, const State& state) {
    const auto result = layer(x, {.lengths = p.lengths, .state = state, .checkpoint = checkpoint});
    return std::pair(result.outputs, result.state);
  });
}

template <class C>
void expect_same_with_all_schedules(Recurrent<C>& layer, std::size_t steps, std::size_t in,
                                    std::size_t width) {
  using State = typename C::State;
  for (const Lengths& lengths :
       {Lengths(3, steps), Lengths{2, steps, 0, 1, steps}, Lengths{0, 3, 2}, Lengths{0, 0}}) {
    const Problem p = random_problem<State>(steps, lengths.size(), in, width, lengths);
    const Answers expected = answers_of(layer, p);
    for (const Checkpointing& schedule : kSchedules) {
      SCOPED_TRACE(fmt::format("states {}, block {}, lengths {}", schedule.states.value_or(99),
                               schedule.block.value_or(99), lengths.size()));
      if constexpr (kSumsInAnotherOrder<C>)
        expect_near(answers_of(layer, p, schedule), expected, kRounding);
      else
        expect_same_bits(answers_of(layer, p, schedule), expected);
    }
  }
}

template <class M>
struct CheckpointTest : ::testing::Test {
  using Cell = typename M::Cell;
  using State = typename Cell::State;
  Recurrent<Cell> layer{M::make(5, 6)};
};
TYPED_TEST_SUITE(CheckpointTest, TestedCells, CellName);

TYPED_TEST(CheckpointTest, AnswersAsTheRecordedLayer) {
  expect_same_with_all_schedules(this->layer, 11, 5, 6);
}

// Rows enough for several products of weight gradients.
TYPED_TEST(CheckpointTest, LongSequencesAnswerTheSame) {
  using State = typename TypeParam::Cell::State;
  for (const Lengths& lengths : {Lengths(8, 300), Lengths{300, 299, 17, 300, 0, 200, 300, 150}}) {
    const Problem p = random_problem<State>(300, 8, 5, 6, lengths);
    const Answers expected = answers_of(this->layer, p);
    for (const Checkpointing& schedule :
         {Checkpointing{}, Checkpointing{.states = 5}, Checkpointing{.states = 3, .block = 7}})
      expect_same_bits(answers_of(this->layer, p, schedule), expected);
  }
}

template <class C>
struct CheckpointedUnusualCellsTest : ::testing::Test {};
TYPED_TEST_SUITE(CheckpointedUnusualCellsTest, UnusualCells);

TYPED_TEST(CheckpointedUnusualCellsTest, AnswerAsRecorded) {
  Recurrent<TypeParam> layer{TypeParam()};
  expect_same_with_all_schedules(layer, 7, kIn, kHidden);
}

// A loss on the final state alone, on few outputs, or on outputs alone.
TYPED_TEST(CheckpointTest, PartsOfTheResultMayBeRead) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(9, 3, 5, 6);
  const auto answer = [&](int which, const std::optional<Checkpointing>& checkpoint) {
    const std::vector<Parameter*> all = parameters(this->layer);
    for (Parameter* parameter : all) parameter->zero_grad();
    Tape tape;
    const Var x = tape.leaf(p.x);
    const auto result = this->layer(x, {.all_outputs = which > 0, .checkpoint = checkpoint});
    const Var read = which == 0   ? result.last()
                     : which == 1 ? slice(result.outputs, 0, 2, 4)
                                  : result.outputs * Var(p.d_outputs);
    tape.backward(sum(square(read)));
    Answers answers{{"x", x.grad()}};
    for (Parameter* parameter : all) answers[parameter->name] = parameter->grad();
    return answers;
  };
  for (int which : {0, 1, 2})
    expect_same_bits(answer(which, Checkpointing{.states = 2, .block = 2}), answer(which, {}));
}

TYPED_TEST(CheckpointTest, StackedLayersAnswerTheSame) {
  using State = typename TypeParam::Cell::State;
  Recurrent<typename TypeParam::Cell> upper{TypeParam::make(6, 6, 9)};
  const Problem p = random_problem<State>(12, 4, 5, 6, {12, 3, 7, 12});
  const auto answer = [&](const std::optional<Checkpointing>& checkpoint) {
    std::vector<Parameter*> all = parameters(this->layer);
    for (Parameter* parameter : parameters(upper)) all.push_back(parameter);
    for (std::size_t i = 0; i < all.size(); ++i) all[i]->name = std::to_string(i);
    return answers_of<State>(p, all, [&](const Var& x, const State& state) {
      const auto below =
          this->layer(x, {.lengths = p.lengths, .state = state, .checkpoint = checkpoint});
      // Reads the lower outputs twice, and its own state from the lower one.
      const auto above = upper(
          below.outputs, {.lengths = p.lengths, .state = below.state, .checkpoint = checkpoint});
      return std::pair(above.outputs + below.outputs, above.state);
    });
  };
  expect_same_bits(answer(Checkpointing{.states = 2, .block = 2}), answer({}));
}

TYPED_TEST(CheckpointTest, BackwardMayRunAgain) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(20, 2, 5, 6);
  Parameter& weight = *parameters(this->layer)[1];
  Tape tape;
  const auto result = this->layer(Var(p.x), {.checkpoint = Checkpointing{.states = 2, .block = 2}});
  const Var loss = sum(square(result.outputs));
  tape.backward(loss);
  const Array once = weight.grad();
  for (int times : {2, 3}) {
    tape.backward(loss);
    EXPECT_LE(relative_error(weight.grad(), once * times), kRounding);
  }
}

TYPED_TEST(CheckpointTest, GivesGradientsOnRequest) {
  using State = typename TypeParam::Cell::State;
  const Problem p = random_problem<State>(9, 3, 5, 6, {9, 0, 4});
  const auto gradient = [&](const std::optional<Checkpointing>& checkpoint) {
    Tape tape;
    const Var x = tape.leaf(p.x), weight = *parameters(this->layer)[1];
    const auto result = this->layer(x, {.lengths = p.lengths, .checkpoint = checkpoint});
    const Var loss = sum(square(result.outputs));
    const std::size_t size = tape.size();
    const std::vector<Var> grads = tape.gradients(loss, {x, weight});
    EXPECT_EQ(tape.size(), size);
    return Answers{{"x", grads[0].value()}, {"weight", grads[1].value()}};
  };
  expect_near(gradient(Checkpointing{.states = 1, .block = 1}), gradient({}), kRounding);
}

#ifdef REEL_DOUBLE

template <class C>
GradcheckResult check_derivatives(Recurrent<C>& layer, const Lengths& lengths, std::size_t in,
                                  std::size_t width) {
  using State = typename C::State;
  const Problem p = random_problem<State>(4, lengths.size(), in, width, lengths);
  std::vector<Array> inputs = p.initial;
  inputs.push_back(p.x);
  const auto outputs = [&](std::span<const Var> v) {
    const State state = make_state<State>({v.begin(), v.end() - 1});
    const Checkpointing checkpoint{.states = 1, .block = 1};
    const auto result =
        layer(v.back(), {.lengths = lengths, .state = state, .checkpoint = checkpoint});
    std::vector<Var> all{reshape(result.outputs, {-1})};
    State last = result.state;
    for (const Var* part : state_parts(last)) all.push_back(reshape(*part, {-1}));
    return concat(all, 0);
  };
  return gradcheck(outputs, inputs, parameters(layer), {.step = 2e-4});
}

TYPED_TEST(CheckpointTest, HasRightFirstAndSecondDerivatives) {
  for (const Lengths& lengths : {Lengths{4, 4}, Lengths{1, 4, 0, 3}}) {
    const GradcheckResult result = check_derivatives(this->layer, lengths, 5, 6);
    EXPECT_TRUE(result.ok) << result.message;
  }
}

TYPED_TEST(CheckpointedUnusualCellsTest, HaveRightFirstAndSecondDerivatives) {
  Recurrent<TypeParam> layer{TypeParam()};
  const bool right = !std::is_same_v<TypeParam, StopsTheGradientOfX>;
  const GradcheckResult result = check_derivatives(layer, {1, 4, 0, 3}, kIn, kHidden);
  EXPECT_EQ(result.ok, right) << result.message;
}

#endif

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
