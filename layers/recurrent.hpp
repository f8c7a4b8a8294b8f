// The recurrent layer: any cell, run over time.
#pragma once

#include <reel/autodiff/checkpoint.hpp>
#include <reel/autodiff/parameter_scope.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/cell.hpp>
#include <reel/layers/module.hpp>
#include <reel/layers/schedule.hpp>

#include <algorithm>
#include <optional>

namespace reel::inline REEL_PRECISION {

namespace detail {

// The rows of a hoisted product, one Var per step, each of which its step may overwrite.
Vars hoisted_steps(const Var& projected, std::span<const std::size_t> rows_at);
// First `rows` rows of a state part; the others are appended to `finished`.
Var drop_finished(const Var& part, std::size_t rows, Vars& finished);

// A cell's steps as a loop over x [T B, in]. Output 0 is the first state part after each step,
// packed rows [total, width]; output 1 + i is the final state's part i, sorted rows [B, width].
class ScheduledLoop : public Loop {
 public:
  ScheduledLoop(std::shared_ptr<const Schedule> schedule, const Vars& state, bool all_outputs);

  std::size_t steps() const override { return schedule_->steps(); }
  std::size_t outputs() const override { return widths_.size() + 1; }
  Shape output_shape(std::size_t output) const override;
  Rows input_rows(std::size_t begin, std::size_t end) const override;
  Rows output_rows(std::size_t output, std::size_t begin, std::size_t end) const override;

 protected:
  Var packed(const Var& x, std::size_t begin, std::size_t end) const;
  using Counts = std::vector<std::size_t, PoolAllocator<std::size_t>>;
  Counts rows_at(std::size_t begin, std::size_t end) const;
  // Sorted rows that have ended before a step.
  Var finished(Vars& parts) const;

  const std::shared_ptr<const Schedule> schedule_;
  ShortList<std::size_t> widths_;  // of the state parts
  bool all_outputs_;
};

template <Cell C>
class CellLoop final : public ScheduledLoop {
 public:
  CellLoop(const C& cell, std::shared_ptr<const Schedule> schedule, const Vars& state,
           bool all_outputs)
      : ScheduledLoop(std::move(schedule), state, all_outputs), cell_(cell) {}
  Vars run(std::size_t begin, std::size_t end, const Var& x, Vars& parts) const override;

 private:
  const C& cell_;
};

// How a loop is to be run, given what records and what is asked for.
Vars run_loop(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
              const std::optional<Checkpointing>& checkpoint);

template <Cell C>
Vars CellLoop<C>::run(std::size_t begin, std::size_t end, const Var& x, Vars& parts) const {
  typename C::State state;
  const auto all_parts = state_parts(state);
  for (std::size_t i = 0; i < all_parts.size(); ++i) *all_parts[i] = std::move(parts[i]);

  Vars xs(end - begin);
  if constexpr (Projecting<C>)
    xs = hoisted_steps(cell_.project(packed(x, begin, end)), rows_at(begin, end));
  else
    split_into(xs, packed(x, begin, end), rows_at(begin, end), 0);

  // A state belongs to the run that it enters: see Loop::run.
  const bool last = end == steps();
  Vars outputs;
  std::array<Vars, std::tuple_size_v<decltype(state_parts(state))>> done;
  if (all_outputs_ && begin > 0) outputs.push_back(*all_parts[0]);
  for (std::size_t t = begin; t < end; ++t) {
    const std::size_t alive = schedule_->rows_at(t);
    if (alive < all_parts[0]->size(0))
      for (std::size_t i = 0; i < done.size(); ++i)
        *all_parts[i] = drop_finished(*all_parts[i], alive, done[i]);
    state = cell_.step(std::move(xs[t - begin]), state);
    if (all_outputs_ && (last || t + 1 < end)) outputs.push_back(*all_parts[0]);
  }

  Vars results{outputs.empty() ? Var() : concat(outputs, 0)};
  for (std::size_t i = 0; i < done.size(); ++i) {
    parts[i] = *all_parts[i];
    if (last) done[i].push_back(parts[i]);
    results.push_back(finished(done[i]));
  }
  return results;
}

}  // namespace detail

// Runs a cell over x [T, B, in]. Rows may have lengths, in any order, 0 included: what lies past
// a row's end is never read, its outputs are zero, its gradient is zero, and its final state is
// the one after its own last step. The work is proportional to the sum of the lengths.
template <Cell C>
struct Recurrent {
  using State = typename C::State;
  struct Options {
    std::span<const std::size_t> lengths = {};  // [B]; none: all T
    std::optional<State> state = {};            // initial, parts [B, width]; none: the cell's own
    bool all_outputs = true;                    // false: only the final state is wanted
    // The cell runs from each row's own end to its start. Outputs stand where their elements do;
    // the final state is the one after the row's first element.
    bool reversed = false;
    // While a tape records: keep few states, compute the others again in backward. Gradients are
    // the same; the layer must live as long as the tape; a cell's project sees some steps at a
    // time; what its step draws from a Random is drawn again.
    std::optional<Checkpointing> checkpoint = {};
  };
  struct Result {
    Var outputs;  // [T, B, width of the first state part]; empty without all_outputs
    State state;  // final
    // The output of the step that each row ends with [B, width].
    Var last() const { return *state_parts(state)[0]; }
  };

