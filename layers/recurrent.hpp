// The recurrent layer: any cell, run over time.
#pragma once

#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/cell_loop.hpp>
#include <reel/layers/module.hpp>
#include <reel/layers/stream.hpp>

#include <algorithm>
#include <functional>

namespace reel::inline REEL_PRECISION {

namespace detail {

// A parameter for each part of a cell's initial state, [..] of one row, starting as it does.
std::vector<Parameter> learned_start(const std::vector<Var*, PoolAllocator<Var*>>& parts);
// The parts of an initial state that was given or learned must have these shapes.
void check_state_part(std::size_t part, const Var& given, const Shape& shape);
void check_zoneout(const RecurrentDropout& dropout, std::size_t parts);
// Throws unless the parts of a cell's initial_state(batch) are [batch, ..], the first of them
// [batch, width], and as many as `learned`, if any are.
void check_start(std::size_t learned, const std::vector<Var*, PoolAllocator<Var*>>& parts,
                 std::size_t batch);

// What a call of a layer is about, apart from its cell.
struct LayerCall {
  Var flat;  // x, [T B, in], in the order of steps
  std::size_t steps, batch;
  std::shared_ptr<const Schedule> schedule;
  bool batch_first;

  RowIndices rows(const Indices& (Schedule::*which)() const) const {
    return {schedule, &((*schedule).*which)()};
  }
  // The loop's states as [T, B, ..], or [B, T, ..].
  Var in_order(const Var& states) const;
  Var sorted(const Var& part) const;    // rows by falling length
  Var unsorted(const Var& part) const;  // and back
};
// One part of a budget that several loops share evenly.
std::optional<Checkpointing> share(std::optional<Checkpointing> all, std::size_t loops);
// Throws what `check` throws, naming the layer and the width that the one below gives.
void check_chain(std::size_t layer, std::size_t below, const std::function<void()>& check);
Var swap_time(const Var& x);  // [T, B, ..] <-> [B, T, ..]
LayerCall make_layer_call(const Var& x, std::span<const std::size_t> lengths, bool reversed,
                          bool batch_first);

}  // namespace detail

// Runs a cell over x [T, B, in]. Rows may have lengths, in any order, 0 included: what lies past
// a row's end is never read, its outputs are zero, its gradient is zero, and its final state is
// the one after its own last step. The work is proportional to the sum of the lengths.
template <Cell C>
struct Recurrent {
  using State = typename C::State;
  using Options = RecurrentOptions<State>;
  using Result = RecurrentResult<State>;

  struct Config {
    RecurrentDropout dropout = {};
    bool learned_start = false;  // the initial state is trained; else it is the cell's
  };

  static constexpr bool kRunsForward = true;

  C cell;
  RecurrentDropout dropout;
  std::vector<Parameter> start;  // of each part of the state, shaped as one row's; or none

  explicit Recurrent(C c, Config config = {})
      : cell(std::move(c)), dropout(std::move(config.dropout)) {
    State state = cell.initial_state(1);
    dropout.check_ranges();
    detail::check_zoneout(dropout, state_parts(state).size());
    if (config.learned_start) start = detail::learned_start(state_parts(state));
    check<Error>(TakesRecurrentInput<C> || dropout.states == 0,
                 "recurrent: dropout on states needs a cell whose step takes h as its third "
                 "argument; this one's does not");
    if (dropout.weights > 0) {
      bool any = false;
      for_each_weight([&](const Parameter&) { any = true; });
      check<Error>(any, "recurrent: dropout on weights needs a cell with a parameter weight_hh");
    }
  }

  Result operator()(const Var& x, const Options& options) const;
  Result operator()(const Var& x) const { return (*this)(x, Options{}); }

  // One step without time: x [B, in] -> output [B, width] and state, as inference does it.
  std::pair<Var, State> step(const Var& x, const State& state) const;
  State initial_state(std::size_t batch) const;
  // One step per call; `in`: the width of x, 0 to find out in the first step.
  Stream<State> stream(std::size_t batch, std::size_t in = 0) const {
    return {std::string(path()), batch, in, initial_state(batch),
            [this](const Var& x, const State& state) { return step(x, state); }};
  }
  std::size_t width() const {  // of the output
    const State state = initial_state(1);
    return first_part(state).size(1);
  }
  // Throws ShapeError unless the cell takes rows of this width.
  void check_input(std::size_t width) const {
    const PauseRecording pause;
    cell_step(cell, zeros({1, width}), initial_state(1));
  }

  // PyTorch's names: those of the cell with the layer's number.
  static void fields(auto& self, auto&& visit) { named_fields(self, "_l0", visit); }
  static void named_fields(auto& self, const std::string& suffix, auto&& visit) {
    self.cell.fields(self.cell, [&](std::string_view name, auto& field) {
      visit(std::string(name) + suffix, field);
    });
    for (std::size_t i = 0; i < self.start.size(); ++i)
      visit(fmt::format("initial_state_{}{}", i, suffix), self.start[i]);
  }

