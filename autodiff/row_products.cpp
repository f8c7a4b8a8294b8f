#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/row_products.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

constexpr std::size_t kLanes = Simd::kLanes, kAtOnce = 4;  // registers of sums

// With elements of the last axis side by side, in place if they are.
Value dense_last(const Value& x) {
  const View& v = x.view;
  return v.shape.back() <= 1 || v.strides.back() == 1 ? x : dense_copy(v);
}
real* at(const View& x, std::size_t i) {
  return x.data + x.strides[0] * static_cast<std::ptrdiff_t>(i);
}
real* at(const View& x, std::size_t i, std::size_t j) {
  return at(x, i) + x.strides[1] * static_cast<std::ptrdiff_t>(j);
}
Simd multiply_add(Simd a, Simd b, Simd c) { return xsimd::fma(a.lanes, b.lanes, c.lanes); }

real dot(const real* a, const real* b, std::size_t n) {
  std::array<Simd, kAtOnce> sums;
  std::size_t j = 0;
  for (; j + kAtOnce * kLanes <= n; j += kAtOnce * kLanes)
    for (std::size_t s = 0; s < kAtOnce; ++s)
      sums[s] =
          multiply_add(Simd::load(a + j + s * kLanes), Simd::load(b + j + s * kLanes), sums[s]);
  for (; j + kLanes <= n; j += kLanes)
    sums[0] = multiply_add(Simd::load(a + j), Simd::load(b + j), sums[0]);
  if (j < n)
    sums[1] = multiply_add(Simd::load_some(a + j, n - j), Simd::load_some(b + j, n - j), sums[1]);
  return xsimd::hadd(((sums[0] + sums[1]) + (sums[2] + sums[3])).lanes);
}

// y_bt (+)= sum_f a_btf x_bf
void dots(const View& a, const View& x, const View& y, bool accumulate) {
  for (std::size_t b = 0; b < a.shape[0]; ++b)
    for (std::size_t t = 0; t < a.shape[1]; ++t) {
      const real sum = dot(at(a, b, t), at(x, b), a.shape[2]);
      real& to = *at(y, b, t);
      to = accumulate ? to + sum : sum;
    }
}

// Registers j .. j + Count - 1 of row b of y, the last one perhaps with `some` lanes only.
template <std::size_t Count>
void mix_registers(const View& w, const View& a, const View& y, std::size_t b, std::size_t j,
                   std::size_t some, bool accumulate) {
  const auto load = [&](const real* from, std::size_t r) {
    return some < kLanes && r + 1 == Count ? Simd::load_some(from + r * kLanes, some)
                                           : Simd::load(from + r * kLanes);
  };
  real* const to = at(y, b) + j;
  std::array<Simd, Count> sums;
  if (accumulate)
    for (std::size_t r = 0; r < Count; ++r) sums[r] = load(to, r);
  for (std::size_t t = 0; t < a.shape[1]; ++t) {
    const Simd weight(*at(w, b, t));
    for (std::size_t r = 0; r < Count; ++r)
      sums[r] = multiply_add(weight, load(at(a, b, t) + j, r), sums[r]);
  }
  for (std::size_t r = 0; r < Count; ++r)
    some < kLanes&& r + 1 == Count ? sums[r].store_some(to + r * kLanes, some)
                                   : sums[r].store(to + r * kLanes);
}

// y_bf (+)= sum_t w_bt a_btf
void mix(const View& w, const View& a, const View& y, bool accumulate) {
  const std::size_t width = a.shape[2];
  for (std::size_t b = 0; b < a.shape[0]; ++b) {
    std::size_t j = 0;
    for (; j + kAtOnce * kLanes <= width; j += kAtOnce * kLanes)
      mix_registers<kAtOnce>(w, a, y, b, j, kLanes, accumulate);
    for (; j < width; j += kLanes)
      mix_registers<1>(w, a, y, b, j, std::min(kLanes, width - j), accumulate);
  }
}

// a_btf (+)= w_bt x_bf
void spread(const View& w, const View& x, const View& a, bool accumulate) {
  const std::size_t width = a.shape[2];
  for (std::size_t b = 0; b < a.shape[0]; ++b)
    for (std::size_t t = 0; t < a.shape[1]; ++t) {
      const Simd weight(*at(w, b, t));
      real* const to = at(a, b, t);
      const real* const from = at(x, b);
      std::size_t j = 0;
      for (; j + kLanes <= width; j += kLanes)
        multiply_add(weight, Simd::load(from + j), accumulate ? Simd::load(to + j) : Simd())
            .store(to + j);
      if (j < width)
        multiply_add(weight, Simd::load_some(from + j, width - j),
                     accumulate ? Simd::load_some(to + j, width - j) : Simd())
            .store_some(to + j, width - j);
    }
}

void softmax_rows(const View& x, const View& inside, const View& y) {
  const std::size_t count = x.shape[1];
  for (std::size_t b = 0; b < x.shape[0]; ++b) {
    const real *const from = at(x, b), *const counts = at(inside, b);
    real* const to = at(y, b);
    real most = -std::numeric_limits<real>::infinity(), sum = 0;
    for (std::size_t t = 0; t < count; ++t)
      if (counts[t] != 0) most = std::max(most, from[t]);
    for (std::size_t t = 0; t < count; t += kLanes) {
      const std::size_t n = std::min(kLanes, count - t);
      exp(Simd::load_some(from + t, n) - Simd(most)).store_some(to + t, n);
    }
    for (std::size_t t = 0; t < count; ++t) {
      if (counts[t] == 0) to[t] = 0;
      sum += to[t];
    }
    for (std::size_t t = 0; t < count; ++t)
      if (counts[t] != 0) to[t] /= sum;
  }
}

