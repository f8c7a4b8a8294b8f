// The state of a cell or a layer: a tree of Vars.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <iterator>

namespace reel::inline REEL_PRECISION {

namespace detail {

template <class S>
concept StateRange = requires(S& s) {
  std::begin(s);
  std::end(s);
};

// Stands for any field while a struct's fields are counted.
struct AnyField {
  template <class T>
  requires std::is_same_v<T, Var> || std::is_aggregate_v<T> || StateRange<T>
  operator T() const;
};
template <class S, class... Fields>
constexpr std::size_t field_count() {
  if constexpr (requires { S{Fields()..., AnyField()}; })
    return field_count<S, Fields..., AnyField>();
  else
    return sizeof...(Fields);
}

template <class Act>
void for_each_field(auto& s, Act&& act) {
  constexpr std::size_t count =
      field_count<std::remove_const_t<std::remove_reference_t<decltype(s)>>>();
  static_assert(count >= 1 && count <= 8, "a struct within a state has one to eight fields");
  const auto each = [&](auto&... fields) { (act(fields), ...); };
  if constexpr (count == 1) {
    auto& [a] = s;
    each(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = s;
    each(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = s;
    each(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = s;
    each(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = s;
    each(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = s;
    each(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = s;
    each(a, b, c, d, e, f, g);
  } else {
    auto& [a, b, c, d, e, f, g, h] = s;
    each(a, b, c, d, e, f, g, h);
  }
}

}  // namespace detail

// A state is a Var, a struct of one to eight states, or a container of states. Calls act(Var&) for
// each Var in it, its parts, in order.
template <class State>
void for_each_part(State& state, auto&& act) {
  using S = std::remove_const_t<State>;
  if constexpr (std::is_same_v<S, Var>)
    act(state);
  else if constexpr (detail::StateRange<S>)
    for (auto& one : state) for_each_part(one, act);
  else
    detail::for_each_field(state, [&](auto& field) { for_each_part(field, act); });
}

// Pointers to the parts; valid while no container in the state changes.
template <class State>
auto state_parts(State& state) {
  using Part = std::conditional_t<std::is_const_v<State>, const Var, Var>;
  std::vector<Part*, PoolAllocator<Part*>> parts;
  for_each_part(state, [&](Part& part) { parts.push_back(&part); });
  return parts;
}
template <class State>
auto& first_part(State& state) {
  std::conditional_t<std::is_const_v<State>, const Var, Var>* first = nullptr;
  for_each_part(state, [&](auto& part) { first = first ? first : &part; });
  return *first;
}

// The state off its tape, to carry it from one window of truncated BPTT to the next.
template <class State>
requires(!std::is_convertible_v<State, Var>) State detach(State state) {
  for_each_part(state, [](Var& part) { part = detach(part); });
  return state;
}

}  // namespace reel::inline REEL_PRECISION
