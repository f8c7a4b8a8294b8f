// Does a cell keep the rules that the recurrent layers rely on?
#pragma once

#include <reel/layers/recurrent.hpp>

#include <functional>
#include <limits>
#include <memory>

namespace reel::inline REEL_PRECISION {

struct CellCheckOptions {
  std::size_t input = 0;   // width of x; 0: found from the shapes of the cell's parameters
  std::uint64_t seed = 1;  // of x, of the states, of the noise
  int orders = 2;          // of the derivatives to check, 0 to 2; only reel64 checks any
  // The check runs on a copy of the cell to whose parameters up to this much is added, so that
  // nothing hides behind a number that starts at zero. States are those that the cell reaches in
  // a few steps, plus as much.
  double noise = 0.05;
  // Allowed where sums may be added up in another order, relative to an array's largest number.
  double rounding = 512 * std::numeric_limits<real>::epsilon();
  bool forgets = false;  // the cell is meant to take nothing from the state it is given
  bool streams = true;   // false: the step is not made of ops that a stream can replay
};

struct CellCheck {
  enum class Outcome { kPassed, kFailed, kSkipped };
  std::string name;
  std::string rule;  // what must hold
  Outcome outcome;
  std::string message;  // what broke the rule, where and by how much; or why skipped; or how close
};

struct CellReport {
  std::vector<CellCheck> checks;

  bool ok() const;  // none has failed
  explicit operator bool() const { return ok(); }
  const CellCheck& operator[](std::string_view name) const;  // throws Error if there is none
  std::string text() const;                                  // a line or two for each check
};

namespace detail {

struct LayerRun {
  Var outputs;
  Vars state;  // final, its parts
};
struct NamedParameter {
  std::string name;
  Parameter* parameter;
};

// A cell and its recurrent layer without their types; states are lists of parts.
class AnyCell {
 public:
  struct Call {
    std::vector<std::size_t> lengths = {};
    std::optional<Vars> state = {};
    bool reversed = false;
    std::optional<Checkpointing> checkpoint = {};
  };
  virtual ~AnyCell() = default;
  virtual Vars initial_state(std::size_t batch) const = 0;
  virtual Vars step(const Var& x, const Vars& state) const = 0;
  // The step without a place for dropout on h, if the cell has both forms.
  virtual std::optional<Vars> plain_step(const Var& x, const Vars& state) const = 0;
  // The step with another h, if the cell has a place for it.
  virtual std::optional<Vars> step_with(const Var& x, const Vars& state, const Var& h) const = 0;
  virtual std::optional<Vars> project(const Var& x) const = 0;
  virtual LayerRun layer(const Var& x, const Call& call) const = 0;
  virtual LayerRun steps(const Var& x, const Vars& state) const = 0;
  virtual LayerRun stream(const Var& x, const Vars& state) const = 0;

  std::vector<NamedParameter> parameters;
};

// x [T, B, in] step by step: outputs [T, B, width], final state.
template <class Layer>
std::pair<Var, typename Layer::State> run_by_steps(const Layer& layer, const Var& x,
                                                   typename Layer::State state) {
  Vars outputs;
  for (std::size_t t = 0; t < x.size(0); ++t) {
    auto [output, next] = layer.step(index(x, 0, static_cast<std::ptrdiff_t>(t)), state);
    outputs.push_back(std::move(output));
    state = std::move(next);
  }
  return {reel::stack(outputs, 0), std::move(state)};
}
// The same through a stream.
template <class Layer>
std::pair<Var, typename Layer::State> run_as_stream(const Layer& layer, const Var& x,
                                                    const typename Layer::State& state) {
  auto stream = layer.stream(x.size(1), x.size(2));
  stream.set_state(state);
  Vars outputs;
  for (std::size_t t = 0; t < x.size(0); ++t)
    outputs.emplace_back(stream.step(Array(index(x, 0, static_cast<std::ptrdiff_t>(t)).value())));
  return {reel::stack(outputs, 0), stream.state()};
}

template <class State>
Vars parts_of(const State& state) {
  Vars parts;
  for_each_part(state, [&](const Var& part) { parts.push_back(part); });
  return parts;
}
// Parts in the place of those of `like`; there must be as many.
template <class State>
State state_of(State like, const Vars& parts) {
  const auto places = state_parts(like);
  check(places.size() == parts.size(), "state: there must be {} parts; got {}", places.size(),
        parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) *places[i] = parts[i];
  return like;
}

template <Cell C>
class AnyCellOf final : public AnyCell {
 public:
  explicit AnyCellOf(const C& cell) : layer_(cell), like_(layer_.cell.initial_state(1)) {
    for_each_parameter(layer_.cell, [&](const std::string& name, Parameter& parameter) {
      parameter.name = name;
      parameters.push_back({name, &parameter});
    });
  }