// dx_bt (+)= y_bt (dy_bt - sum_t y_bt dy_bt)
void pull_softmax_rows(const View& y, const View& dy, const View& dx, bool accumulate) {
  for (std::size_t b = 0; b < y.shape[0]; ++b) {
    real sum = 0;
    for (std::size_t t = 0; t < y.shape[1]; ++t)
      if (const real share = *at(y, b, t); share != 0) sum += share * *at(dy, b, t);
    for (std::size_t t = 0; t < y.shape[1]; ++t) {
      const real share = *at(y, b, t);
      const real slope = share == 0 ? 0 : share * (*at(dy, b, t) - sum);
      real& to = *at(dx, b, t);
      to = accumulate ? to + slope : slope;
    }
  }
}

// Calls write(view, accumulate) on n's gradient, if it is wanted, with a last axis side by side.
template <class Write>
void write_grad(Node& n, Write&& write) {
  if (!n.needs_grad) return;
  const Target to = grad_target(n);
  if (to.view.shape.back() <= 1 || to.view.strides.back() == 1)
    return write(to.view, to.accumulate);
  const Value aside = allocate(to.view.shape);
  write(aside.view, false);
  put(aside.view, to);
}

// w x' of each row: [B, T], [B, F] -> [B, T, F]
Var outer(const Var& w, const Var& x) {
  const auto extent = [](const Var& v, std::ptrdiff_t axis) {
    return static_cast<std::ptrdiff_t>(v.size(axis));
  };
  return reshape(w, {extent(w, 0), extent(w, 1), 1}) * reshape(x, {extent(x, 0), 1, extent(x, 1)});
}

}  // namespace

// da_btf = dy_bt x_bf, dx_bf = sum_t dy_bt a_btf
Var row_dots(const Var& a, const Var& x) {
  const char* op = "row_dots";
  const Shape &sa = a.node(op).shape(), &sx = x.node(op).shape();
  check(sa.size() == 3 && sx == Shape({sa[0], sa[2]}),
        "row_dots: a must be [B, T, F] and x [B, F]; got a {}, x {}", sa, sx);
  const Value va = dense_last(a.ref()->value), vx = dense_last(x.ref()->value);
  Value y = allocate({sa[0], sa[1]});
  perform([](const View& l, const View& r, const View& to) { dots(l, r, to, false); },
          reads(va.view), reads(vx.view), writes(y.view));
  return record(
      op, std::array{a, x}, std::move(y),
      [](Pull& p) {
        p.give(0, [&] { return outer(p.dy(), p.x(1)); });
        p.give(1, [&] { return row_mix(p.dy(), p.x(0)); });
      },
      [](Node& n) {
        Node &an = *n.inputs()[0].ref(), &xn = *n.inputs()[1].ref();
        const View& dy = (*n.grad).view;
        const Value rows = dense_last(an.value), vector = dense_last(xn.value);
        write_grad(an, [&](const View& to, bool add) { spread(dy, vector.view, to, add); });
        write_grad(xn, [&](const View& to, bool add) { mix(dy, rows.view, to, add); });
        return true;
      });
}

// dw_bt = sum_f dy_bf a_btf, da_btf = w_bt dy_bf
Var row_mix(const Var& w, const Var& a) {
  const char* op = "row_mix";
  const Shape &sw = w.node(op).shape(), &sa = a.node(op).shape();
  check(sa.size() == 3 && sw == Shape({sa[0], sa[1]}),
        "row_mix: w must be [B, T] and a [B, T, F]; got w {}, a {}", sw, sa);
  const Value va = dense_last(a.ref()->value);
  Value y = allocate({sa[0], sa[2]});
  perform([](const View& l, const View& r, const View& to) { mix(l, r, to, false); },
          reads(w.ref()->value.view), reads(va.view), writes(y.view));
  return record(
      op, std::array{w, a}, std::move(y),
      [](Pull& p) {
        p.give(0, [&] { return row_dots(p.x(1), p.dy()); });
        p.give(1, [&] { return outer(p.x(0), p.dy()); });
      },
      [](Node& n) {
        Node &wn = *n.inputs()[0].ref(), &an = *n.inputs()[1].ref();
        const Value dy = dense_last(*n.grad), rows = dense_last(an.value);
        if (wn.needs_grad) {
          const Target to = grad_target(wn);
          dots(rows.view, dy.view, to.view, to.accumulate);
        }
        write_grad(an, [&](const View& to, bool add) { spread(wn.value.view, dy.view, to, add); });
        return true;
      });
}

// dx_bt = y_bt (dy_bt - sum_t y_bt dy_bt)
Var row_softmax(const Var& x, const Var& inside) {
  const char* op = "row_softmax";
  const Shape &sx = x.node(op).shape(), &si = inside.node(op).shape();
  check(sx.size() == 2 && si == sx,
        "row_softmax: x and inside must both be [B, T]; got x {}, inside {}", sx, si);
  const Value vx = dense_last(x.ref()->value), vi = dense_last(inside.ref()->value);
  Value y = allocate(sx);
  perform([](const View& l, const View& r, const View& to) { softmax_rows(l, r, to); },
          reads(vx.view), reads(vi.view), writes(y.view));
  return record(
      op, std::array{x, inside}, std::move(y),
      [](Pull& p) {
        p.give(0, [&]() -> Var {
          const Var dy = p.dy(), y = p.y();
          return y * (dy - sum(y * dy, {-1}, true));
        });
      },
      [](Node& n) {
        Node& xn = *n.inputs()[0].ref();
        if (!xn.needs_grad) return true;
        const Target to = grad_target(xn);
        pull_softmax_rows(n.value.view, (*n.grad).view, to.view, to.accumulate);
        return true;
      });
}

}  // namespace reel::inline REEL_PRECISION
