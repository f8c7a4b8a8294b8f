// Dual: a Simd with some of its partial derivatives, for the backward pass of pointwise.
#pragma once

#include <reel/autodiff/simd.hpp>

#include <array>
#include <bit>

namespace reel::inline REEL_PRECISION {

// value + sum over the bits i of Inputs of partial_i * epsilon_i. Partials with respect to inputs
// outside the mask are zero and cost nothing.
template <unsigned Inputs>
struct Dual {
  static constexpr unsigned kInputs = Inputs;
  Simd value;
  std::array<Simd, std::popcount(Inputs)> partials{};

  static constexpr bool has(unsigned i) { return (Inputs >> i & 1u) != 0; }
  template <unsigned I>
  const Simd& partial() const {
    return partials[std::popcount(Inputs & ((1u << I) - 1))];
  }
  template <unsigned I>
  Simd& partial() {
    return partials[std::popcount(Inputs & ((1u << I) - 1))];
  }
};

// A fused function must become one loop without calls, however large it is.
#define REEL_INLINE [[gnu::always_inline]] inline

namespace detail {

template <class T>
inline constexpr bool is_dual = false;
template <unsigned Inputs>
inline constexpr bool is_dual<Dual<Inputs>> = true;

template <class A, class B>
concept DualPair = (is_dual<A> && (is_dual<B> || std::convertible_to<B, Simd>)) ||
                   (is_dual<B> && std::convertible_to<A, Simd>);

template <class T>
auto as_dual(const T& x) {
  if constexpr (is_dual<T>)
    return x;
  else
    return Dual<0>{Simd(x), {}};
}

// The dual with this value and the partials from_a(a's partial) + from_b(b's partial).
template <unsigned A, unsigned B, class FromA, class FromB>
REEL_INLINE Dual<A | B> combine(Simd value, const Dual<A>& a, const Dual<B>& b, FromA from_a,
                                FromB from_b) {
  Dual<A | B> y{value, {}};
  const auto one = [&]<unsigned I>(std::integral_constant<unsigned, I>) {
    if constexpr (Dual<A>::has(I) && Dual<B>::has(I))
      y.template partial<I>() = from_a(a.template partial<I>()) + from_b(b.template partial<I>());
    else if constexpr (Dual<A>::has(I))
      y.template partial<I>() = from_a(a.template partial<I>());
    else if constexpr (Dual<B>::has(I))
      y.template partial<I>() = from_b(b.template partial<I>());
  };
  const auto all = [&]<unsigned... I>(std::integer_sequence<unsigned, I...>) {
    (one(std::integral_constant<unsigned, I>{}), ...);
  };
  all(std::make_integer_sequence<unsigned, std::bit_width(A | B)>{});
  return y;
}

// y = f(x) with dy/dx = F::slope(x, y).
template <class F, unsigned A>
REEL_INLINE Dual<A> apply(const Dual<A>& x) {
  Dual<A> y{F::value(x.value), {}};
  if constexpr (A != 0) {
    const Simd slope = F::slope(x.value, y.value);
    for (std::size_t i = 0; i < x.partials.size(); ++i) y.partials[i] = slope * x.partials[i];
  }
  return y;
}
// y = f(a, b) with partials F::slope_a(a, b, y) and F::slope_b(a, b, y).
template <class F, class A, class B>
requires DualPair<A, B> REEL_INLINE auto apply(const A& a, const B& b) {
  const auto x = as_dual(a);
  const auto z = as_dual(b);
  const Simd y = F::value(x.value, z.value);
  return combine(
      y, x, z, [&](Simd d) { return F::slope_a(x.value, z.value, y) * d; },
      [&](Simd d) { return F::slope_b(x.value, z.value, y) * d; });
}

constexpr auto same = [](Simd d) { return d; };
constexpr auto negated = [](Simd d) { return -d; };

}  // namespace detail

template <unsigned A>
Dual<A> operator-(const Dual<A>& a) {
  return 0 - a;
}
template <class A, class B>
requires detail::DualPair<A, B> REEL_INLINE auto operator+(const A& a, const B& b) {
  const auto x = detail::as_dual(a);
  const auto z = detail::as_dual(b);
  return detail::combine(x.value + z.value, x, z, detail::same, detail::same);
}
template <class A, class B>
requires detail::DualPair<A, B> REEL_INLINE auto operator-(const A& a, const B& b) {
  const auto x = detail::as_dual(a);
  const auto z = detail::as_dual(b);
  return detail::combine(x.value - z.value, x, z, detail::same, detail::negated);
}
template <class A, class B>
requires detail::DualPair<A, B> REEL_INLINE auto operator*(const A& a, const B& b) {
  const auto x = detail::as_dual(a);
  const auto z = detail::as_dual(b);
  return detail::combine(
      x.value * z.value, x, z, [&](Simd d) { return d * z.value; },
      [&](Simd d) { return d * x.value; });
}
template <class A, class B>
requires detail::DualPair<A, B> REEL_INLINE auto operator/(const A& a, const B& b) {
  const auto x = detail::as_dual(a);
  const auto z = detail::as_dual(b);
  const Simd inverse = Simd(1) / z.value, y = x.value / z.value;
  return detail::combine(
      y, x, z, [&](Simd d) { return d * inverse; }, [&](Simd d) { return -(d * y * inverse); });
}

// Comparisons look at values alone.
template <class A, class B>
requires detail::DualPair<A, B> Mask operator<(const A& a, const B& b) {
  return detail::as_dual(a).value < detail::as_dual(b).value;
}
template <class A, class B>
requires detail::DualPair<A, B> Mask operator<=(const A& a, const B& b) {
  return detail::as_dual(a).value <= detail::as_dual(b).value;
}
template <class A, class B>
requires detail::DualPair<A, B> Mask operator>(const A& a, const B& b) { return b < a; }
template <class A, class B>
requires detail::DualPair<A, B> Mask operator>=(const A& a, const B& b) { return b <= a; }
template <class A, class B>
requires detail::DualPair<A, B> Mask operator==(const A& a, const B& b) {
  return detail::as_dual(a).value == detail::as_dual(b).value;
}
template <class A, class B>
requires detail::DualPair<A, B> REEL_INLINE auto where(Mask condition, const A& a, const B& b) {
  const auto x = detail::as_dual(a);
  const auto z = detail::as_dual(b);
  return detail::combine(
      where(condition, x.value, z.value), x, z,
      [&](Simd d) { return where(condition, d, Simd(0)); },
      [&](Simd d) { return where(condition, Simd(0), d); });
}

#undef REEL_INLINE

}  // namespace reel::inline REEL_PRECISION
