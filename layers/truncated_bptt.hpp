// Truncated backpropagation through time (Williams & Peng 1990).
#pragma once

#include <reel/autodiff/tape.hpp>
#include <reel/layers/recurrent_options.hpp>
#include <reel/layers/schedule.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

// Runs a layer over windows of `window` steps of x [T, B, in], the last one perhaps shorter. Each
// has a tape of its own; the state is carried from one to the next without it, so memory does not
// grow with T. A layer that runs backwards in time, in part or whole, is refused: its state is that
// of the other end. Ends before a window in which no row runs. act(tape, result, begin, end) makes
// the loss of steps begin .. end - 1, plays it back and steps the optimiser. Returns the last
// state, detached, for more of the same stream. In plain sight:
//
//   for (begin = 0; begin < T; begin = end) {
//     Tape tape;
//     auto result = layer(slice(x, 0, begin, end), {.state = state});
//     tape.backward(loss_of(result.outputs, begin, end));
//     optimizer.step();
//     state = detach(result.state);  // forgotten, the next window throws StaleError
//   }
template <class Layer, class Act>
typename Layer::State truncated_bptt(const Layer& layer, const Array& x, std::size_t window,
                                     typename Layer::Options options, Act&& act) {
  check<Error>(window > 0, "truncated_bptt: a window must have at least one step; got 0");
  check(x.dimension() == 3 && !options.batch_first,
        "truncated_bptt: x must be time-major, [T, B, in]; got {}{}", shape_of(x),
        options.batch_first ? " with batch_first" : "");
  check<Error>(Layer::kRunsForward && !options.reversed,
               "truncated_bptt: only a layer that runs forward in time can carry its state on");
  const std::size_t steps = x.shape(0);
  const auto lengths = options.lengths;
  if (!lengths.empty()) check_lengths(steps, x.shape(1), lengths);
  typename Layer::State state =
      options.state ? *options.state : detach(layer.initial_state(x.shape(1)));
  const Var all(x);
  std::vector<std::size_t> in_window(lengths.size());
  for (std::size_t begin = 0, end; begin < steps; begin = end) {
    end = std::min(begin + window, steps);
    for (std::size_t row = 0; row < lengths.size(); ++row)
      in_window[row] = std::clamp(lengths[row], begin, end) - begin;
    const auto ended = [](std::size_t length) { return length == 0; };
    if (!lengths.empty() && std::all_of(in_window.begin(), in_window.end(), ended)) break;
    Tape tape;
    options.lengths = in_window;
    if (begin > 0 || options.state) options.state = state;
    auto result =
        layer(slice(all, 0, static_cast<std::ptrdiff_t>(begin), static_cast<std::ptrdiff_t>(end)),
              options);
    state = detach(result.state);
    act(tape, result, begin, end);
  }
  return state;
}

}  // namespace reel::inline REEL_PRECISION
