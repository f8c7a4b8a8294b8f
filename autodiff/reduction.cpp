#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/runs.hpp>

#include <functional>
#include <limits>
#include <numeric>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// The sum of a run, in as many partial sums as registers have lanes.
real sum_run(const real* x, std::ptrdiff_t n, std::ptrdiff_t stride) {
  constexpr auto kLanes = static_cast<std::ptrdiff_t>(Simd::kLanes);
  real sum = 0;
  std::ptrdiff_t i = 0;
  if (stride == 1 && n >= kLanes) {
    Simd lanes(0);
    for (; i + kLanes <= n; i += kLanes) lanes = lanes + Simd::load(x + i);
    sum = xsimd::hadd(lanes.lanes);
  }
  for (; i < n; ++i) sum += x[i * stride];
  return sum;
}

}  // namespace

void detail::sum_onto(const View& from, const View& to, bool accumulate) {
  if (!accumulate) fill(to, 0);
  const View sums = to.expanded(from.shape);
  const Runs runs(ViewList(from, sums));
  const auto loop = [runs](const View& a, const View& b) {
    const auto n = static_cast<std::ptrdiff_t>(runs.run());
    const std::ptrdiff_t s = runs.run_stride(a), d = runs.run_stride(b);
    std::array<real*, 2> p;
    runs.for_each(ViewList(a, b), p, [&](const auto& at) {
      if (d == 0)
        *at[1] += sum_run(at[0], n, s);
      else if (s == 1 && d == 1)
        for (std::ptrdiff_t i = 0; i < n; ++i) at[1][i] += at[0][i];
      else
        for (std::ptrdiff_t i = 0; i < n; ++i) at[1][i * d] += at[0][i * s];
    });
  };
  perform(loop, reads(from), updates(sums));
}

namespace {

// Which axes a reduction runs over, and the shapes with and without them.
struct Reduction {
  std::array<bool, Shape::kCapacity> reduced{};
  Shape kept;     // extents of 1 where reduced
  Shape dropped;  // without the reduced axes
  std::size_t count = 1;

  Reduction(const char* op, const Axes& axes, const Shape& shape) {
    for (std::ptrdiff_t axis : axes) {
      const std::size_t at = normal_axis(op, axis, shape);
      check(!reduced[at], "{}: an axis may be named once; got axis {} twice, shape {}", op, axis,
            shape);
      reduced[at] = true;
    }
    for (std::size_t i = 0; i < shape.size(); ++i) {
      reduced[i] |= axes.empty();
      kept.push_back(reduced[i] ? 1 : shape[i]);
      if (reduced[i])
        count *= shape[i];
      else
        dropped.push_back(shape[i]);
    }
  }
  Var finish(const Var& y, bool keepdims) const {
    return keepdims || kept == dropped ? y : reshape(y, Axes(dropped.begin(), dropped.end()));
  }
};

Var sum_kept(const Var& x, const Reduction& r) { return sum_to(x, r.kept); }

// The extreme of each group; NaN if the group holds one.
template <class Better>
Value extreme(const View& x, const Shape& kept, real worst, Better better) {
  Value y = allocate(kept);
  fill(y.view, worst);
  const View bests = y.view.expanded(x.shape);
  const Runs runs(ViewList(x, bests));
  const auto loop = [runs, better](const View& a, const View& b) {
    const auto n = static_cast<std::ptrdiff_t>(runs.run());
    const std::ptrdiff_t s = runs.run_stride(a), d = runs.run_stride(b);
    std::array<real*, 2> p;
    runs.for_each(ViewList(a, b), p, [&](const auto& at) {
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        const real candidate = at[0][i * s];
        real& best = at[1][i * d];
        if (better(candidate, best) || candidate != candidate) best = candidate;
      }
    });
  };
  perform(loop, reads(x), updates(bests));
  return y;
}

// dx = dy where x is the extreme, shared among ties.
void extreme_rule(Pull& p) {
  p.give(0, [&] {
    const Var x = detach(p.x(0)), y = detach(p.y());
    const Var hit = pointwise(
        "ties", [](auto a, auto b) { return where(a == b, Simd(1), Simd(0)); }, x, y);
    return p.dy() * (hit / sum_to(hit, y.shape()));
  });
}

constexpr real kInfinity = std::numeric_limits<real>::infinity();

template <class Better>
Var extreme_kept(const char* op, const Var& x, const Reduction& r, real worst, Better better) {
  check(x.size() > 0 || element_count(r.kept) == 0,
        "{}: the axes reduced must not be empty; got {}", op, x.shape());
  return record(op, std::array{x}, extreme(x.ref()->value.view, r.kept, worst, better),
                extreme_rule);
}
Var max_kept(const char* op, const Var& x, const Reduction& r) {
  return extreme_kept(op, x, r, -kInfinity, std::greater<real>());
}

