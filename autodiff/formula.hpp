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
  template <std::size_t>
  real at(const auto&) const {
    return value;
  }
  void list(Steps&) const {}
};

struct None {  // in place of a further operand
  static constexpr std::size_t kInputs = 0;
  void list(Steps&) const {}
};

// The kernel of an op alone; compiled in elementwise.cpp for every op of the library.
template <class Single>
KernelRef op_kernel(const Single& f);

// An op on one to three formulas. Op is a function of numbers with a name, and may hold numbers.
template <class Op, class A, class B = None, class C = None>
struct Call {
  static constexpr std::size_t kInputs = A::kInputs + B::kInputs + C::kInputs;
  static constexpr const char* kName = Op::kName;

  [[no_unique_address]] Op op = {};
  [[no_unique_address]] A a = {};
  [[no_unique_address]] B b = {};
  [[no_unique_address]] C c = {};

  auto operator()(const auto&... xs) const { return at<0>(std::tie(xs...)); }

  template <std::size_t First>
  auto at(const auto& xs) const {
    constexpr std::size_t kSecond = First + A::kInputs, kThird = kSecond + B::kInputs;
    if constexpr (std::is_same_v<B, None>)
      return op(a.template at<First>(xs));
    else if constexpr (std::is_same_v<C, None>)
      return op(a.template at<First>(xs), b.template at<kSecond>(xs));
    else
      return op(a.template at<First>(xs), b.template at<kSecond>(xs), c.template at<kThird>(xs));
  }

  // This op, on inputs and constants.
  template <class Part>
  using Leaf = std::conditional_t<Part::kInputs == 0, Part, Input>;
  using Single = Call<Op, Leaf<A>, Leaf<B>, Leaf<C>>;
  static constexpr bool kComposed = !std::is_same_v<Single, Call>;  // of several ops
  Single single() const { return {op, leaf(a), leaf(b), leaf(c)}; }
  void list(Steps& steps) const {
    a.list(steps);
    b.list(steps);
    c.list(steps);
    steps.push_back(op_kernel(single()));
  }

 private:
  template <class Part>
  static Leaf<Part> leaf(const Part& part) {
    if constexpr (Part::kInputs == 0)
      return part;
    else
      return {};
  }
};

template <>
inline constexpr bool is_stateless<Input> = true;
template <>
inline constexpr bool is_stateless<None> = true;
template <class Op, class A, class B, class C>
inline constexpr bool is_stateless<Call<Op, A, B, C>> =
    is_stateless<Op>&& is_stateless<A>&& is_stateless<B>&& is_stateless<C>;

template <class Formula>
KernelRef formula_kernel(const Formula& f) {
  if constexpr (Formula::kComposed)
    return make_kernel<Formula::kInputs>(Formula::kName, f);
  else
    return op_kernel(f);
}

}  // namespace reel::inline REEL_PRECISION::detail
