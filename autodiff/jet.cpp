#include <reel/autodiff/jet.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

Jet Jet::lower(int i) const {
  Jet low;
  low.level_ = std::min(level_, i);
  std::copy_n(parts_.begin(), low.count(), low.parts_.begin());
  return low;
}

Jet Jet::upper(int i) const {
  Jet up;
  if (level_ <= i) return up;
  up.level_ = i;
  std::copy_n(parts_.begin() + (1 << i), up.count(), up.parts_.begin());
  return up;
}

Jet Jet::join(const Jet& lower, const Jet& upper, int i) {
  check<Error>(i < kMaxLevel, "pointwise: derivatives up to order {} are supported", kMaxLevel);
  Jet whole = lower;
  whole.level_ = i + 1;
  std::copy_n(upper.parts_.begin(), upper.count(), whole.parts_.begin() + (1 << i));
  return whole;
}

Jet operator+(const Jet& a, const Jet& b) {
  Jet y = a;
  y.level_ = std::max(a.level_, b.level_);
  for (int s = 0; s < b.count(); ++s) y.parts_[s] = a.parts_[s] + b.parts_[s];
  return y;
}

Jet operator-(const Jet& a, const Jet& b) {
  Jet y = a;
  y.level_ = std::max(a.level_, b.level_);
  for (int s = 0; s < b.count(); ++s) y.parts_[s] = a.parts_[s] - b.parts_[s];
  return y;
}

Jet operator*(const Jet& a, const Jet& b) {
  Jet y;
  y.level_ = std::max(a.level_, b.level_);
  for (int s = 0; s < a.count(); ++s)
    for (int t = 0; t < b.count(); ++t)
      if ((s & t) == 0) y.parts_[s | t] = y.parts_[s | t] + a.parts_[s] * b.parts_[t];
  return y;
}

Jet operator/(const Jet& a, const Jet& b) {
  struct Divide {
    static Simd value(Simd x, Simd z) { return x / z; }
    static Jet slope_a(const Jet&, const Jet& z, const Jet&) { return Jet(1) / z; }
    static Jet slope_b(const Jet&, const Jet& z, const Jet& y) { return -(y / z); }
  };
  return detail::apply<Divide>(a, b);
}

Jet where(Mask condition, const Jet& a, const Jet& b) {
  Jet y;
  y.level_ = std::max(a.level_, b.level_);
  for (int s = 0; s < y.count(); ++s) y.parts_[s] = where(condition, a.parts_[s], b.parts_[s]);
  return y;
}

}  // namespace reel::inline REEL_PRECISION