  Vars initial_state(std::size_t batch) const override {
    return parts_of(layer_.cell.initial_state(batch));
  }
  Vars step(const Var& x, const Vars& state) const override {
    return parts_of(cell_step(layer_.cell, x, state_of(like_, state)));
  }
  std::optional<Vars> plain_step(const Var& x, const Vars& state) const override {
    const C& cell = layer_.cell;
    constexpr bool kBoth = TakesRecurrentInput<C> && requires(StepInput<C> in, const State& s) {
      { cell.step(std::move(in), s) } -> std::same_as<State>;
    };
    if constexpr (kBoth) {
      if constexpr (Projecting<C>)
        return parts_of(cell.step(StepInput<C>(cell.project(x)), state_of(like_, state)));
      else
        return parts_of(cell.step(StepInput<C>(x), state_of(like_, state)));
    }
    return {};
  }
  std::optional<Vars> step_with(const Var& x, const Vars& state, const Var& h) const override {
    if constexpr (TakesRecurrentInput<C>) {
      const C& cell = layer_.cell;
      if constexpr (Projecting<C>)
        return parts_of(cell.step(StepInput<C>(cell.project(x)), state_of(like_, state), h));
      else
        return parts_of(cell.step(StepInput<C>(x), state_of(like_, state), h));
    }
    return {};
  }
  std::optional<Vars> project(const Var& x) const override {
    if constexpr (Projecting<C>)
      return parts_of(StepInput<C>(layer_.cell.project(x)));
    else
      return {};
  }
  LayerRun layer(const Var& x, const Call& call) const override {
    typename Recurrent<C>::Options options{
        .lengths = call.lengths, .reversed = call.reversed, .checkpoint = call.checkpoint};
    if (call.state) options.state = state_of(like_, *call.state);
    const auto result = layer_(x, options);
    return {result.outputs, parts_of(result.state)};
  }
  LayerRun steps(const Var& x, const Vars& state) const override {
    const auto [outputs, last] = run_by_steps(layer_, x, state_of(like_, state));
    return {outputs, parts_of(last)};
  }
  LayerRun stream(const Var& x, const Vars& state) const override {
    const auto [outputs, last] = run_as_stream(layer_, x, state_of(like_, state));
    return {outputs, parts_of(last)};
  }

 private:
  using State = typename C::State;
  Recurrent<C> layer_;
  const State like_;
};

CellReport check_any_cell(const std::function<std::unique_ptr<AnyCell>()>& make,
                          const CellCheckOptions& options);

}  // namespace detail

// Runs for any cell what the library's own cells have to pass; docs/custom-cells.md says what each
// check is about. A broken cell is reported, not thrown. The cell is copied and stays as it is.
template <Cell C>
CellReport check_cell(const C& cell, const CellCheckOptions& options = {}) {
  return detail::check_any_cell([&] { return std::make_unique<detail::AnyCellOf<C>>(cell); },
                                options);
}

}  // namespace reel::inline REEL_PRECISION
