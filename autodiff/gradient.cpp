#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// Of a window on a window .., the outermost base first: a chain of them never unwinds recursively.
void prepare_base(Node& base) {
  const auto lacks_place = [](const Node* n) { return n && n->needs_grad && !n->grad; };
  if (lacks_place(&base) && lacks_place(base.base)) {
    PooledVector<Node*> bases;
    for (Node* b = base.base; lacks_place(b); b = b->base) bases.push_back(b);
    for (; !bases.empty(); bases.pop_back()) prepare_grad(*bases.back());
  }
  prepare_grad(base);
}

// In a parameter or in the gradient of a base; false: nowhere in particular.
bool locate_in_another(Node& n) {
  if (n.locate_kept()) return true;
  if (Node* base = n.base; base && base->needs_grad) {
    prepare_base(*base);
    // Windows that tile a base which nobody else reads may be written one by one.
    const bool first_write = n.tiles_base && base->consumers == 1 && !base->grad_written;
    View part;
    if (n.window(base->grad->view, &part)) {
      if (!first_write && !base->grad_written) {
        fill(base->grad->view, 0);
        base->grad_written = true;
      }
      n.grad.hold(part, base->grad->storage);
      n.grad_in_base = true;
      n.grad_written = !first_write;
      return true;
    }
  }
  return false;
}

// The term of the sum n that may have the very gradient of n; null: there is none.
Node* sharing_term(const Node& n) {
  if (n.sum_input < 0) return nullptr;
  Node* term = n.inputs()[static_cast<std::size_t>(n.sum_input)].ref().get();
  return term->needs_grad && term->consumers == 1 && !term->grad_written ? term : nullptr;
}

}  // namespace

void detail::locate_grad(Node& n) {
  if (locate_in_another(n)) return;
  // Sums of sums .. all share the place of the last term, or of the sum above it if something has
  // been written there by now.
  Node* last = &n;
  while (Node* term = sharing_term(*last)) {
    const bool located = term->grad || locate_in_another(*term);
    if (term->grad_written) break;
    last = term;
    if (located) break;
  }
  if (!last->grad) last->grad.hold(allocate(last->shape()));
  for (Node* sum = &n; sum != last; sum = sharing_term(*sum)) {
    sum->grad.hold(*last->grad);
    sum->grad_shared = true;
  }
}

void detail::unfreeze_grad(Node& n) {
  if (n.grad->storage->frozen & Storage::kLent)
    n.grad.hold(dense_copy(n.grad->view));
  else
    n.tape->deferred().flush();
}

void detail::add_grad(Node& n, const Var& contribution) {
  const Node& c = contribution.node(n.op);
  check(c.shape() == n.shape(),
        "{}: a gradient must have the shape of its value; got gradient {}, value {}", n.op,
        c.shape(), n.shape());
  const Storage* storage = c.value.storage.get();
  const bool sole = storage && storage->refs == 1 && contribution.ref()->refs == 1;
  // What is lent is copied before anything is added to it. A split wants its parts' gradients in
  // their base's.
  const bool part = n.producer && n.base;
  const bool lent = storage && storage->frozen & Storage::kLent && !part;
  if (!n.grad && !n.keeps_grad && (lent || (sole && !n.base)) && c.value.view.is_dense()) {
    n.grad.hold(c.value);
    n.grad_written = true;
    return;
  }
  const Target to = grad_target(n);
  to.accumulate ? detail::add(c.value.view, to.view) : copy(c.value.view, to.view);
}

void detail::hand_down(const Value& from, Node& n) {
  if (n.grad || n.keeps_grad || n.base || !from.storage) {
    const Target to = grad_target(n);
    to.accumulate ? detail::add(from.view, to.view) : copy(from.view, to.view);
  } else {
    n.grad.hold(from);
    n.grad_written = true;
  }
}

void detail::pass_on_sum_gradient(Node& y, Node& c) {
  if (y.grad_shared)
    c.grad_written = true;
  else if (c.consumers == 1)
    hand_down(*y.grad, c);
  else {
    const Target dc = grad_target(c);
    dc.accumulate ? detail::add(y.grad->view, dc.view) : copy(y.grad->view, dc.view);
  }
}

}  // namespace reel::inline REEL_PRECISION
