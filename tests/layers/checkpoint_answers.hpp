// The same layer with checkpoints and without.
#pragma once

#include <reel/autodiff/gradcheck.hpp>

#include "answers.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

inline const std::vector<Checkpointing> kSchedules = {
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

// in_another_order: the same terms are added, in another order.
template <class C>
void expect_same_with_all_schedules(Recurrent<C>& layer, std::size_t steps, std::size_t in,
                                    std::size_t width, bool in_another_order = false) {
  using State = typename C::State;
  for (const Lengths& lengths :
       {Lengths(3, steps), Lengths{2, steps, 0, 1, steps}, Lengths{0, 3, 2}, Lengths{0, 0}}) {
    const Problem p = random_problem<State>(steps, lengths.size(), in, width, lengths);
    const Answers expected = answers_of(layer, p);
    for (const Checkpointing& schedule : kSchedules) {
      SCOPED_TRACE(fmt::format("states {}, block {}, lengths {}", schedule.states.value_or(99),
                               schedule.block.value_or(99), lengths.size()));
      if (in_another_order)
        expect_near(answers_of(layer, p, schedule), expected, kRounding);
      else
        expect_same_bits(answers_of(layer, p, schedule), expected);
    }
  }
}

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

}  // namespace reel::inline REEL_PRECISION::layer_tests
