#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION {

// clang-format off
Var abs(const Var& x) { return pointwise("abs", [](auto v) { return abs(v); }, x); }
Var sign(const Var& x) { return pointwise("sign", [](auto v) { return sign(v); }, x); }
Var exp(const Var& x) { return pointwise("exp", [](auto v) { return exp(v); }, x); }
Var log(const Var& x) { return pointwise("log", [](auto v) { return log(v); }, x); }
Var log1p(const Var& x) { return pointwise("log1p", [](auto v) { return log1p(v); }, x); }
Var expm1(const Var& x) { return pointwise("expm1", [](auto v) { return expm1(v); }, x); }
Var sqrt(const Var& x) { return pointwise("sqrt", [](auto v) { return sqrt(v); }, x); }
Var square(const Var& x) { return pointwise("square", [](auto v) { return square(v); }, x); }
Var reciprocal(const Var& x) { return pointwise("reciprocal", [](auto v) { return 1 / v; }, x); }
Var sin(const Var& x) { return pointwise("sin", [](auto v) { return sin(v); }, x); }
Var cos(const Var& x) { return pointwise("cos", [](auto v) { return cos(v); }, x); }
Var sigmoid(const Var& x) { return pointwise("sigmoid", [](auto v) { return sigmoid(v); }, x); }
Var tanh(const Var& x) { return pointwise("tanh", [](auto v) { return tanh(v); }, x); }
Var relu(const Var& x) { return pointwise("relu", [](auto v) { return relu(v); }, x); }
Var gelu(const Var& x) { return pointwise("gelu", [](auto v) { return gelu(v); }, x); }
Var softplus(const Var& x) { return pointwise("softplus", [](auto v) { return softplus(v); }, x); }
Var silu(const Var& x) { return pointwise("silu", [](auto v) { return silu(v); }, x); }
Var operator-(const Var& x) { return pointwise("negate", [](auto v) { return -v; }, x); }
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
// clang-format on

Var stop_gradient(const Var& x) {
  return record(
      "stop_gradient", std::array{x}, x.node("stop_gradient").share(), [](Pull&) {},
      [](detail::Node&) { return true; });
}

Var dropout(const Var& x, real p, Random& random) {
  check<Error>(p >= 0 && p < 1, "dropout: p must lie in [0, 1); got {}", p);
  if (p == 0) return x;
  Array mask = empty_array(x.shape());
  for (real& keep : mask.storage()) keep = random.uniform() < p ? 0 : 1 / (1 - p);
  return pointwise(
      "dropout", [](auto v, auto keep) { return v * keep; }, x, Var(std::move(mask)));
}

Var zeros(const Shape& shape) { return Var(full_array(shape, 0)); }

}  // namespace reel::inline REEL_PRECISION
