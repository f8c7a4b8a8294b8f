// Both directions of time (Schuster & Paliwal 1997).
#pragma once

#include <reel/layers/lengths.hpp>
#include <reel/layers/merge.hpp>
#include <reel/layers/recurrent.hpp>

namespace reel::inline REEL_PRECISION {

// One cell from start to end and another from each row's own end to its start; outputs stand in
// the order of time and are merged.
template <Cell C, Cell R = C>
struct Bidirectional {
  struct State {
    typename C::State forward;
    typename R::State backward;
  };
  using Options = RecurrentOptions<State>;
  // The last output is that of the final states: forward's at the end, backward's at the start.
  using Result = RecurrentResult<State>;
  struct Config {
    Merge merge = {};
    RecurrentDropout dropout = {};  // of each direction, with masks of its own
    bool learned_start = false;
  };

  Recurrent<C> forward;
  Recurrent<R> backward;
  Merge merge;

  Bidirectional(C f, R b, Config config = {})
      : forward(std::move(f), {config.dropout, config.learned_start}),
        backward(std::move(b), {std::move(config.dropout), config.learned_start}),
        merge(std::move(config.merge)) {
    width();  // throws if merge does not fit
  }

  Result operator()(const Var& x, const Options& options) const;
  Result operator()(const Var& x) const { return (*this)(x, Options{}); }

  State initial_state(std::size_t batch) const {
    return {forward.initial_state(batch), backward.initial_state(batch)};
  }
  std::size_t width() const {
    const State state = initial_state(1);
    return merge(first_part(state.forward), first_part(state.backward)).size(1);
  }
  static constexpr bool kRunsForward = false;
  static constexpr const char* kNoStream =
      "stream: both directions of time cannot run step by step, since one begins at the end of the "
      "sequence; stream a Recurrent, or a Stack of them";
  Stream<State> stream(std::size_t, std::size_t = 0) const { throw Error(kNoStream); }
  // Throws ShapeError unless both cells take rows of this width.
  void check_input(std::size_t width) const {
    forward.check_input(width);
    backward.check_input(width);
  }

  // PyTorch's names.
  static void fields(auto& self, auto&& visit) { named_fields(self, "_l0", visit); }
  static void named_fields(auto& self, const std::string& suffix, auto&& visit) {
    self.forward.named_fields(self.forward, suffix, visit);
    self.backward.named_fields(self.backward, suffix + "_reverse", visit);
  }
};

template <Cell C, Cell R>
auto Bidirectional<C, R>::operator()(const Var& x, const Options& options) const -> Result {
  std::optional<ParameterScope> parameters;
  if (!ParameterScope::current()) parameters.emplace();
  const auto direction = [&](const auto& layer, auto part, bool reversed) {
    typename std::remove_cvref_t<decltype(layer)>::Options one{
        .lengths = options.lengths,
        .all_outputs = options.all_outputs,
        .all_states = options.all_states,
        .reversed = reversed,
        .batch_first = options.batch_first,
        .random = options.random,
        .checkpoint = detail::share(options.checkpoint, 2)};
    if (options.state) one.state = (*options.state).*part;
    return layer(x, one);
  };
  const auto f = direction(forward, &State::forward, options.reversed);
  const auto b = direction(backward, &State::backward, !options.reversed);

  Result result;
  result.state = {f.state, b.state};
  result.last_output = merge(f.last(), b.last());
  if (options.all_outputs) {
    result.outputs = merge(f.outputs, b.outputs);
    if (!merge.keeps_zeros())
      result.outputs = zero_past_end(result.outputs, options.lengths, options.batch_first);
  }
  if (options.all_states) result.states = State{*f.states, *b.states};
  return result;
}

}  // namespace reel::inline REEL_PRECISION
