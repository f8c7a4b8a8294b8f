// Formulas: elementwise functions as types, put together from ops, inputs and constants.
#pragma once

#include <reel/autodiff/pointwise.hpp>

namespace reel::inline REEL_PRECISION::detail {

// A formula is a function of kInputs numbers. at<First>(xs) applies it to the numbers First,
// First + 1, .. of the tuple xs. Each mention of an input is an input of its own.
struct Input {
  static constexpr std::size_t kInputs = 1;
  template <std::size_t First>
  const auto& at(const auto& xs) const {
    return std::get<First>(xs);
  }
  void list(Steps& steps) const { steps.emplace_back(); }
};

struct Constant {
  static constexpr std::size_t kInputs = 0;
  real value = 0;
  template <std::size_t First>
  real at(const auto&) const {
    return value;
  }
  void list(Steps&) const {}
};

template <class Op, class... Parts>
struct Call;

template <class F>
inline constexpr bool is_call = false;
template <class Op, class... Parts>
inline constexpr bool is_call<Call<Op, Parts...>> = true;

// The kernel of an op alone; compiled in elementwise.cpp for every op of the library.
template <class Op, class... Parts>
KernelRef op_kernel(const Call<Op, Parts...>& single);

// An op on formulas. Op is a function of numbers with a name, and may hold numbers itself.
template <class Op, class... Parts>
struct Call {
  static constexpr std::size_t kInputs = (Parts::kInputs + ...);
  static constexpr bool kComposed = (is_call<Parts> || ...);  // of several ops
  static constexpr const char* kName = Op::kName;

  [[no_unique_address]] Op op;
  [[no_unique_address]] std::tuple<Parts...> parts;

  auto operator()(const auto&... xs) const { return at<0>(std::tie(xs...)); }

  template <std::size_t First>
  auto at(const auto& xs) const {
    return apply<First>(xs, std::index_sequence_for<Parts...>());
  }

  // This op, on inputs and constants.
  auto single() const {
    return std::apply([&](const auto&... part) { return call(op, operand(part)...); }, parts);
  }
  void list(Steps& steps) const {
    std::apply([&](const auto&... part) { (part.list(steps), ...); }, parts);
    steps.push_back(op_kernel(single()));
  }

 private:
  // Inputs of the parts before part k.
  static constexpr std::size_t before(std::size_t k) {
    constexpr std::array<std::size_t, sizeof...(Parts)> counts{Parts::kInputs...};
    std::size_t sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += counts[i];
    return sum;
  }
  template <std::size_t First, std::size_t... K>
  auto apply(const auto& xs, std::index_sequence<K...>) const {
    return op(std::get<K>(parts).template at<First + before(K)>(xs)...);
  }
  static Input operand(const auto&) { return {}; }
  static Constant operand(const Constant& constant) { return constant; }
  template <class... Operands>
  static Call<Op, Operands...> call(const Op& op, const Operands&... operands) {
    return {op, {operands...}};
  }
};

template <>
inline constexpr bool is_stateless<Input> = true;
template <class Op, class... Parts>
inline constexpr bool is_stateless<Call<Op, Parts...>> =
    is_stateless<Op> && (is_stateless<Parts> && ...);

template <class Op, class... Parts>
KernelRef formula_kernel(const Call<Op, Parts...>& f) {
  using Formula = Call<Op, Parts...>;
  if constexpr (Formula::kComposed)
    return make_kernel<Formula::kInputs>(Op::kName, f);
  else
    return op_kernel(f);
}

}  // namespace reel::inline REEL_PRECISION::detail