// max, as a constant, with infinities replaced by 0 so that x - max stays a number.
Var safe_max(const char* op, const Var& x, const Reduction& r) {
  if (x.size() == 0) return zeros(r.kept);
  return pointwise(
      "safe_max", [](auto m) { return where(abs(m) < kInfinity, m, 0); },
      max_kept(op, detach(x), r));
}

}  // namespace

Var sum(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("sum", axes, x.node("sum").shape());
  return r.finish(sum_kept(x, r), keepdims);
}

Var mean(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("mean", axes, x.node("mean").shape());
  check(r.count > 0, "mean: the axes reduced must not be empty; got {}", x.shape());
  return r.finish(sum_kept(x, r) * (1 / static_cast<real>(r.count)), keepdims);
}

Var max(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("max", axes, x.node("max").shape());
  return r.finish(max_kept("max", x, r), keepdims);
}

Var min(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("min", axes, x.node("min").shape());
  return r.finish(extreme_kept("min", x, r, kInfinity, std::less<real>()), keepdims);
}

// Halves are multiplied, so that the gradient is right where elements are zero.
Var prod(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("prod", axes, x.node("prod").shape());
  Var y = x;
  for (std::size_t i = 0; i < r.kept.size(); ++i) {
    if (!r.reduced[i]) continue;
    const auto axis = static_cast<std::ptrdiff_t>(i);
    if (y.size(axis) == 0) {
      Shape one = y.shape();
      one[i] = 1;
      y = Var(full_array(one, 1));
    }
    while (y.size(axis) > 1) {
      const auto n = static_cast<std::ptrdiff_t>(y.size(axis)), half = n / 2;
      Var pairs = slice(y, axis, 0, half) * slice(y, axis, half, 2 * half);
      y = n % 2 == 0 ? pairs : concat({pairs, slice(y, axis, n - 1, n)}, axis);
    }
  }
  return r.finish(y, keepdims);
}

Var var(const Var& x, const Axes& axes, bool keepdims, std::size_t correction) {
  const Reduction r("var", axes, x.node("var").shape());
  check(r.count > correction,
        "var: more than {} elements must be reduced to one (the correction); got {}", correction,
        x.shape());
  const Var centred = x - mean(x, axes, true);
  return r.finish(sum_kept(square(centred), r) * (1 / static_cast<real>(r.count - correction)),
                  keepdims);
}

Var logsumexp(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("logsumexp", axes, x.node("logsumexp").shape());
  const Var m = safe_max("logsumexp", x, r);
  // Of nothing but -inf there is no gradient.
  const Var total = pointwise(
      "log",
      [](auto s) {
        return where(s == 0, -std::numeric_limits<real>::infinity(), log(where(s == 0, 1, s)));
      },
      sum_kept(exp(x - m), r));
  return r.finish(total + m, keepdims);
}

// Scaled by the largest element, so that squares neither overflow nor vanish.
Var norm(const Var& x, const Axes& axes, bool keepdims) {
  const Reduction r("norm", axes, x.node("norm").shape());
  const Var m = safe_max("norm", abs(detach(x)), r);
  const Var scale = pointwise(
      "scale", [](auto v) { return where(v == 0, 1, v); }, m);
  const Var squares = sum_kept(square(x / scale), r);
  const Var root = pointwise(
      "root", [](auto s) { return where(s == 0, 0 * s, sqrt(where(s == 0, 1, s))); }, squares);
  return r.finish(root * scale, keepdims);
}

Var softmax(const Var& x, std::ptrdiff_t axis) {
  const Reduction r("softmax", {axis}, x.node("softmax").shape());
  const Var e = exp(x - safe_max("softmax", x, r));
  return e / sum_kept(e, r);
}

Var log_softmax(const Var& x, std::ptrdiff_t axis) {
  const Reduction r("log_softmax", {axis}, x.node("log_softmax").shape());
  const Var shifted = x - safe_max("log_softmax", x, r);
  return shifted - log(sum_kept(exp(shifted), r));
}

Var cumsum(const Var& x, std::ptrdiff_t axis) {
  const Shape& shape = x.node("cumsum").shape();
  const std::size_t at = normal_axis("cumsum", axis, shape);
  Value y = dense_copy(x.ref()->value.view);
  for (std::size_t i = 1; i < shape[at]; ++i)
    detail::add(y.view.narrow(at, i - 1, 1), y.view.narrow(at, i, 1));
  return record("cumsum", std::array{x}, std::move(y), [axis](Pull& p) {
    p.give(0, [&] { return flip(cumsum(flip(p.dy(), axis), axis), axis); });
  });
}

}  // namespace reel::inline REEL_PRECISION
