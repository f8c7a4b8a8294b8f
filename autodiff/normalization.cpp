#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// [.., n] as [rows, n] with dense rows, in place if the layout allows.
Value dense_rows(const Value& x) {
  const Shape& shape = x.view.shape;
  const std::size_t n = shape.back();
  if (shape.size() == 2 && (n == 1 || x.view.strides[1] == 1)) return x;
  const Value all = dense(x);
  return {View(all.view.data, {element_count(Shape(shape.begin(), shape.end() - 1)), n}),
          all.storage};
}
real* row_at(const View& rows, std::size_t i) {
  return rows.data + rows.strides[0] * static_cast<std::ptrdiff_t>(i);
}

// The sum over j < n of f(p[j]...).
template <class F, class... P>
real sum_of(std::size_t n, F&& f, const P*... p) {
  constexpr std::size_t kSums = 4;
  std::array<Simd, kSums> sums;
  std::size_t j = 0;
  for (; j + kSums * Simd::kLanes <= n; j += kSums * Simd::kLanes)
    for (std::size_t s = 0; s < kSums; ++s)
      sums[s] = sums[s] + f(Simd::load(p + j + s * Simd::kLanes)...);
  for (; j + Simd::kLanes <= n; j += Simd::kLanes) sums[0] = sums[0] + f(Simd::load(p + j)...);
  if (j < n) {
    alignas(64) real last[Simd::kLanes];
    f(Simd::load_some(p + j, n - j)...).store(last);
    sums[1] = sums[1] + Simd::load_some(last, n - j);
  }
  return xsimd::hadd(((sums[0] + sums[1]) + (sums[2] + sums[3])).lanes);
}

// to[j] = f(p[j]...) for j < n.
template <class F, class... P>
void map(std::size_t n, real* to, F&& f, const P*... p) {
  std::size_t j = 0;
  for (; j + Simd::kLanes <= n; j += Simd::kLanes) f(Simd::load(p + j)...).store(to + j);
  if (j < n) f(Simd::load_some(p + j, n - j)...).store_some(to + j, n - j);
}

// Of a row: x^ = (x - mean) scale.
struct Moments {
  real mean, scale;
};

// The mean is that of the differences from a first one, which equal elements find exactly.
Moments moments(const real* x, std::size_t n, real eps) {
  const real share = 1 / static_cast<real>(n);
  real mean = share * sum_of(
                          n, [](Simd v) { return v; }, x);
  mean += share * sum_of(
                      n, [m = Simd(mean)](Simd v) { return v - m; }, x);
  const real squares = sum_of(
      n, [m = Simd(mean)](Simd v) { return (v - m) * (v - m); }, x);
  return {mean, 1 / std::sqrt(squares * share + eps)};
}

// y = x^ gain + c
void normalize_row(const real* x, Moments of, const real* gain, const real* c, real* y,
                   std::size_t n) {
  const Simd mean(of.mean), scale(of.scale);
  if (c)
    map(
        n, y, [=](Simd v, Simd g, Simd b) { return (v - mean) * scale * g + b; }, x, gain, c);
  else
    map(
        n, y, [=](Simd v, Simd g) { return (v - mean) * scale * g; }, x, gain);
}

// dx (+)= scale (d - mean(d) - x^ mean(d x^)) with d = dy gain
void pull_row(const real* x, Moments of, const real* gain, const real* dy, real* dx,
              bool accumulate, std::size_t n) {
  const Simd mean(of.mean), scale(of.scale);
  const real share = 1 / static_cast<real>(n);
  const Simd d_mean = share * sum_of(
                                  n, [](Simd d, Simd g) { return d * g; }, dy, gain);
  const Simd along =
      share *
      sum_of(
          n, [=](Simd d, Simd g, Simd v) { return d * g * ((v - mean) * scale); }, dy, gain, x);
  const auto slope = [=](Simd d, Simd g, Simd v) {
    return scale * (d * g - d_mean - (v - mean) * scale * along);
  };
  if (accumulate)
    map(
        n, dx, [=](Simd d, Simd g, Simd v, Simd sum) { return sum + slope(d, g, v); }, dy, gain, x,
        dx);
  else
    map(n, dx, slope, dy, gain, x);
}

// A node's gradient as rows, or as one row for all to add to; null: not wanted.
class RowsTarget {
 public:
  explicit RowsTarget(Node* n) {
    if (!n || !n->needs_grad) return;
    const Target to = grad_target(*n);
    place_ = to.view;
    accumulate_ = to.accumulate;
    const bool one_for_all = place_.shape.size() == 1;
    if (one_for_all && !accumulate_) fill(place_, 0);
    accumulate_ |= one_for_all;
    const Value rows = dense_rows({place_, {}});
    rows_ = rows.view;
    aside_ = rows.storage;
    if (aside_) fill(rows_, 0);
  }
  ~RowsTarget() {
    if (!aside_) return;
    put(View(rows_.data, place_.shape), {place_, accumulate_});
  }
  RowsTarget(const RowsTarget&) = delete;
  RowsTarget& operator=(const RowsTarget&) = delete;