 private:
  // Throws unless the parts of `given` are shaped as those of `like`.
  static void check_state(const State& given, const State& like) {
    const auto parts = state_parts(like), given_parts = state_parts(given);
    check(given_parts.size() == parts.size(),
          "recurrent: the initial state must have {} parts; got {}", parts.size(),
          given_parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i)
      detail::check_state_part(i, *given_parts[i], parts[i]->shape());
  }
  // act(parameter) for the weights that multiply h.
  void for_each_weight(auto&& act) const {
    for_each_leaf(cell, "", 0, [&](const Parameter& p, std::string_view name, std::ptrdiff_t) {
      if (name.substr(name.rfind('.') + 1).starts_with("weight_hh")) act(p);
    });
  }
  detail::LoopNoise noise(std::size_t batch, std::size_t in, std::size_t width,
                          Random* random) const;
  // Of any parameter's name, what stands before its path within the cell.
  std::string_view path() const {
    std::string_view path = "recurrent";
    const auto outside = [&](const Parameter& p, std::string_view, std::ptrdiff_t depth) {
      std::string_view outer = layer_path(p, "");
      for (; depth > 1; --depth)
        outer = outer.substr(0, outer.find('.') == outer.npos ? 0 : outer.rfind('.'));
      if (!outer.empty()) path = outer;
    };
    for_each_leaf(cell, "", 0, outside);
    return path;
  }
  // act(parameter, its name, number of names that lead to it); unlike for_each_parameter joins no
  // names.
  template <class Module>
  static void for_each_leaf(const Module& module, std::string_view name, std::ptrdiff_t depth,
                            auto&& act) {
    if constexpr (std::is_same_v<Module, Parameter>)
      act(module, name, depth);
    else
      Module::fields(module, [&](std::string_view inner, auto& field) {
        for_each_leaf(field, inner, depth + 1 + std::count(inner.begin(), inner.end(), '.'), act);
      });
  }
};

template <Cell C>
auto Recurrent<C>::initial_state(std::size_t batch) const -> State {
  State state = cell.initial_state(batch);
  detail::check_start(start.size(), state_parts(state), batch);
  if (!start.empty())
    for (std::size_t i = 0; Var * part : state_parts(state)) {
      *part = expand(Var(start[i]), part->shape());
      ++i;
    }
  return state;
}

template <Cell C>
auto Recurrent<C>::step(const Var& x, const State& state) const -> std::pair<Var, State> {
  check(x.dim() == 2, "recurrent: x of a step must be [B, in]; got {}", x.shape());
  check_state(state, initial_state(x.size(0)));
  State next = cell_step(cell, x, state);
  PooledVector<Shape> shapes;
  for_each_part(state, [&](const Var& part) { shapes.push_back(part.shape()); });
  detail::check_next(next, std::span<const Shape>(shapes), x.size(0));
  if (const detail::LoopNoise still = noise(0, 0, 0, nullptr); !still.zoneout_p.empty()) {
    const auto old = state_parts(state);
    for (std::size_t i = 0; Var * part : state_parts(next)) {
      *part = still.zone_out(i, *old[i], *part);
      ++i;
    }
  }
  const Var output = first_part(next);
  return {output, std::move(next)};
}

template <Cell C>
detail::LoopNoise Recurrent<C>::noise(std::size_t batch, std::size_t in, std::size_t width,
                                      Random* random) const {
  detail::LoopNoise noise;
  noise.zoneout_p.assign(dropout.zoneout.begin(), dropout.zoneout.end());
  if (!random) return noise;
  if (dropout.inputs > 0)
    noise.input_mask = detail::dropout_mask({batch, in}, dropout.inputs, *random);
  if (dropout.states > 0)
    noise.state_mask = detail::dropout_mask({batch, width}, dropout.states, *random);
  if (dropout.weights > 0)
    for_each_weight([&](const Parameter& weight) {
      const Var mask = detail::dropout_mask(weight.shape(), dropout.weights, *random);
      noise.weights.add(weight, weight * mask);
    });
  if (!noise.zoneout_p.empty()) noise.random.emplace(random->bits());
  return noise;
}

template <Cell C>
auto Recurrent<C>::operator()(const Var& x, const Options& options) const -> Result {
  using Wanted = detail::ScheduledLoop::Wanted;
  const Scope scope(path());
  std::optional<ParameterScope> parameters;
  if (!ParameterScope::current()) parameters.emplace();

  const detail::LayerCall call =
      detail::make_layer_call(x, options.lengths, options.reversed, options.batch_first);
  State state = initial_state(call.batch);
  if (options.state) {
    check_state(*options.state, state);
    state = *options.state;
  }
  const std::size_t width = first_part(state).size(1);

  detail::Vars parts;
  State like = state;
  for (Var* part : state_parts(like)) parts.push_back(call.sorted(std::exchange(*part, Var())));
  Result result;
  result.state = like;
  const std::size_t count = parts.size();
  detail::check_zoneout(dropout, count);
  if (call.schedule->total() == 0) {
    const auto nothing = [&](const Var& part) {
      Shape shape = part.shape();
      shape.insert(0, options.batch_first ? call.batch : call.steps);
      shape[1] = options.batch_first ? call.steps : call.batch;
      return zeros(shape);
    };
    if (options.all_outputs) result.outputs = nothing(first_part(state));
    if (options.all_states) {
      result.states = state;
      for_each_part(*result.states, [&](Var& part) { part = nothing(part); });
    }
    result.state = state;
    result.last_output = first_part(result.state);
    return result;
  }

  const Wanted wanted = options.all_states    ? Wanted::kStates
                        : options.all_outputs ? Wanted::kOutputs
                                              : Wanted::kFinalState;
  const std::size_t kept = options.all_states ? count : 1;
  const detail::Vars made = detail::run_loop(
      std::make_unique<detail::CellLoop<C>>(cell, call.schedule, parts, like, wanted,
                                            noise(call.batch, x.size(2), width, options.random)),
      call.flat, parts, options.checkpoint);
  if (options.all_outputs) result.outputs = call.in_order(made[0]);
  if (options.all_states) {
    result.states = like;
    for (std::size_t i = 0; Var * part : state_parts(*result.states)) {
      *part = i == 0 && result.outputs ? result.outputs : call.in_order(made[i]);
      ++i;
    }
  }
  for (std::size_t i = 0; Var * part : state_parts(result.state))
    *part = call.unsorted(made[kept + i++]);
  result.last_output = first_part(result.state);
  return result;
}

}  // namespace reel::inline REEL_PRECISION
