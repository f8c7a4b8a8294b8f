// A checkpointed layer answers as one that records all steps, in less memory.
#include "checkpoint_answers.hpp"
#include "tested_cells.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

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

TYPED_TEST(CheckpointTest, HasRightFirstAndSecondDerivatives) {
  for (const Lengths& lengths : {Lengths{4, 4}, Lengths{1, 4, 0, 3}}) {
    const GradcheckResult result = check_derivatives(this->layer, lengths, 5, 6);
    EXPECT_TRUE(result.ok) << result.message;
  }
}

#endif

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
