// The functions a pointwise lambda may call: each with its value and its slope, once, for Simd,
// Dual and Jet alike.
#pragma once

#include <reel/autodiff/dual.hpp>
#include <reel/autodiff/jet.hpp>

#include <numbers>

namespace reel::inline REEL_PRECISION {

// What a pointwise lambda computes with.
template <class T>
concept Number = std::same_as<T, Simd> || std::same_as<T, Jet> || detail::is_dual<T>;

namespace detail {

template <class F>
Simd apply(Simd x) {
  return F::value(x);
}
template <class F>
Simd apply(Simd a, Simd b) {
  return F::value(a, b);
}

template <class T>
Mask is_nan(const T& x) {
  if constexpr (Number<T>)
    return !(x == x);
  else
    return Mask(x != x);
}

// tanh to 7 units in the last place (5 with fused multiply-add), x p(x^2) / q(x^2), in a sixth of
// the time of xsimd's. Coefficients: Eigen's generic_fast_tanh_float.
[[gnu::always_inline]] inline Simd rational_tanh(Simd::Batch x) {
  using B = Simd::Batch;
  const B bound(real(7.99881172180175781)), one_from(real(9.02));
  const B t = xsimd::max(-bound, xsimd::min(bound, x));  // in this order NaN stays NaN
  const B s = t * t;
  const auto polynomial = [&](B sum, auto... coefficients) {
    ((sum = xsimd::fma(s, sum, B(real(coefficients)))), ...);
    return sum;
  };
  const B p = polynomial(B(real(-2.76076847742355e-16)), 2.00018790482477e-13,
                         -8.60467152213735e-11, 5.12229709037114e-08, 1.48572235717979e-05,
                         6.37261928875436e-04, 4.89352455891786e-03);
  const B q = polynomial(B(real(1.19825839466702e-06)), 1.18534705686654e-04, 2.26843463243900e-03,
                         4.89352518554385e-03);
  return xsimd::select(xsimd::abs(x) >= one_from, xsimd::copysign(B(real(1)), x), t * (p / q));
}

// e^x to 1.1 units in the last place: 2^n e^r with |r| <= log(2) / 2 (Cody & Waite 1980). AVX-512
// scales by 2^n in one instruction, which leaves a third fewer than xsimd's, with the same bits.
// Coefficients: xsimd's.
template <class B>
[[gnu::always_inline]] inline B exponential(B x) {
#if XSIMD_WITH_AVX512F
  if constexpr (std::same_as<B, xsimd::batch<float>>) {
    // Beyond, e^x is 0 or infinite; in this order NaN stays NaN.
    const B t = xsimd::max(B(float(-104)), xsimd::min(B(float(89)), x));
    const B n = xsimd::nearbyint(t * B(float(std::numbers::log2e)));
    B r = xsimd::fma(n, B(float(-0.693359375)), t);  // log(2) in two parts
    r = xsimd::fma(n, B(float(2.12194440e-4)), r);
    B sum(float(0x1.6ef19ep-10));
    for (const double coefficient : {0x1.131b16p-7, 0x1.5552aep-5, 0x1.55534ap-3, 0.5})
      sum = xsimd::fma(r, sum, B(float(coefficient)));
    return _mm512_scalef_ps(B(float(1)) + xsimd::fma(sum, r * r, r), n);
  }
#endif
  return xsimd::exp(x);
}

// One function: its value on registers, and dy/dx of (x, y).
struct Exp {
  static Simd value(Simd x) { return exponential(x.lanes); }
  static auto slope(auto, auto y) { return y; }
};
struct Log {
  static Simd value(Simd x) { return xsimd::log(x.lanes); }
  static auto slope(auto x, auto) { return 1 / x; }
};
struct Log1p {
  static Simd value(Simd x) { return xsimd::log1p(x.lanes); }
  static auto slope(auto x, auto) { return 1 / (1 + x); }
};
struct Expm1 {
  static Simd value(Simd x) { return xsimd::expm1(x.lanes); }
  static auto slope(auto, auto y) { return 1 + y; }
};
struct Sqrt {
  static Simd value(Simd x) { return xsimd::sqrt(x.lanes); }
  static auto slope(auto, auto y) { return 0.5 / y; }
};
// sin(x + quarters pi/2), each lane by itself: xsimd reduces a register by its largest element.
// x = n pi/2 + r with |r| <= pi/4 (Cody & Waite 1980); far from 0, where r loses digits, by std.
inline Simd sin_of_quarters(Simd x, int quarters) {
  constexpr bool kFloat = std::same_as<real, float>;
  constexpr double kHalfPi[3] = {kFloat ? 1.5703125 : 1.57079632673412561417,
                                 kFloat ? 4.837512969970703125e-4 : 6.07710050630396597660e-11,
                                 kFloat ? 7.549789948768648e-8 : 2.02226624871116645580e-21};
  constexpr auto kQuarter = static_cast<real>(std::numbers::pi / 4);
  const Simd n = xsimd::nearbyint((x * static_cast<real>(2 / std::numbers::pi)).lanes);
  Simd r = x;
  for (const double part : kHalfPi)
    r = xsimd::fma((-n).lanes, Simd(static_cast<real>(part)).lanes, r.lanes);
  r = xsimd::min(xsimd::max(r.lanes, Simd(-kQuarter).lanes), Simd(kQuarter).lanes);
  const Simd turned = n + static_cast<real>(quarters);
  const Simd k = turned - 4 * Simd(xsimd::floor((turned * real(0.25)).lanes));
  const Simd y =
      where((k == Simd(1)) | (k == Simd(3)), Simd(xsimd::cos(r.lanes)), Simd(xsimd::sin(r.lanes)));
  const Simd near = where(x == x, where(k >= Simd(2), -y, y), x);  // the bounds dropped NaN
  const Simd size = xsimd::abs(x.lanes);
  const Mask far = size > Simd(kFloat ? 1000 : 100'000);
  if (!xsimd::any(far)) return near;
  return where(far, per_lane([&](real v) { return quarters == 0 ? std::sin(v) : std::cos(v); }, x),
               near);
}
struct Sin {
  static Simd value(Simd x) { return sin_of_quarters(x, 0); }
  static auto slope(auto x, auto);
};
struct Cos {
  static Simd value(Simd x) { return sin_of_quarters(x, 1); }
  static auto slope(auto x, auto) { return -apply<Sin>(x); }
};
auto Sin::slope(auto x, auto) { return apply<Cos>(x); }
struct Sigmoid {
  static Simd value(Simd x) { return Simd(1) / (Simd(1) + exponential(-x.lanes)); }
  static auto slope(auto, auto y) { return y * (1 - y); }
};
struct Tanh {
  static Simd value(Simd x) {
    if constexpr (std::same_as<real, float>)
      return rational_tanh(x.lanes);
    else
      return xsimd::tanh(x.lanes);
  }
  static auto slope(auto, auto y) { return 1 - y * y; }
};
struct Erf {
  static Simd value(Simd x) { return xsimd::erf(x.lanes); }
  static auto slope(auto x, auto) { return 2 * std::numbers::inv_sqrtpi * apply<Exp>(-(x * x)); }
};
struct Erfc {  // 1 - erf(x), exact in the tail
  static Simd value(Simd x) { return xsimd::erfc(x.lanes); }
  static auto slope(auto x, auto) { return -2 * std::numbers::inv_sqrtpi * apply<Exp>(-(x * x)); }
};
struct Softplus {
  static Simd value(Simd x) {
    return xsimd::max(x.lanes, Simd::Batch(real(0))) +
           xsimd::log1p(exponential(-xsimd::abs(x.lanes)));
  }
  static auto slope(auto x, auto) { return apply<Sigmoid>(x); }
};
struct Sign {  // slope 0 everywhere, at 0 too
  static Simd value(Simd x) { return where(x > 0, Simd(1), where(x < 0, Simd(-1), x)); }
  static auto slope(auto, auto y) { return 0 * y; }
};
struct Abs {  // slope 0 at 0
  static Simd value(Simd x) { return xsimd::abs(x.lanes); }
  static auto slope(auto x, auto) { return apply<Sign>(x); }
};
// a^b. d/db is taken as 0 where a <= 0, where log a does not exist.
struct Pow {
  static Simd value(Simd a, Simd b) {
    return per_lane([](real x, real y) { return std::pow(x, y); }, a, b);
  }
  static auto slope_a(auto a, auto b, auto) { return where(b == 0, 0, b * apply<Pow>(a, b - 1)); }
  static auto slope_b(auto a, auto, auto y) {
    return where(a > 0, y * apply<Log>(where(a > 0, a, 1)), 0);
  }
};

}  // namespace detail

// clang-format off
template <Number T> auto exp(const T& x) { return detail::apply<detail::Exp>(x); }
template <Number T> auto log(const T& x) { return detail::apply<detail::Log>(x); }
template <Number T> auto log1p(const T& x) { return detail::apply<detail::Log1p>(x); }
template <Number T> auto expm1(const T& x) { return detail::apply<detail::Expm1>(x); }
template <Number T> auto sqrt(const T& x) { return detail::apply<detail::Sqrt>(x); }
template <Number T> auto sin(const T& x) { return detail::apply<detail::Sin>(x); }
template <Number T> auto cos(const T& x) { return detail::apply<detail::Cos>(x); }
template <Number T> auto sigmoid(const T& x) { return detail::apply<detail::Sigmoid>(x); }
template <Number T> auto tanh(const T& x) { return detail::apply<detail::Tanh>(x); }
template <Number T> auto erf(const T& x) { return detail::apply<detail::Erf>(x); }
template <Number T> auto erfc(const T& x) { return detail::apply<detail::Erfc>(x); }
template <Number T> auto sign(const T& x) { return detail::apply<detail::Sign>(x); }
template <Number T> auto abs(const T& x) { return detail::apply<detail::Abs>(x); }
template <class A, class B> requires (Number<A> || Number<B>)
auto pow(const A& a, const B& b) { return detail::apply<detail::Pow>(a, b); }
template <Number T> auto square(const T& x) { return x * x; }
template <Number T> auto reciprocal(const T& x) { return 1 / x; }
// NaN in, NaN out; at a tie the gradient goes to a.
template <class A, class B> requires (Number<A> || Number<B>)
auto max(const A& a, const B& b) { return where((b > a) | detail::is_nan(b), b, a); }
template <class A, class B> requires (Number<A> || Number<B>)
auto min(const A& a, const B& b) { return where((b < a) | detail::is_nan(b), b, a); }
// Slope 0 at 0.
template <Number T> auto relu(const T& x) { return where(x <= 0, 0, x); }
template <Number T> auto leaky_relu(const T& x, real slope) { return where(x < 0, slope * x, x); }
template <Number T> auto elu(const T& x, real alpha) {
  return where(x <= 0, alpha * expm1(min(x, 0)), x);
}
// log(1 + e^x)
template <Number T> auto softplus(const T& x) { return detail::apply<detail::Softplus>(x); }
template <Number T> auto silu(const T& x) { return x * sigmoid(x); }
// x Phi(x), Phi the standard normal distribution (Hendrycks & Gimpel 2016)
template <Number T> auto gelu(const T& x) { return 0.5 * x * erfc(-x / std::numbers::sqrt2); }
template <Number T> auto clamp(const T& x, real low, real high) {
  return where(x < low, low, where(x > high, high, x));
}
// clang-format on

}  // namespace reel::inline REEL_PRECISION
