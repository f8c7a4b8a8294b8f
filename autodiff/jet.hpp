// Jet: a Simd with mixed higher derivatives, for backward passes that are differentiated again.
#pragma once

#include <reel/autodiff/error.hpp>
#include <reel/autodiff/simd.hpp>

#include <array>

namespace reel::inline REEL_PRECISION {

// A number with nilpotent parts epsilon_0 .. epsilon_{level-1} (epsilon_i^2 = 0): coefficient s
// belongs to the product of the epsilon_i whose bit is set in s. Levels are a run-time matter, so
// one instantiation of a user's function serves every order of derivative.
class Jet {
 public:
  static constexpr int kMaxLevel = 4;

  Jet(Simd value = {}) { parts_[0] = value; }
  template <class T>
  requires std::is_arithmetic_v<T> Jet(T value) : Jet(Simd(value)) {}

  Simd value() const { return parts_[0]; }
  int level() const { return level_; }
  // The coefficients that contain epsilon_i, which is the last; or those that do not.
  Jet upper(int i) const;
  Jet lower(int i) const;
  static Jet join(const Jet& lower, const Jet& upper, int i);  // lower + upper * epsilon_i

  friend Jet operator+(const Jet& a, const Jet& b);
  friend Jet operator-(const Jet& a, const Jet& b);
  friend Jet operator*(const Jet& a, const Jet& b);
  friend Jet operator/(const Jet& a, const Jet& b);
  friend Jet operator-(const Jet& a) { return Jet(0) - a; }
  friend Mask operator<(const Jet& a, const Jet& b) { return a.value() < b.value(); }
  friend Mask operator<=(const Jet& a, const Jet& b) { return a.value() <= b.value(); }
  friend Mask operator>(const Jet& a, const Jet& b) { return a.value() > b.value(); }
  friend Mask operator>=(const Jet& a, const Jet& b) { return a.value() >= b.value(); }
  friend Mask operator==(const Jet& a, const Jet& b) { return a.value() == b.value(); }
  friend Jet where(Mask condition, const Jet& a, const Jet& b);

 private:
  int count() const { return 1 << level_; }

  int level_ = 0;
  std::array<Simd, 1 << kMaxLevel> parts_{};  // zero beyond count()
};

namespace detail {

// f(lo + hi e) = f(lo) + f'(lo) hi e, level by level.
template <class F>
Jet apply(const Jet& x) {
  if (x.level() == 0) return F::value(x.value());
  const int last = x.level() - 1;
  const Jet low = x.lower(last), y = apply<F>(low);
  return Jet::join(y, F::slope(low, y) * x.upper(last), last);
}
template <class F>
Jet apply(const Jet& a, const Jet& b) {
  const int level = std::max(a.level(), b.level());
  if (level == 0) return F::value(a.value(), b.value());
  const int last = level - 1;
  const Jet x = a.lower(last), z = b.lower(last), y = apply<F>(x, z);
  return Jet::join(y, F::slope_a(x, z, y) * a.upper(last) + F::slope_b(x, z, y) * b.upper(last),
                   last);
}

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
