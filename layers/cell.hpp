// What makes a recurrent cell.
#pragma once

#include <reel/layers/state.hpp>

#include <concepts>

namespace reel::inline REEL_PRECISION {

// One time step as a value: parameters as fields, a State (see state.hpp), its start, and the step
// itself. Time, lengths, batches and streaming belong to the recurrent layer.
//   State initial_state(std::size_t batch) const;     parts [batch, ..]
//   State step(Var x, const State& state) const;      x [batch, in]; as many parts and rows
// The first part of the state is the cell's output [batch, width]. A step does the same ops each
// time and keeps nothing of what it computes: a layer may record one and replay it for the others.
//
// A cell may also have
//   Projected project(const Var& x) const;   the part of the step that needs no state, a Var or a
// struct of Vars. It is applied to many rows at once ([rows, in] -> [rows, anything], those of some
// steps that follow each other), and step gets its rows instead of x.
// Passing that x on with std::move, as affine(state.h, weight, std::move(x)), saves a copy.
//
// Instead of the step above a cell may have
//   State step(Var x, const State& state, const Var& h) const;
// where h stands for the output in the state wherever a weight is multiplied by it, and for
// nothing else: the layer's dropout on states replaces it. DropConnect is applied to parameters
// whose names begin with weight_hh.
template <class C>
concept Projecting = requires(const C& cell, const Var& x) {
  cell.project(x);
};

namespace detail {

template <class C>
struct StepInputOf {
  using Type = Var;
};
template <Projecting C>
struct StepInputOf<C> {
  using Result = decltype(std::declval<const C&>().project(std::declval<const Var&>()));
  using Type = std::conditional_t<std::is_convertible_v<Result, Var>, Var, Result>;
};

}  // namespace detail

// What the step of C gets for x.
template <class C>
using StepInput = typename detail::StepInputOf<C>::Type;

// Has the cell a place for dropout on its state?
template <class C>
concept TakesRecurrentInput = requires(const C& cell, StepInput<C> x,
                                       const typename C::State& state, const Var& h) {
  { cell.step(std::move(x), state, h) } -> std::same_as<typename C::State>;
};
template <class C>
concept Cell = requires(const C& cell, StepInput<C> x, const typename C::State& state) {
  { cell.initial_state(std::size_t{1}) } -> std::same_as<typename C::State>;
  requires TakesRecurrentInput<C> || requires {
    { cell.step(std::move(x), state) } -> std::same_as<typename C::State>;
  };
};

// The step of a cell, whichever form it has.
template <Cell C>
typename C::State step_of(const C& cell, StepInput<C>&& x, const typename C::State& state) {
  if constexpr (TakesRecurrentInput<C>)
    return cell.step(std::move(x), state, first_part(state));
  else
    return cell.step(std::move(x), state);
}

// One whole step of a cell on x [batch, in].
template <Cell C>
typename C::State cell_step(const C& cell, const Var& x, const typename C::State& state) {
  if constexpr (Projecting<C>)
    return step_of(cell, cell.project(x), state);
  else
    return step_of(cell, StepInput<C>(x), state);
}

}  // namespace reel::inline REEL_PRECISION
