// Ops that draw: for each element a number of 32 bits, which is below p 2^32 or not.
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// The elements of one array. Since any of its numbers can be had without those before, nothing is
// kept for backward, and the loops run on registers.
class Draws {
 public:
  Draws(real p, Random& random)
      : seed_(random.bits()),
        below_(static_cast<std::uint32_t>(std::ldexp(static_cast<double>(p), 32))) {}

  // to[i] (+)= chosen[i] where the draw is below, else scale other[i]; null: zeros.
  void choose(const real* chosen, const real* other, real scale, real* to, std::size_t count,
              bool accumulate) const {
    for (std::size_t begin = 0; begin < count; begin += kBlock) {
      alignas(64) std::uint32_t draws[kBlock];
      const std::size_t n = std::min(kBlock, count - begin);
      for (std::size_t i = 0; i < std::min(n, kBlock / 2); ++i) {
        const std::uint64_t bits = splitmix64(seed_, begin / 2 + i);
        draws[i] = static_cast<std::uint32_t>(bits);
        draws[i + kBlock / 2] = static_cast<std::uint32_t>(bits >> 32);
      }
      const auto put = [&](auto&& make) {
        real* y = to + begin;
        if (accumulate)
          for (std::size_t i = 0; i < n; ++i) y[i] += make(begin + i, draws[i] < below_);
        else
          for (std::size_t i = 0; i < n; ++i) y[i] = make(begin + i, draws[i] < below_);
      };
      if (!chosen)
        put([&](std::size_t i, bool is) { return is ? 0 : scale * other[i]; });
      else if (!other)
        put([&](std::size_t i, bool is) { return is ? chosen[i] : 0; });
      else
        put([&](std::size_t i, bool is) { return is ? chosen[i] : scale * other[i]; });
    }
  }
  void choose(const Value& chosen, const Value& other, real scale, const View& to) const {
    const auto data = [](const Value& v) -> const real* { return v.view.data; };
    choose(data(chosen), data(other), scale, to.data, to.size(), false);
  }
  // n's gradient (+)= that of the chosen or of the others.
  void give(Node& n, const View& dy, bool chosen, real scale) const {
    if (!n.needs_grad) return;
    const Target to = grad_target(n);
    const Value all = dense({dy, {}}), place = dense({to.view, {}});
    const real* from = all.view.data;
    choose(chosen ? from : nullptr, chosen ? nullptr : from, scale, place.view.data, dy.size(),
           to.accumulate);
    if (place.storage) copy(place.view, to.view);
  }
  // 1 where chosen, else `other`.
  Var mask(const Shape& shape, real chosen, real other) const {
    const Var ones(full_array(shape, 1)), chosens(full_array(shape, chosen));
    Value y = allocate(shape);
    choose(chosens.ref()->value, ones.ref()->value, other, y.view);
    return unrecorded("mask", std::move(y));
  }

 private:
  static constexpr std::size_t kBlock = 256;
  std::uint64_t seed_;
  std::uint32_t below_;
};

void check_range(const char* op, real p) {
  check<Error>(p >= 0 && p < 1, "{}: p must lie in [0, 1); got {}", op, p);
}

}  // namespace

Var dropout(const Var& x, real p, Random& random) {
  const Shape& shape = x.node("dropout").shape();
  check_range("dropout", p);
  if (p == 0) return x;
  const Draws draws(p, random);
  const real scale = 1 / (1 - p);
  Value y = allocate(shape);
  draws.choose({}, dense(x.ref()->value), scale, y.view);
  return record(
      "dropout", std::array{x}, std::move(y),
      [draws, scale](Pull& pull) {
        pull.give(0, [&] { return pull.dy() * draws.mask(pull.dy().shape(), 0, scale); });
      },
      [draws, scale](Node& n) {
        draws.give(*n.inputs()[0].ref(), n.grad->view, false, scale);
        return true;
      });
}

Var zoneout(const Var& previous, const Var& next, real p, Random& random) {
  const Shape& shape = next.node("zoneout").shape();
  check(previous.node("zoneout").shape() == shape,
        "zoneout: the previous value must be shaped as the next; got {}, {}", previous.shape(),
        shape);
  check_range("zoneout", p);
  if (p == 0) return next;
  const Draws draws(p, random);
  Value y = allocate(shape);
  draws.choose(dense(previous.ref()->value), dense(next.ref()->value), 1, y.view);
  return record(
      "zoneout", std::array{previous, next}, std::move(y),
      [draws](Pull& pull) {
        pull.give(0, [&] { return pull.dy() * draws.mask(pull.dy().shape(), 1, 0); });
        pull.give(1, [&] { return pull.dy() * draws.mask(pull.dy().shape(), 0, 1); });
      },
      [draws](Node& n) {
        draws.give(*n.inputs()[0].ref(), n.grad->view, true, 1);
        draws.give(*n.inputs()[1].ref(), n.grad->view, false, 1);
        return true;
      });
}

Var detail::dropout_mask(const Shape& shape, real p, Random& random) {
  check_range("dropout", p);
  return Draws(p, random).mask(shape, 0, 1 / (1 - p));
}

}  // namespace reel::inline REEL_PRECISION
