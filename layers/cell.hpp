// What makes a recurrent cell.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <concepts>

namespace reel::inline REEL_PRECISION {

namespace detail {

struct AnyVar {
  operator Var() const;
};
}  // namespace detail

// A state is a struct of one to four Vars, each [batch, width]; the first is the cell's output.
// Pointers to its parts.
template <class State>
requires std::is_aggregate_v<State>
auto state_parts(State& state) {
  constexpr detail::AnyVar any;
  static_assert(
      !requires {
        State{any, any, any, any, any};
      },
      "a state has at most four parts");
  if constexpr (requires { State{any, any, any, any}; }) {
    auto& [a, b, c, d] = state;
    return std::array{&a, &b, &c, &d};
  } else if constexpr (requires { State{any, any, any}; }) {
    auto& [a, b, c] = state;
    return std::array{&a, &b, &c};
  } else if constexpr (requires { State{any, any}; }) {
    auto& [a, b] = state;
    return std::array{&a, &b};
  } else {
    auto& [a] = state;
    return std::array{&a};
  }
}

// One time step as a value: parameters as fields, a State, its start, and the step itself. Time,
// lengths, batches and streaming belong to the recurrent layer.
//   State initial_state(std::size_t batch) const;
//   State step(Var x, const State& state) const;          x [batch, in]
// A cell may also have
//   Var project(const Var& x) const;   the part of the step that needs no state. It is applied to
// many time steps at once ([rows, in] -> [rows, anything]; all of them while a tape records without
// checkpoints), and step gets its rows instead of x.
// Passing that x on with std::move, as affine(state.h, weight, std::move(x)), saves a copy.
template <class C>
concept Cell = requires(const C& cell, Var x, const typename C::State& state) {
  { cell.initial_state(std::size_t{1}) } -> std::same_as<typename C::State>;
  { cell.step(x, state) } -> std::same_as<typename C::State>;
};

template <class C>
concept Projecting = requires(const C& cell, const Var& x) {
  { cell.project(x) } -> std::convertible_to<Var>;
};

// One whole step of a cell on x [batch, in].
template <Cell C>
typename C::State cell_step(const C& cell, const Var& x, const typename C::State& state) {
  if constexpr (Projecting<C>)
    return cell.step(cell.project(x), state);
  else
    return cell.step(x, state);
}

// The state off its tape, to carry it from one window of truncated BPTT to the next.
template <class State>
requires std::is_aggregate_v<State> State detach(State state) {
  for (Var* part : state_parts(state)) *part = detach(*part);
  return state;
}

}  // namespace reel::inline REEL_PRECISION
