#include <fmt/format.h>
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
  if (!recorded) return unrecorded(op, std::move(value));
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
  const auto start = static_cast<std::size_t>(first), stride = static_cast<std::size_t>(step);
  const std::size_t extent = static_cast<std::size_t>((last - first + step - 1) / step);
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

// --- split: one node, and a window per part ---

namespace {

struct SplitNode : Node {
  explicit SplitNode(std::size_t a) : axis(a) {}
  void pull(Pull& p) override {
    p.give(0, [&] {
      Vars parts;
      for (std::size_t k = 0; k < outputs().size(); ++k) parts.push_back(p.dy(k));
      return concat(parts, signed_of(axis));
    });
  }
  bool pull_in_place() override;
  std::size_t axis;
};

// part = whole.narrow(axis, begin, extent), in place: a small step splits several times.
void narrow(const View& whole, std::size_t axis, std::size_t begin, std::size_t extent,
            View* part) {
  *part = whole;
  if (extent > 0) part->data += part->strides[axis] * signed_of(begin);
  part->shape[axis] = extent;
}

struct PartNode final : Node {
  explicit PartNode(std::size_t b) : begin(b) {}
  bool window(const View& whole, View* part) const override {
    const std::size_t axis = static_cast<const SplitNode*>(producer)->axis;
    narrow(whole, axis, begin, shape()[axis], part);
    return true;
  }
  std::size_t begin;
};

// The parts that got a gradient have written it into their base's; the others are zero there.
bool SplitNode::pull_in_place() {
  Node& x = *inputs()[0].ref();
  if (x.grad_written) return true;
  for (Node* part : outputs()) {
    if (part->grad_written) continue;
    View unwritten;
    part->window(x.grad->view, &unwritten);
    fill(unwritten, 0);
  }
  x.grad_written = true;
  return true;
}

}  // namespace

void detail::split_into(std::span<Var> parts, const Var& x, std::span<const std::size_t> extents,
                        std::ptrdiff_t axis) {
  const Shape& shape = x.node("split").shape();
  const std::size_t at = normal_axis("split", axis, shape);
  std::size_t sum = 0;
  bool fits = true;
  for (std::size_t extent : extents) {
    fits = fits && extent <= shape[at] - sum;
    sum += extent;
  }
  check(fits && sum == shape[at], "split: extents must add up to {}, axis {} of {}; got {}",
        shape[at], axis, shape, fmt::join(extents, " + "));
  Ref<Node> node;
  if (must_record("split", std::span(&x, 1))) {
    node = make_node<SplitNode>(std::span(&x, 1), parts.size(), at);
    push("split", node);
  }
  const Value& whole = x.ref()->share();
  std::size_t begin = 0;
  for (std::size_t k = 0; k < extents.size(); begin += extents[k++]) {
    Ref<Node> part = node ? Ref<Node>(new PartNode(begin)) : Ref<Node>(new Node);
    narrow(whole.view, at, begin, extents[k], &part->value.view);
    part->value.storage = whole.storage;
    if (!node) {
      parts[k] = unrecorded("split", std::move(part));
      continue;
    }
    part->base = x.ref().get();
    part->tiles_base = true;
    parts[k] = push_output(*node, std::move(part));
  }
}

std::vector<Var> split(const Var& x, std::span<const std::size_t> extents, std::ptrdiff_t axis) {
  std::vector<Var> parts(extents.size());
  split_into(parts, x, extents, axis);
  return parts;
}

// --- joining ---

namespace {

// Part i lies in y from begin[i] on. Its gradient is that part of dy, handed down as it is.
struct ConcatNode : Node {
  explicit ConcatNode(std::size_t a) : axis(a) {}
  template <class Do>
  void each_part(Do&& act) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < inputs().size(); ++i) {
      const std::size_t extent = inputs()[i].ref()->shape()[axis];
      if (inputs()[i].ref()->needs_grad) act(i, begin, extent);
      begin += extent;
    }
  }
  void pull(Pull& p) override {
    const Var dy = p.dy();
    each_part([&](std::size_t i, std::size_t begin, std::size_t extent) {
      p.give(i, [&] {
        return slice(dy, signed_of(axis), signed_of(begin), signed_of(begin + extent));
      });
    });
  }
  bool pull_in_place() override {
    each_part([&](std::size_t i, std::size_t begin, std::size_t extent) {
      hand_down({grad->view.narrow(axis, begin, extent), grad->storage}, *inputs()[i].ref());
    });
    return true;
  }
  std::size_t axis;
};

// From now on the part's value is its place in the whole, so that what was computed step by step
// lies in one block.
void move_into(const View& place, const Ref<Storage>& whole, Node& part) {
  const bool own = part.value.storage && part.value.storage->refs == 1;
  if (!own || part.pinned || part.base) return;
  part.value = {place, whole};
  part.overwritable = false;
}

}  // namespace

Var concat(std::span<const Var> parts, std::ptrdiff_t axis) {
  check(!parts.empty(), "concat: at least one part must be given");
  Shape shape = parts[0].node("concat").shape();
  const std::size_t at = normal_axis("concat", axis, shape);
  shape[at] = 0;
  for (const Var& part : parts) {
    Shape other = part.node("concat").shape();
    const bool same_rank = other.size() == shape.size();
    const std::size_t extent = same_rank ? std::exchange(other[at], shape[at]) : 0;
    check(other == shape, "concat: parts must agree on all axes but {}; got {} and {}", axis,
          parts[0].shape(), part.shape());
    shape[at] += extent;
  }
  return concat_into(parts, axis, allocate(shape));
}

Var detail::concat_into(std::span<const Var> parts, std::ptrdiff_t axis, Value whole) {
  const std::size_t at = normal_axis("concat", axis, whole.view.shape);
  const bool recorded = must_record("concat", parts);
  std::size_t begin = 0;
  for (const Var& part : parts) {
    const View place = whole.view.narrow(at, begin, part.shape()[at]);
    begin += part.shape()[at];
    if (part.ref()->value.view.data == place.data) continue;
    copy(part.ref()->value.view, place);
    move_into(place, whole.storage, *part.ref());
  }
  if (!recorded) return unrecorded("concat", std::move(whole));
  Ref<Node> node = make_node<ConcatNode>(parts, 0, at);
  node->value = std::move(whole);
  return push("concat", std::move(node));
}

Var stack(std::span<const Var> parts, std::ptrdiff_t axis) {
  check(!parts.empty(), "stack: at least one part must be given");
  Shape shape = parts[0].node("stack").shape();
  shape.insert(0, 1);
  const std::size_t at = normal_axis("stack", axis, shape);
  shape.erase(0);
  for (const Var& part : parts)
    check(part.shape() == shape, "stack: parts must have one shape; got {} and {}", shape,
          part.shape());
  Axes extents(shape.begin(), shape.end());
  extents.insert(at, 1);
  Vars wide;
  for (const Var& part : parts) wide.push_back(reshape(part, extents));
  return concat(wide, signed_of(at));
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
