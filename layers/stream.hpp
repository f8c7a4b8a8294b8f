// Streams: a layer's steps, one per call, as data comes in.
#pragma once

#include <reel/autodiff/program.hpp>
#include <reel/layers/state.hpp>

#include <string>

namespace reel::inline REEL_PRECISION {

namespace detail {

// A stream of any layer whose state is a list of arrays.
class StreamCore {
 public:
  // (x [batch, in], state parts) -> output [batch, ..], next state parts
  using Step = std::function<std::vector<Var>(std::span<const Var>)>;
  StreamCore(std::string path, std::size_t batch, std::size_t in, std::vector<Array> start,
             Step step);
  StreamCore(const StreamCore&) = default;
  StreamCore& operator=(const StreamCore&) = default;
  StreamCore(StreamCore&& other) noexcept { *this = std::move(other); }
  StreamCore& operator=(StreamCore&& other) noexcept;

  std::span<const real> step(std::span<const real> x);
  Array step(const Array& x);
  void reset();
  std::vector<Array> state() const;
  void set_state(std::span<const Var* const> parts);

 private:
  struct Plan {
    std::string path;
    std::size_t batch;
    std::vector<Array> start;
    Step step;
  };
  void check_not_moved() const;
  void check_rows(bool ok, std::size_t numbers) const;
  void record(std::size_t in);
  void put_state(const std::vector<Array>& parts);

  std::shared_ptr<const Plan> plan_;  // copies share it
  std::vector<Array> waiting_;        // the state until the step is recorded
  std::optional<Program> program_;
};

}  // namespace detail

// Runs a layer over time, one step per call, to the same bits as a call of the layer on the whole
// sequence, without what ops cost: the step is recorded once and replayed.
//
//   auto stream = layer.stream(1, width_of_x);
//   while (..) use(stream.step(x));
//
// Recorded, with the weights of that moment, when `in`, the width of x, is known: at once if it is
// given, else in the first step, until which the layer must live. After that a step on a span takes
// no memory and no lock, and calls nothing but arithmetic; the layer may change or go. A copy goes
// on by itself from where the other one stands (a branch of a beam search); assigning one copy to
// another takes no memory. Each stream may run on a thread of its own; weights are held once for
// all streams of a layer as it is.
template <class State>
class Stream {
 public:
  // step(x, state) -> pair of output and state, in ops alone (see Program for what may not be).
  // path: how messages call the layer.
  template <class Step>
  Stream(std::string path, std::size_t batch, std::size_t in, State start, Step step)
      : like_(std::move(start)), core_(make_core(std::move(path), batch, in, like_, step)) {}

  // x [batch, in] -> output [batch, width], valid until the stream steps, is reset, set, assigned
  // to or ends. Throws ShapeError, and leaves the stream as it was, if x has another size.
  std::span<const real> step(std::span<const real> x) { return core_.step(x); }
  Array step(const Array& x) { return core_.step(x); }

  // Back to the layer's initial state.
  void reset() { core_.reset(); }
  State state() const;
  void set_state(const State& state);  // throws ShapeError unless shaped as state()

 private:
  template <class Step>
  static detail::StreamCore make_core(std::string path, std::size_t batch, std::size_t in,
                                      State& start, Step step);

  State like_;  // without values: Vars stay on their thread
  detail::StreamCore core_;
};

template <class State>
template <class Step>
detail::StreamCore Stream<State>::make_core(std::string path, std::size_t batch, std::size_t in,
                                            State& start, Step step) {
  std::vector<Array> parts;
  for_each_part(start, [&](Var& part) { parts.push_back(std::exchange(part, Var()).value()); });
  auto by_parts = [like = start, step = std::move(step)](std::span<const Var> xs) {
    State state = like;
    std::size_t i = 0;
    for_each_part(state, [&](Var& part) { part = xs[++i]; });
    auto [output, next] = step(xs[0], state);
    std::vector<Var> results{output};
    for_each_part(next, [&](Var& part) { results.push_back(part); });
    return results;
  };
  return {std::move(path), batch, in, std::move(parts), std::move(by_parts)};
}

template <class State>
State Stream<State>::state() const {
  State state = like_;
  std::vector<Array> parts = core_.state();
  std::size_t i = 0;
  for_each_part(state, [&](Var& part) { part = Var(std::move(parts[i++])); });
  return state;
}

template <class State>
void Stream<State>::set_state(const State& state) {
  std::vector<const Var*> parts;
  for_each_part(state, [&](const Var& part) { parts.push_back(&part); });
  core_.set_state(parts);
}

}  // namespace reel::inline REEL_PRECISION
