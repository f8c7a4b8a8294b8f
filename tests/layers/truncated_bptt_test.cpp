#include <reel/layers/stack.hpp>
#include <reel/layers/truncated_bptt.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {
namespace {

constexpr std::size_t kIn = 3, kSteps = 10, kWindow = 4;

TEST(TruncatedBpttTest, IsTheLoopInPlainSight) {
  Random random(1);
  auto layer = make_stack<Lstm>(kIn, std::vector<std::size_t>{4, 4}, random);
  const auto all = parameters(layer);
  for (const Lengths& lengths : {Lengths{}, Lengths{10, 3, 0, 4, 5}}) {
    const Array x = random_array({kSteps, 5, kIn}, 2);
    const auto gradients = [&](auto&& run) {
      for (Parameter* p : all) p->zero_grad();
      auto state = run();
      std::vector<Array> result;
      for (const Parameter* p : all) result.push_back(p->grad());
      for (const Var* part : state_parts(state)) result.push_back(part->value());
      return result;
    };
    const auto helper = gradients([&] {
      return truncated_bptt(layer, x, kWindow, {.lengths = lengths},
                            [](Tape& tape, const auto& result, std::size_t, std::size_t) {
                              tape.backward(sum(sin(result.outputs)));
                            });
    });
    const auto loop = gradients([&] {
      auto state = layer.initial_state(5);
      for (std::size_t begin = 0; begin < kSteps; begin += kWindow) {
        const std::size_t end = std::min(begin + kWindow, kSteps);
        Lengths in_window;
        for (const std::size_t length : lengths)
          in_window.push_back(length < begin ? 0 : std::min(length - begin, kWindow));
        Tape tape;
        const auto result = layer(
            slice(Var(x), 0, static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end)),
            {.lengths = in_window, .state = state});
        tape.backward(sum(sin(result.outputs)));
        state = detach(result.state);
      }
      return state;
    });
    ASSERT_EQ(helper.size(), loop.size());
    for (std::size_t i = 0; i < helper.size(); ++i) EXPECT_TRUE(same_bits(helper[i], loop[i]));
  }
}

TEST(TruncatedBpttTest, ValuesAreThoseOfTheWhole) {
  Random random(1);
  const Recurrent layer{Gru(kIn, 4, random)};
  const Array x = random_array({kSteps, 2, kIn}, 2);
  const Array whole = layer(Var(x)).outputs.value();
  const Gru::State last = truncated_bptt(
      layer, x, kWindow, {}, [&](Tape&, const auto& result, std::size_t begin, std::size_t end) {
        EXPECT_TRUE(same_bits(result.outputs.value(),
                              slice(Var(whole), 0, static_cast<std::ptrdiff_t>(begin),
                                    static_cast<std::ptrdiff_t>(end))
                                  .value()));
      });
  EXPECT_TRUE(same_bits(last.h.value(), index(Var(whole), 0, -1).value()));
  EXPECT_FALSE(last.h.is_recorded());
}

TEST(TruncatedBpttTest, ALearnedStartGetsItsGradientFromTheFirstWindow) {
  Random random(1);
  Recurrent<Gru> layer(Gru(kIn, 4, random), {.learned_start = true});
  truncated_bptt(layer, random_array({kSteps, 2, kIn}, 2), kWindow, {},
                 [&](Tape& tape, const auto& result, std::size_t begin, std::size_t) {
                   tape.backward(sum(result.outputs));
                   if (begin == 0) EXPECT_NE(layer.start[0].grad()(0), 0);
                 });
}

TEST(TruncatedBpttTest, EndsWithTheLongestRow) {
  Random random(1);
  const Recurrent layer{Gru(kIn, 4, random)};
  std::vector<std::size_t> begins;
  const Array x = random_array({kSteps, 2, kIn}, 2);
  const Lengths lengths{3, 5};
  const Gru::State last = truncated_bptt(
      layer, x, kWindow, {.lengths = lengths},
      [&](Tape&, const auto&, std::size_t begin, std::size_t) { begins.push_back(begin); });
  EXPECT_EQ(begins, (std::vector<std::size_t>{0, 4}));
  EXPECT_TRUE(same_bits(last.h.value(), layer(Var(x), {.lengths = lengths}).state.h.value()));
}

TEST(TruncatedBpttTest, WrongUseIsRefused) {
  Random random(1);
  const Recurrent layer{Gru(kIn, 4, random)};
  const auto nothing = [](auto&&...) {};
  EXPECT_THROW(truncated_bptt(layer, random_array({4, 2, kIn}, 1), 0, {}, nothing), Error);
  EXPECT_THROW(truncated_bptt(layer, random_array({4, 2}, 1), 2, {}, nothing), ShapeError);
  const Array x = random_array({4, 2, kIn}, 1);
  for (const Lengths& wrong : {Lengths{5, 1}, Lengths{static_cast<std::size_t>(-1), 1}, Lengths{1}})
    EXPECT_THROW(truncated_bptt(layer, x, 2, {.lengths = wrong}, nothing), ShapeError);
  EXPECT_THROW(truncated_bptt(layer, x, 2, {.reversed = true}, nothing), Error);
  const Bidirectional<Gru> both(Gru(kIn, 4, random), Gru(kIn, 4, random));
  EXPECT_THROW(truncated_bptt(both, x, 2, {}, nothing), Error);
  EXPECT_THROW(
      truncated_bptt(layer, random_array({4, 2, kIn}, 1), 2, {.batch_first = true}, nothing),
      ShapeError);
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::layer_tests
