#include <reel/autodiff/node.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {
Ref<Node> constant(Value value) {
  Ref<Node> node(new Node);
  node->value = std::move(value);
  return node;
}
Value scalar(real x) {
  Value value = allocate({});
  *value.view.data = x;
  return value;
}
// Numbers leave the ops here.
const View& read(const char* op, const Node& node) {
  if (const Recorder* recorder = Recorder::current()) [[unlikely]]
    recorder->refuse_reading(op, node.value.view);
  return node.value.view;
}
}  // namespace

Array to_array(const View& view) {
  Array array = empty_array(view.shape);
  copy(view, View(array.data(), view.shape));
  return array;
}

Var::Var(real value) : node_(constant(scalar(value))) {}
Var::Var(const Array& value) : Var(Array(value)) {}
Var::Var(Array&& value) : node_(constant(adopt(std::move(value)))) {}
void Var::check_usable(const char* op) const {
  check<Error>(static_cast<bool>(node_), "{}: got an empty Var; make it from an array first", op);
  check<StaleError>(!node_->stale,
                    "{}: got a value of a tape that has ended; to carry a value over to the next "
                    "tape, keep state = detach(state)",
                    op);
  node_->lender().check_borrowed(op);
}

const Shape& Var::shape() const { return node("shape").shape(); }

std::size_t Var::size(std::ptrdiff_t axis) const {
  const Shape& extents = shape();
  return extents[normal_axis("size", axis, extents)];
}

ArrayView Var::value() const& {
  const View& view = read("value", node("value"));
  using Extents = ArrayView::inner_shape_type;
  Extents shape(view.shape.begin(), view.shape.end());
  ArrayView::inner_strides_type strides(view.strides.begin(), view.strides.end());
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 1) strides[i] = 0;  // as xtensor expects
  node_->pinned = true;
  return ArrayView(xt::xbuffer_adaptor<const real*, xt::no_ownership, std::allocator<real>>(
                       view.data, view.size()),
                   shape, strides);
}
Array Var::value() && { return to_array(read("value", node("value"))); }

real Var::item() const {
  check(size() == 1, "item: the Var must have one element; got {}", shape());
  return *read("item", *node_).data;
}

Array Var::grad() const {
  const Node& n = node("grad");
  check<Error>(n.keeps_grad,
               "grad: kept for leaves only; got the result of {} (make it with tape.leaf)", n.op);
  check<Error>(!n.borrows, "grad: a parameter has its own grad; got the Var of a parameter");
  return n.grad_written ? to_array(n.grad->view) : full_array(n.shape(), 0);
}

bool Var::is_recorded() const { return node("is_recorded").needs_grad; }

Var detach(const Var& a) {
  Node& n = a.node("detach");
  return Var(constant(n.value.storage ? n.share() : dense_copy(n.value.view)));
}

}  // namespace reel::inline REEL_PRECISION
