// The ops. Elementwise ones are differentiable up to four times, kernels of many inputs less often,
// the others any number of times. Shapes broadcast as in NumPy where two meet; wrong shapes throw
// ShapeError naming the op. Axes count from the last when negative.
#pragma once

#include <reel/autodiff/expression.hpp>
#include <reel/autodiff/random.hpp>

#include <memory>

namespace reel::inline REEL_PRECISION {

using Axes = ShortList<std::ptrdiff_t>;

// --- elementwise (elementwise.cpp) ---
// y = f(x, ..) for Vars x and what converts to them, as an Expression that becomes part of the
// op around it. f is that of functions.hpp.

#define REEL_OP(Op, name, result)                              \
  namespace detail::ops {                                      \
  struct Op {                                                  \
    static constexpr const char* kName = name;                 \
    auto operator()(const auto&... x) const { return result; } \
  };                                                           \
  }
#define REEL_UNARY(Op, function)                                      \
  REEL_OP(Op, #function, function(x...))                              \
  template <Term X>                                                   \
  auto function(X&& x) {                                              \
    return detail::Fuse::call(detail::ops::Op(), std::forward<X>(x)); \
  }                                                                   \
  inline auto function(const Var& x) { return detail::Fuse::call(detail::ops::Op(), x); }
#define REEL_BINARY(Op, function)                                                         \
  REEL_OP(Op, #function, function(x...))                                                  \
  template <class A, class B>                                                             \
  requires Terms<A, B>                                                                    \
  auto function(A&& a, B&& b) {                                                           \
    return detail::Fuse::call(detail::ops::Op(), std::forward<A>(a), std::forward<B>(b)); \
  }                                                                                       \
  inline auto function(const Var& a, const Var& b) {                                      \
    return detail::Fuse::call(detail::ops::Op(), a, b);                                   \
  }
#define REEL_OPERATOR(Op, name, symbol)                                                   \
  REEL_OP(Op, name, (x symbol...))                                                        \
  template <class A, class B>                                                             \
  requires Terms<A, B>                                                                    \
  auto operator symbol(A&& a, B&& b) {                                                    \
    return detail::Fuse::call(detail::ops::Op(), std::forward<A>(a), std::forward<B>(b)); \
  }

REEL_OPERATOR(Add, "add", +)
REEL_OPERATOR(Subtract, "subtract", -)
REEL_OPERATOR(Multiply, "multiply", *)
REEL_OPERATOR(Divide, "divide", /)
REEL_OP(Negate, "negate", (-x, ...))
auto operator-(Term auto&& x) {
  return detail::Fuse::call(detail::ops::Negate(), std::forward<decltype(x)>(x));
}
REEL_UNARY(Abs, abs)    // slope 0 at 0
REEL_UNARY(Sign, sign)  // -1, 0, 1
REEL_UNARY(Exp, exp)
REEL_UNARY(Log, log)
REEL_UNARY(Log1p, log1p)  // log(1 + x)
REEL_UNARY(Expm1, expm1)  // e^x - 1
REEL_UNARY(Sqrt, sqrt)
REEL_UNARY(Square, square)
REEL_UNARY(Reciprocal, reciprocal)
REEL_UNARY(Sin, sin)
REEL_UNARY(Cos, cos)
REEL_BINARY(Pow, pow)  // a^b; no gradient to b where a <= 0
REEL_UNARY(Sigmoid, sigmoid)
REEL_UNARY(Tanh, tanh)
REEL_UNARY(Relu, relu)
REEL_UNARY(Gelu, gelu)          // x Phi(x)
REEL_UNARY(Softplus, softplus)  // log(1 + e^x)
REEL_UNARY(Silu, silu)          // x sigmoid(x)
REEL_BINARY(Max, max)           // at a tie the gradient goes to a
REEL_BINARY(Min, min)

namespace detail::ops {
struct LeakyRelu {
  static constexpr const char* kName = "leaky_relu";
  real slope = 0;
  auto operator()(const auto& x) const { return leaky_relu(x, slope); }
};
struct Elu {
  static constexpr const char* kName = "elu";
  real alpha = 0;
  auto operator()(const auto& x) const { return elu(x, alpha); }
};
struct Clamp {
  static constexpr const char* kName = "clamp";
  real low = 0, high = 0;
  auto operator()(const auto& x) const { return clamp(x, low, high); }
};
struct Where {
  static constexpr const char* kName = "where";
  auto operator()(const auto& c, const auto& a, const auto& b) const { return where(c == 0, b, a); }
};
}  // namespace detail::ops
auto leaky_relu(Operand auto&& x, real slope = real(0.01)) {
  return detail::Fuse::call(detail::ops::LeakyRelu{slope}, std::forward<decltype(x)>(x));
}
auto elu(Operand auto&& x, real alpha = 1) {  // x, or alpha (e^x - 1) below 0
  return detail::Fuse::call(detail::ops::Elu{alpha}, std::forward<decltype(x)>(x));
}
auto clamp(Operand auto&& x, real low, real high) {
  check<Error>(low <= high, "clamp: low must not exceed high; got low {}, high {}", low, high);
  return detail::Fuse::call(detail::ops::Clamp{low, high}, std::forward<decltype(x)>(x));
}
// a where condition is not 0, else b. A slope of what is not chosen may be multiplied by 0: where
// it is infinite or NaN, choose its argument as well, as in where(c, sqrt(where(c, x, 1)), 0).
template <class C, class A, class B>
requires Terms<C, A, B>
auto where(C&& condition, A&& a, B&& b) {
  if constexpr (std::is_class_v<std::remove_cvref_t<C>>)
    return detail::Fuse::call(detail::ops::Where(), std::forward<C>(condition), std::forward<A>(a),
                              std::forward<B>(b));
  else
    return where(Var(condition), std::forward<A>(a), std::forward<B>(b));
}
inline auto where(const Var& condition, const Var& a, const Var& b) {
  return detail::Fuse::call(detail::ops::Where(), condition, a, b);
}

// --- products (product.cpp) ---

// a [.., m, k] b [.., k, n] -> [.., m, n]; leading axes broadcast.
Var matmul(const Var& a, const Var& b);
// x w' + c: x [.., in], w [out, in]; c [out], or [.., out] as the result, or empty for none.
// Moving a c in that nobody else holds saves a copy.
Var affine(const Var& x, const Var& w, Var c = {});

// --- moving elements (shaping.cpp) ---

Var transpose(const Var& x);  // exchanges the last two axes
Var permute(const Var& x, const Axes& axes);
Var reshape(const Var& x, const Axes& shape);  // one extent may be -1: what is left
Var expand(const Var& x, const Shape& shape);  // broadcasts
Var sum_to(const Var& x, const Shape& shape);  // sums what broadcasting from shape repeated
// Elements begin, begin + step, .. below end of one axis; a negative begin or end counts from
// the axis' end.
Var slice(const Var& x, std::ptrdiff_t axis, std::ptrdiff_t begin, std::ptrdiff_t end,
          std::ptrdiff_t step = 1);
Var index(const Var& x, std::ptrdiff_t axis, std::ptrdiff_t at);  // drops the axis
// Consecutive parts of these extents along axis; they must add up to it.
std::vector<Var> split(const Var& x, std::span<const std::size_t> extents, std::ptrdiff_t axis);
// N equal parts, for structured bindings: auto [i, f, g, o] = split<4>(gates);
template <std::size_t N>
std::array<Var, N> split(const Var& x, std::ptrdiff_t axis = -1);
Var concat(std::span<const Var> parts, std::ptrdiff_t axis);
Var stack(std::span<const Var> parts, std::ptrdiff_t axis);  // along a new axis
Var pad(const Var& x, std::ptrdiff_t axis, std::size_t before, std::size_t after);  // with zeros
Var flip(const Var& x, std::ptrdiff_t axis);
inline Var concat(std::initializer_list<Var> parts, std::ptrdiff_t axis) {
  return concat(std::span(parts.begin(), parts.size()), axis);
}
inline Var stack(std::initializer_list<Var> parts, std::ptrdiff_t axis) {
  return stack(std::span(parts.begin(), parts.size()), axis);
}

// --- by index (indexing.cpp) ---

// Rows of a table: [n, ..] and indices of any shape -> indices.shape + [..]. Index -1 reads as a
// row of zeros. The gradient adds up in the rows, in the order of the indices.
Var gather(const Var& table, const Indices& indices);
// The reverse: row r of x is added to row indices[r] of a zero table of `rows` rows, or, where that
// is -1, to none.
Var scatter(const Var& x, const Indices& indices, std::size_t rows);
// x [.., n], indices [..] -> [..]: one element of each row; zero where the index is -1.
Var pick(const Var& x, const Indices& indices);

// --- reductions (reduction.cpp); no axes given: over all of them ---

Var sum(const Var& x, const Axes& axes = {}, bool keepdims = false);
Var mean(const Var& x, const Axes& axes = {}, bool keepdims = false);
Var max(const Var& x, const Axes& axes, bool keepdims = false);  // ties share the gradient
Var min(const Var& x, const Axes& axes, bool keepdims = false);
// Without these, {1} could be a Var too.
inline Var max(const Var& x, std::initializer_list<std::ptrdiff_t> axes, bool keepdims = false) {
  return max(x, Axes(axes), keepdims);
}
inline Var min(const Var& x, std::initializer_list<std::ptrdiff_t> axes, bool keepdims = false) {
  return min(x, Axes(axes), keepdims);
}
Var prod(const Var& x, const Axes& axes = {}, bool keepdims = false);
Var var(const Var& x, const Axes& axes = {}, bool keepdims = false, std::size_t correction = 1);
Var logsumexp(const Var& x, const Axes& axes = {}, bool keepdims = false);
Var norm(const Var& x, const Axes& axes = {}, bool keepdims = false);  // L2; slope 0 at 0
Var softmax(const Var& x, std::ptrdiff_t axis = -1);
Var log_softmax(const Var& x, std::ptrdiff_t axis = -1);
Var cumsum(const Var& x, std::ptrdiff_t axis);

// --- normalisation (normalization.cpp) ---

// (x - m) / sqrt(v + eps) gain + c, m and v the mean and the (biased) variance over the last axis
// (Ba et al. 2016): x [.., n], gain [n]; c [n], or [.., n] as the result, or empty for none.
// Moving a c in that nobody else holds saves a copy.
Var layer_norm(const Var& x, const Var& gain, Var c = {}, real eps = real(1e-5));

// --- the rest (elementwise.cpp) ---

Var zeros(const Shape& shape);

// --- that draw (dropout.cpp); p in [0, 1), to 32 bits ---

// Zeroes elements with probability p and scales the others by 1 / (1 - p).
Var dropout(const Var& x, real p, Random& random);
// Each element is the previous one with probability p, else the next.
Var zoneout(const Var& previous, const Var& next, real p, Random& random);

namespace detail {
using RowIndices = std::shared_ptr<const Indices>;
// gather where no row is read twice, so that its gradient is one too: with `back`, which has for
// each row of x the row of the result that it became, or -1. `to`: where the result is put.
Var move_rows(const Var& x, const RowIndices& indices, const RowIndices& back, Value to = {});
// concat into `whole`. What lies in its place there already is not copied.
Var concat_into(std::span<const Var> parts, std::ptrdiff_t axis, Value whole);
// x itself. If others read x too, the gradient of what reads this is summed up by itself and then
// added to x's: to the bits of move_rows by indices that move nothing.
Var apart(const Var& x);
// What dropout multiplies by.
Var dropout_mask(const Shape& shape, real p, Random& random);
// to (+)= from, summed over what `to`, broadcast to from's shape, repeats.
void sum_onto(const View& from, const View& to, bool accumulate);
void split_into(std::span<Var> parts, const Var& x, std::span<const std::size_t> extents,
                std::ptrdiff_t axis);
std::size_t normal_axis(const char* op, std::ptrdiff_t axis, const Shape& shape);
}  // namespace detail

template <std::size_t N>
std::array<Var, N> split(const Var& x, std::ptrdiff_t axis) {
  const std::size_t extent = x.size(axis);
  check(extent % N == 0, "split: the axis must divide into {} equal parts; got {}, axis {}", N,
        x.shape(), axis);
  std::array<std::size_t, N> extents;
  extents.fill(extent / N);
  std::array<Var, N> parts;
  detail::split_into(parts, x, extents, axis);
  return parts;
}

}  // namespace reel::inline REEL_PRECISION
