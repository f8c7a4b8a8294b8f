#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION {

// clang-format off
#define REEL_UNARY(op) \
  Var op(const Var& x) { return pointwise(#op, [](auto v) { return op(v); }, x); }
REEL_UNARY(abs) REEL_UNARY(sign) REEL_UNARY(exp) REEL_UNARY(log) REEL_UNARY(log1p)
REEL_UNARY(expm1) REEL_UNARY(sqrt) REEL_UNARY(square) REEL_UNARY(reciprocal) REEL_UNARY(sin)
REEL_UNARY(cos) REEL_UNARY(sigmoid) REEL_UNARY(tanh) REEL_UNARY(relu) REEL_UNARY(gelu)
REEL_UNARY(softplus) REEL_UNARY(silu)
#undef REEL_UNARY
// clang-format on

Var operator+(const Var& a, const Var& b) {
  return pointwise("add", [](auto x, auto y) { return x + y; }, a, b);
}
Var operator-(const Var& a, const Var& b) {
  return pointwise("subtract", [](auto x, auto y) { return x - y; }, a, b);
}
Var operator*(const Var& a, const Var& b) {
  return pointwise("multiply", [](auto x, auto y) { return x * y; }, a, b);
}
Var operator/(const Var& a, const Var& b) {
  return pointwise("divide", [](auto x, auto y) { return x / y; }, a, b);
}
Var operator-(const Var& a) {
  return pointwise("negate", [](auto x) { return -x; }, a);
}
Var pow(const Var& a, const Var& b) {
  return pointwise("pow", [](auto x, auto y) { return pow(x, y); }, a, b);
}
Var max(const Var& a, const Var& b) {
  return pointwise("max", [](auto x, auto y) { return max(x, y); }, a, b);
}
Var min(const Var& a, const Var& b) {
  return pointwise("min", [](auto x, auto y) { return min(x, y); }, a, b);
}
Var leaky_relu(const Var& x, real slope) {
  return pointwise("leaky_relu", [slope](auto v) { return leaky_relu(v, slope); }, x);
}
Var elu(const Var& x, real alpha) {
  return pointwise("elu", [alpha](auto v) { return elu(v, alpha); }, x);
}
Var clamp(const Var& x, real low, real high) {
  check<Error>(low <= high, "clamp: low must not exceed high; got low {}, high {}", low, high);
  return pointwise("clamp", [low, high](auto v) { return clamp(v, low, high); }, x);
}
Var where(const Var& condition, const Var& a, const Var& b) {
  return pointwise("where", [](auto c, auto x, auto y) { return where(c == 0, y, x); },
                   stop_gradient(condition), a, b);
}

Var stop_gradient(const Var& x) {
  return record("stop_gradient", std::array{x}, x.node("stop_gradient").value, [](Pull&) {},
                [](detail::Node&) { return true; });
}

Var dropout(const Var& x, real p, Random& random) {
  check<Error>(p >= 0 && p < 1, "dropout: p must lie in [0, 1); got {}", p);
  if (p == 0) return x;
  Array mask = empty_array(x.shape());
  for (real& keep : mask.storage()) keep = random.uniform() < p ? 0 : 1 / (1 - p);
  return pointwise("dropout", [](auto v, auto keep) { return v * keep; }, x, Var(std::move(mask)));
}

Var zeros(const Shape& shape) { return Var(full_array(shape, 0)); }

}  // namespace reel::inline REEL_PRECISION
