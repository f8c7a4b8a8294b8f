#include <reel/autodiff/node.hpp>
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
thread_local ParameterScope* innermost_scope = nullptr;
}  // namespace

Array to_array(const View& view) {
  Array array = empty_array(view.shape);
  copy(view, View(array.data(), view.shape));
  return array;
}

// The leaf that stands for a parameter: its gradient lies in the parameter.
struct ParameterLeaf : Node {
  explicit ParameterLeaf(const Parameter& p) : parameter(p), version(p.version_) {
    op = "parameter";
    keeps_grad = true;
    needs_grad = p.trainable;
    value.view = View(const_cast<real*>(p.value_.data()), p.shape());
  }
  void pull(Pull&) override {
    check<Error>(version == parameter.version_,
                 "backward: parameter {} was changed after the tape recorded it; update "
                 "parameters after backward",
                 parameter.name);
  }
  // Does this node still stand for the parameter, for what records now?
  bool is_current() const {
    const bool wanted = Tape::current() && parameter.trainable;
    return !stale && version == parameter.version_ && (needs_grad || !wanted);
  }
  bool locate_kept() override {
    grad.view = View(parameter.mutable_grad().data(), shape());
    grad_written = std::exchange(parameter.has_grad_, true);
    return true;
  }
  const Parameter& parameter;
  std::uint64_t version;
};

const Array& Parameter::grad() const {
  if (!has_grad_) {
    grad_ = full_array(shape(), 0);
    has_grad_ = true;
  }
  return grad_;
}
Array& Parameter::mutable_grad() const {
  if (grad_.shape() != value_.shape()) grad_ = empty_array(shape());
  return grad_;
}

ParameterScope::ParameterScope() : outer_(std::exchange(innermost_scope, this)) {}
ParameterScope::~ParameterScope() { innermost_scope = outer_; }
ParameterScope* ParameterScope::current() { return innermost_scope; }
Var ParameterScope::find(const Parameter& parameter) const {
  auto at = vars_.find(&parameter);
  if (at == vars_.end()) return {};
  const auto& leaf = static_cast<const ParameterLeaf&>(*at->second.ref());
  return leaf.is_current() ? at->second : Var();
}

Var::Var(real value) : node_(constant(scalar(value))) {}
Var::Var(const Array& value) : Var(Array(value)) {}
Var::Var(Array&& value) : node_(constant(adopt(std::move(value)))) {}
Var::Var(const Parameter& parameter) {
  ParameterScope* scope = ParameterScope::current();
  if (scope) *this = scope->find(parameter);
  if (node_) return;
  node_ = Ref<Node>(new ParameterLeaf(parameter));
  if (Tape* tape = Tape::current(); tape && parameter.trainable)
    tape->push(node_);
  else
    node_->needs_grad = false;
  if (scope) scope->remember(parameter, *this);
}

Node& Var::node(const char* op) const {
  check<Error>(static_cast<bool>(node_), "{}: got an empty Var; make it from an array first", op);
  check<StaleError>(!node_->stale,
                    "{}: got a value of a tape that has ended; to carry a value over to the next "
                    "tape, keep state = detach(state)",
                    op);
  return *node_;
}

const Shape& Var::shape() const { return node("shape").shape(); }

std::size_t Var::size(std::ptrdiff_t axis) const {
  const auto rank = static_cast<std::ptrdiff_t>(dim());
  check(axis >= -rank && axis < rank, "size: axis must lie in the shape; got axis {}, shape {}",
        axis, shape());
  return shape()[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
}

ArrayView Var::value() const& {
  const View& view = node("value").value.view;
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
Array Var::value() && { return to_array(node("value").value.view); }

real Var::item() const {
  check(size() == 1, "item: the Var must have one element; got {}", shape());
  return *node_->value.view.data;
}

Array Var::grad() const {
  const Node& n = node("grad");
  check<Error>(n.keeps_grad,
               "grad: kept for leaves only; got the result of {} (make it with tape.leaf)", n.op);
  return n.grad_written ? to_array(n.grad.view) : full_array(n.shape(), 0);
}

bool Var::is_recorded() const { return node("is_recorded").needs_grad; }

Var detach(const Var& a) {
  Node& n = a.node("detach");
  return Var(constant(n.value.storage ? n.value : adopt(to_array(n.value.view))));
}

}  // namespace reel::inline REEL_PRECISION