  C cell;

  explicit Recurrent(C c) : cell(std::move(c)) {}

  Result operator()(const Var& x, const Options& options) const;
  Result operator()(const Var& x) const { return (*this)(x, Options{}); }

  // PyTorch's names: those of the cell with the layer's number.
  static void fields(auto& self, auto&& visit) {
    self.cell.fields(self.cell, [&](std::string_view name, auto& field) {
      visit(std::string(name) + "_l0", field);
    });
  }

 private:
  // Of any parameter's name, what stands before its path within the cell.
  std::string_view path() const {
    std::string_view path = "recurrent";
    for_each_depth(cell, 0, [&](const Parameter& p, std::ptrdiff_t depth) {
      std::string_view outer = layer_path(p, "");
      for (; depth > 1; --depth)
        outer = outer.substr(0, outer.find('.') == outer.npos ? 0 : outer.rfind('.'));
      if (!outer.empty()) path = outer;
    });
    return path;
  }
  // act(parameter, number of names that lead to it); unlike for_each_parameter joins no names.
  template <class Module>
  static void for_each_depth(const Module& module, std::ptrdiff_t depth, auto&& act) {
    if constexpr (std::is_same_v<Module, Parameter>)
      act(module, depth);
    else
      Module::fields(module, [&](std::string_view name, auto& field) {
        for_each_depth(field, depth + 1 + std::count(name.begin(), name.end(), '.'), act);
      });
  }
};

template <Cell C>
auto Recurrent<C>::operator()(const Var& x, const Options& options) const -> Result {
  const Scope scope(path());
  std::optional<ParameterScope> parameters;
  if (!ParameterScope::current()) parameters.emplace();

  check(x.dim() == 3, "recurrent: x must be [T, B, in]; got {}", x.shape());
  const std::size_t steps = x.size(0), batch = x.size(1);
  const auto shared = std::allocate_shared<Schedule>(PoolAllocator<Schedule>(), steps, batch,
                                                     options.lengths, options.reversed);
  const Schedule& schedule = *shared;
  State state = cell.initial_state(batch);
  if (options.state) {
    State given = *options.state;
    for (std::size_t i = 0; i < state_parts(state).size(); ++i)
      check(state_parts(given)[i]->shape() == state_parts(state)[i]->shape(),
            "recurrent: part {} of the initial state must be {}; got {}", i,
            state_parts(state)[i]->shape(), state_parts(given)[i]->shape());
    state = given;
  }
  const std::size_t width = state_parts(state)[0]->size(1);
  if (schedule.total() == 0)
    return {options.all_outputs ? zeros({steps, batch, width}) : Var(), state};

  // [T, B, in] -> [T B, in]; rows of the state by falling length
  const auto rows = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  Var flat = reshape(x, {rows(steps * batch), -1});
  if (options.reversed) flat = gather(flat, schedule.reversal());
  detail::Vars parts;
  for (Var* part : state_parts(state))
    parts.push_back(schedule.is_full() ? *part : gather(*part, schedule.order()));
  const detail::Vars made = detail::run_loop(
      std::make_unique<detail::CellLoop<C>>(cell, shared, parts, options.all_outputs), flat, parts,
      options.checkpoint);

  Result result;
  if (options.all_outputs) {
    const bool in_order = schedule.is_full() && !options.reversed;
    result.outputs = in_order ? made[0] : gather(made[0], schedule.unpack());
    result.outputs = reshape(result.outputs, {rows(steps), rows(batch), -1});
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    *state_parts(result.state)[i] =
        schedule.is_full() ? made[i + 1] : gather(made[i + 1], schedule.inverse());
  return result;
}

}  // namespace reel::inline REEL_PRECISION
