#include <fmt/format.h>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

std::ptrdiff_t signed_of(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

// split: one node, and a window per part
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
    if (!node) {
      Value part{{}, whole.storage};
      narrow(whole.view, at, begin, extents[k], &part.view);
      parts[k] = unrecorded("split", std::span(&x, 1), std::move(part));
      continue;
    }
    Ref<Node> part(new PartNode(begin));
    narrow(whole.view, at, begin, extents[k], &part->value.view);
    part->value.storage = whole.storage;
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

}  // namespace reel::inline REEL_PRECISION
