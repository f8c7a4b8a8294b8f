// The recurrent layer: any cell, run over time.
#pragma once

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
std::vector<Var> hoisted_steps(const Var& projected, std::span<const std::size_t> rows_at);
// First `rows` rows of a state part; the others are appended to `finished`.
Var drop_finished(const Var& part, std::size_t rows, std::vector<Var>& finished);
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
  };
  struct Result {
    Var outputs;  // [T, B, width of the first state part]; empty without all_outputs
    State state;  // final
    // The output of each row's last step [B, width].
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
    for_each_parameter(cell, [&](const std::string& within, const Parameter& p) {
      std::string_view outer = layer_path(p, "");
      for (auto depth = std::count(within.begin(), within.end(), '.'); depth > 0; --depth)
        outer = outer.substr(0, outer.find('.') == outer.npos ? 0 : outer.rfind('.'));
      if (!outer.empty()) path = outer;
    });
    return path;
  }
};

template <Cell C>
auto Recurrent<C>::operator()(const Var& x, const Options& options) const -> Result {
  const Scope scope(path());
  std::optional<ParameterScope> parameters;
  if (!ParameterScope::current()) parameters.emplace();

  check(x.dim() == 3, "recurrent: x must be [T, B, in]; got {}", x.shape());
  const std::size_t steps = x.size(0), batch = x.size(1);
  const Schedule schedule(steps, batch, options.lengths);
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

  // [T, B, in] -> packed rows [total, in] -> hoisted product, cut into steps
  const auto rows = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  Var packed = reshape(x, {rows(steps * batch), -1});
  if (!schedule.is_full()) packed = gather(packed, schedule.pack());
  std::vector<Var> xs;
  if constexpr (Projecting<C>)
    xs = detail::hoisted_steps(cell.project(packed), schedule.rows_at());
  else
    xs = split(packed, schedule.rows_at(), 0);

  std::array<std::vector<Var>, std::tuple_size_v<decltype(state_parts(state))>> finished;
  const auto each_part = [&](auto&& change) {
    std::size_t i = 0;
    for (Var* part : state_parts(state)) *part = change(*part, finished[i++]);
  };
  if (!schedule.is_full())
    each_part([&](const Var& part, auto&) { return gather(part, schedule.order()); });

  std::vector<Var> outputs;
  for (std::size_t t = 0; t < xs.size(); ++t) {
    const std::size_t alive = schedule.rows_at()[t];
    if (alive < state_parts(state)[0]->size(0))
      each_part(
          [&](const Var& part, auto& done) { return detail::drop_finished(part, alive, done); });
    state = cell.step(std::move(xs[t]), state);
    if (options.all_outputs) outputs.push_back(*state_parts(state)[0]);
  }

  Result result;
  if (options.all_outputs) {
    result.outputs = concat(outputs, 0);
    if (!schedule.is_full()) result.outputs = gather(result.outputs, schedule.unpack());
    result.outputs = reshape(result.outputs, {rows(steps), rows(batch), -1});
  }
  if (!schedule.is_full())
    each_part([&](const Var& part, std::vector<Var>& done) {
      done.push_back(part);
      std::reverse(done.begin(), done.end());
      return gather(concat(done, 0), schedule.inverse());
    });
  result.state = state;
  return result;
}

}  // namespace reel::inline REEL_PRECISION
