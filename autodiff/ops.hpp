// The ops. Each is differentiable any number of times; shapes broadcast as in NumPy where two
// meet; wrong shapes throw ShapeError naming the op. Axes count from the last when negative.
#pragma once

#include <reel/autodiff/pointwise.hpp>
#include <reel/autodiff/random.hpp>

namespace reel::inline REEL_PRECISION {

using Axes = ShortList<std::ptrdiff_t>;

// --- elementwise (elementwise.cpp) ---

Var operator+(const Var& a, const Var& b);
Var operator-(const Var& a, const Var& b);
Var operator*(const Var& a, const Var& b);
Var operator/(const Var& a, const Var& b);
Var operator-(const Var& a);
// Else xtensor's operators, which take any arrays, would be preferred.
template <class A, class B>
concept VarAndArray = (std::same_as<std::decay_t<A>, Var> &&
                       std::same_as<std::decay_t<B>, Array>) ||
                      (std::same_as<std::decay_t<A>, Array> && std::same_as<std::decay_t<B>, Var>);
// clang-format off
template <class A, class B> requires VarAndArray<A, B>
Var operator+(A&& a, B&& b) { return Var(a) + Var(b); }
template <class A, class B> requires VarAndArray<A, B>
Var operator-(A&& a, B&& b) { return Var(a) - Var(b); }
template <class A, class B> requires VarAndArray<A, B>
Var operator*(A&& a, B&& b) { return Var(a) * Var(b); }
template <class A, class B> requires VarAndArray<A, B>
Var operator/(A&& a, B&& b) { return Var(a) / Var(b); }
// clang-format on
Var abs(const Var& x);   // slope 0 at 0
Var sign(const Var& x);  // -1, 0, 1
Var exp(const Var& x);
Var log(const Var& x);
Var log1p(const Var& x);  // log(1 + x)
Var expm1(const Var& x);  // e^x - 1
Var sqrt(const Var& x);
Var square(const Var& x);
Var reciprocal(const Var& x);
Var sin(const Var& x);
Var cos(const Var& x);
Var pow(const Var& a, const Var& b);  // a^b; no gradient to b where a <= 0
Var sigmoid(const Var& x);
Var tanh(const Var& x);
Var relu(const Var& x);
Var leaky_relu(const Var& x, real slope = real(0.01));
Var elu(const Var& x, real alpha = 1);  // x, or alpha (e^x - 1) below 0
Var gelu(const Var& x);                 // x Phi(x)
Var softplus(const Var& x);             // log(1 + e^x)
Var silu(const Var& x);                 // x sigmoid(x)
Var max(const Var& a, const Var& b);    // at a tie the gradient goes to a
Var min(const Var& a, const Var& b);
Var clamp(const Var& x, real low, real high);
Var where(const Var& condition, const Var& a, const Var& b);  // a where condition is not 0

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
// The reverse: row r of x is added to row indices[r] of a zero table of `rows` rows.
Var scatter(const Var& x, const Indices& indices, std::size_t rows);
// x [.., n], indices [..] -> [..]: one element of each row.
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

// --- the rest (elementwise.cpp) ---

Var stop_gradient(const Var& x);  // x, through which no gradient flows
// Zeroes elements with probability p and scales the others by 1 / (1 - p); p in [0, 1).
Var dropout(const Var& x, real p, Random& random);

Var zeros(const Shape& shape);

namespace detail {
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