  explicit operator bool() const { return rows_.data; }
  bool accumulates() const { return accumulate_ && !aside_; }
  real* row(std::size_t i) const { return row_at(rows_, i); }

 private:
  View place_, rows_;
  Ref<Storage> aside_;  // rows_ when place_ has none
  bool accumulate_ = false;
};

// Rows last to first, as deferred weight gradients take them: see deferred.hpp.
bool layer_norm_backward(Node& y, const Value& all_moments) {
  Node& x = *y.inputs()[0].ref();
  Node& gain = *y.inputs()[1].ref();
  Node* c = y.inputs().size() < 3 ? nullptr : y.inputs()[2].ref().get();
  if (c && !c->needs_grad) c = nullptr;
  Node* bias = c && c->shape() != y.shape() ? c : nullptr;
  for (Node* n : {&x, &gain, bias})
    if (n && n->needs_grad) prepare_grad(*n);
  const Value xs = dense_rows(x.value), dys = dense_rows(*y.grad), gains = dense_rows(gain.value);
  const std::size_t n = xs.view.shape[1];
  {
    const RowsTarget dx(&x), d_gain(&gain), d_bias(bias);
    for (std::size_t i = xs.view.shape[0]; i-- > 0;) {
      const real *v = row_at(xs.view, i), *dy = row_at(dys.view, i);
      const real* of = row_at(all_moments.view, i);
      if (dx) pull_row(v, {of[0], of[1]}, gains.view.data, dy, dx.row(i), dx.accumulates(), n);
      if (d_gain)
        map(
            n, d_gain.row(0),
            [mean = Simd(of[0]), scale = Simd(of[1])](Simd sum, Simd d, Simd a) {
              return sum + d * ((a - mean) * scale);
            },
            d_gain.row(0), dy, v);
      if (d_bias)
        map(
            n, d_bias.row(0), [](Simd sum, Simd d) { return sum + d; }, d_bias.row(0), dy);
    }
  }
  if (c && !bias) pass_on_sum_gradient(y, *c);
  return true;
}

void layer_norm_rule(Pull& p, real eps) {
  const Var dy = p.dy(), x = p.x(0), gain = p.x(1);
  const Var centred = x - mean(x, {-1}, true);
  const Var scale = 1 / sqrt(mean(square(centred), {-1}, true) + eps);
  const Var normal = centred * scale;
  p.give(0, [&]() -> Var {
    const Var d = dy * gain;
    return scale * (d - mean(d, {-1}, true) - normal * mean(d * normal, {-1}, true));
  });
  p.give(1, [&] { return sum_to(dy * normal, gain.shape()); });
  if (p.inputs() == 3) p.give(2, [&] { return sum_to(dy, p.x(2).shape()); });
}

}  // namespace

Var layer_norm(const Var& x, const Var& gain, Var c, real eps) {
  const char* op = "layer_norm";
  const Shape& shape = x.node(op).shape();
  check(!shape.empty() && shape.back() > 0,
        "layer_norm: x must have a last axis with an element; got {}", shape);
  const Shape last{shape.back()};
  check(gain.node(op).shape() == last,
        "layer_norm: gain must have the shape of the last axis of x; got gain {}, x {}",
        gain.shape(), shape);
  const Shape c_shape = c ? c.node(op).shape() : last;
  const bool same = c && c_shape == shape;
  check(same || c_shape == last,
        "layer_norm: c must have the shape of x or of its last axis; got c {}, x {}", c_shape,
        shape);
  check<Error>(eps >= 0, "layer_norm: eps must not be negative; got {}", eps);

  Value y = same && may_overwrite(c) ? c.ref()->value : allocate(shape);
  const Value xs = dense_rows(x.ref()->value), gains = dense_rows(gain.ref()->value),
              cs = c ? dense_rows(c.ref()->value) : Value(), ys = dense_rows(y);
  const Value all_moments = allocate({xs.view.shape[0], 2});
  const auto loop = [eps, same](const View& from, const View& factors, const View& terms,
                                const View& to, const View& rows_moments) {
    const std::size_t n = from.shape[1];
    for (std::size_t i = 0; i < from.shape[0]; ++i) {
      const real* v = row_at(from, i);
      const Moments of = moments(v, n, eps);
      row_at(rows_moments, i)[0] = of.mean;
      row_at(rows_moments, i)[1] = of.scale;
      normalize_row(v, of, factors.data, terms.data ? row_at(terms, same ? i : 0) : nullptr,
                    row_at(to, i), n);
    }
  };
  perform(loop, reads(xs.view), reads(gains.view), reads(cs.view), writes(ys.view),
          writes(all_moments.view));
  const auto rule = [eps](Pull& p) { layer_norm_rule(p, eps); };
  const auto backward = [all_moments](Node& node) {
    return layer_norm_backward(node, all_moments);
  };
  if (!c) return record(op, std::array{x, gain}, std::move(y), rule, backward);
  Var result = record(op, std::array{x, gain, std::move(c)}, std::move(y), rule, backward);
  if (same) result.ref()->sum_input = 2;
  result.ref()->value_unread = true;
  return result;
}

}  // namespace reel::inline REEL_PRECISION
