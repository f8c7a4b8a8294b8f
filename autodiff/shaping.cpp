#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

#include <limits>

namespace reel::inline REEL_PRECISION {

using namespace detail;

std::size_t detail::normal_axis(const char* op, std::ptrdiff_t axis, const Shape& shape) {
  const auto rank = static_cast<std::ptrdiff_t>(shape.size());
  check(axis >= -rank && axis < rank, "{}: axis must lie in the shape; got axis {}, shape {}", op,
        axis, shape);
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

namespace {

std::ptrdiff_t signed_of(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

// The elements of `base` seen through move(whole, part): no copy, forward or backward.
template <class Move, class Rule>
struct WindowNode : Node {
  WindowNode(Move m, Rule r) : move(std::move(m)), rule(std::move(r)) {}
  bool window(const View& whole, View* part) const override { return move(whole, part); }
  void pull(Pull& p) override {
    p.give(0, [&] { return rule(p.dy(), p.x(0).shape()); });
  }
  bool pull_in_place() override {
    if (grad_in_base) base->grad_written = true;
    return grad_in_base;
  }
  Move move;
  Rule rule;  // dx from dy and x's shape
};

// tiles: the window covers its base exactly once.
template <class Move, class Rule>
Var window(const char* op, const Var& x, bool tiles, Move move, Rule rule) {
  const bool recorded = must_record(op, std::span(&x, 1));
  Value value = x.ref()->share();
  if (!move(value.view, &value.view)) {
    const Value dense = dense_copy(value.view);
    value = dense;
    move(dense.view, &value.view);
  }
  if (!recorded) return unrecorded(op, std::span(&x, 1), std::move(value));
  using Window = WindowNode<Move, Rule>;
  Ref<Node> node = make_node<Window>(std::span(&x, 1), 0, std::move(move), std::move(rule));
  node->base = x.ref().get();
  node->tiles_base = tiles;
  node->value = std::move(value);
  return push(op, std::move(node));
}

}  // namespace

Var permute(const Var& x, const Axes& axes) {
  const Shape& shape = x.node("permute").shape();
  ShortList<std::size_t> order;
  for (std::ptrdiff_t axis : axes) order.push_back(normal_axis("permute", axis, shape));
  Axes inverse(order.size());
  std::array<bool, Shape::kCapacity> seen{};
  bool valid = order.size() == shape.size();
  for (std::size_t i = 0; i < order.size() && valid; ++i) {
    valid = !std::exchange(seen[order[i]], true);
    inverse[order[i]] = signed_of(i);
  }
  check(valid, "permute: axes must name every axis once; got axes {}, shape {}", axes, shape);
  return window(
      "permute", x, true,
      [order](const View& whole, View* part) { return *part = whole.permuted(order), true; },
      [inverse](const Var& dy, const Shape&) { return permute(dy, inverse); });
}

Var transpose(const Var& x) {
  const std::size_t rank = x.dim();
  check(rank >= 2, "transpose: x must have two axes or more; got {}", x.shape());
  Axes axes(rank);
  for (std::size_t i = 0; i < rank; ++i) axes[i] = signed_of(i);
  std::swap(axes[rank - 1], axes[rank - 2]);
  return permute(x, axes);
}

Var reshape(const Var& x, const Axes& extents) {
  const Shape& from = x.node("reshape").shape();
  Shape to;
  std::size_t known = 1, open = 0;
  for (std::ptrdiff_t extent : extents) {
    open += extent < 0;
    to.push_back(extent < 0 ? 1 : static_cast<std::size_t>(extent));
    known *= to.back();
  }
  const std::size_t count = element_count(from);
  if (open == 1 && known > 0 && count % known == 0)
    for (std::size_t i = 0; i < to.size(); ++i)
      if (extents[i] < 0) to[i] = count / known;
  check(open <= 1 && element_count(to) == count,
        "reshape: the number of elements must stay the same; got x {}, shape {}", from, extents);
  return window(
      "reshape", x, true,
      [to](const View& whole, View* part) {
        if (!whole.is_dense()) return false;
        *part = View(whole.data, to);
        return true;
      },
      [](const Var& dy, const Shape& shape) {
        return reshape(dy, Axes(shape.begin(), shape.end()));
      });
}

Var expand(const Var& x, const Shape& shape) {
  const Shape& from = x.node("expand").shape();
  check(broadcast_shapes("expand", from, shape) == shape,
        "expand: x must broadcast to the shape; got x {}, shape {}", from, shape);
  Value value = x.ref()->share();
  value.view = value.view.expanded(shape);
  return record("expand", std::array{x}, std::move(value),
                [](Pull& p) { p.give(0, [&] { return sum_to(p.dy(), p.x(0).shape()); }); });
}

Var sum_to(const Var& x, const Shape& shape) {
  const Shape& from = x.node("sum_to").shape();
  if (from == shape) return x;
  check(broadcast_shapes("sum_to", from, shape) == from,
        "sum_to: the shape must broadcast to x; got x {}, shape {}", from, shape);
  Value value = allocate(shape);
  sum_onto(x.ref()->value.view, value.view, false);
  return record("sum_to", std::array{x}, std::move(value),
                [](Pull& p) { p.give(0, [&] { return expand(p.dy(), p.x(0).shape()); }); });
}

namespace {

// dy put back where slice took it from, zeros elsewhere.
Var unslice(const Var& dy, const Shape& shape, std::size_t axis, std::size_t begin,
            std::size_t step) {
  Value value = allocate(shape);
  fill(value.view, 0);
  const std::size_t extent = dy.shape()[axis];
  copy(dy.node("unslice").value.view, value.view.narrow(axis, begin, extent, step));
  const std::ptrdiff_t end = signed_of(extent == 0 ? begin : begin + (extent - 1) * step + 1);
  return record("unslice", std::array{dy}, std::move(value), [=](Pull& p) {
    p.give(0,
           [&] { return slice(p.dy(), signed_of(axis), signed_of(begin), end, signed_of(step)); });
  });
}

}  // namespace

Var slice(const Var& x, std::ptrdiff_t axis, std::ptrdiff_t begin, std::ptrdiff_t end,
          std::ptrdiff_t step) {
  const Shape& shape = x.node("slice").shape();
  const std::size_t at = normal_axis("slice", axis, shape);
  const std::ptrdiff_t n = signed_of(shape[at]);
  const std::ptrdiff_t first = begin < 0 ? begin + n : begin, last = end < 0 ? end + n : end;
  check(step >= 1 && 0 <= first && first <= last && last <= n,
        "slice: 0 <= begin <= end <= {} and step >= 1 must hold on axis {}; got begin {}, end {}, "
        "step {}, shape {}{}",
        n, axis, begin, end, step, shape, step < 0 ? " (hint: flip reverses)" : "");
  const auto start = static_cast<std::size_t>(first);
  const std::size_t extent =
      first == last ? 0 : static_cast<std::size_t>((last - first - 1) / step + 1);
  const std::size_t stride = extent > 1 ? static_cast<std::size_t>(step) : 1;
  return window(
      "slice", x, extent == shape[at],
      [=](const View& whole, View* part) {
        *part = whole.narrow(at, start, extent, stride);
        return true;
      },
      [=](const Var& dy, const Shape& whole) { return unslice(dy, whole, at, start, stride); });
}

Var index(const Var& x, std::ptrdiff_t axis, std::ptrdiff_t at) {
  const Shape& shape = x.node("index").shape();
  const std::size_t a = normal_axis("index", axis, shape);
  const std::ptrdiff_t n = signed_of(shape[a]);
  check(at >= -n && at < n, "index: must lie in axis {} of {}; got {}", axis, shape, at);
  const auto begin = static_cast<std::size_t>(at < 0 ? at + n : at);
  return window(
      "index", x, n == 1,
      [=](const View& whole, View* part) {
        *part = whole.narrow(a, begin, 1);
        part->shape.erase(a);
        part->strides.erase(a);
        return true;
      },
      [=](const Var& dy, const Shape& whole) {
        Axes one(whole.begin(), whole.end());
        one[a] = 1;
        return unslice(reshape(dy, one), whole, a, begin, 1);
      });
}

Var pad(const Var& x, std::ptrdiff_t axis, std::size_t before, std::size_t after) {
  Shape shape = x.node("pad").shape();
  const std::size_t at = normal_axis("pad", axis, shape);
  constexpr std::size_t kMost = std::numeric_limits<std::ptrdiff_t>::max() / 4;
  check(before <= kMost && after <= kMost,
        "pad: before and after must not be negative; got {} and {}{}", signed_of(before),
        signed_of(after), " (hint: slice cuts off)");
  shape[at] += before + after;
  return unslice(x, shape, at, before, 1);
}

Var flip(const Var& x, std::ptrdiff_t axis) {
  const View& from = x.node("flip").value.view;
  const std::size_t at = normal_axis("flip", axis, from.shape);
  Value value = allocate(from.shape);
  View reversed = value.view;
  if (from.shape[at] > 0) reversed.data += reversed.strides[at] * signed_of(from.shape[at] - 1);
  reversed.strides[at] = -reversed.strides[at];
  copy(from, reversed);
  return record("flip", std::array{x}, std::move(value),
                [=](Pull& p) { p.give(0, [&] { return flip(p.dy(), axis); }); });
}

}  // namespace reel::inline REEL_PRECISION
