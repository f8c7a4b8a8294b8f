#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// The term of the sum n that may have the very gradient of n; null: there is none.
Node* sharing_term(const Node& n) {
  if (n.sum_input < 0) return nullptr;
  Node* term = n.inputs()[static_cast<std::size_t>(n.sum_input)].ref().get();
  return term->needs_grad && term->consumers == 1 && !term->grad_written ? term : nullptr;
}

// The node whose gradient must have a place before n's can have one; null: none.
Node* needed_first(const Node& n) {
  Node* other = n.base ? n.base : sharing_term(n);
  return other && other->needs_grad && !other->grad ? other : nullptr;
}

// Once needed_first(n) has one.
void locate_next(Node& n) {
  if (n.locate_kept()) return;
  if (Node* base = n.base; base && base->needs_grad) {
    prepare_grad(*base);
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
      return;
    }
  }
  if (const Node* term = sharing_term(n)) {
    n.grad.hold(*term->grad);
    n.grad_shared = true;
    return;
  }
  n.grad.hold(allocate(n.shape()));
}

// Windows on sums of windows .. may form a chain as long as the tape: it is not followed by
// recursion, but for the short ones of every step.
void locate(Node& n, int depth) {
  constexpr int kShort = 8;
  if (Node* other = needed_first(n)) {
    if (depth < kShort) {
      locate(*other, depth + 1);
    } else {
      PooledVector<Node*> chain;
      for (; other; other = needed_first(*other)) chain.push_back(other);
      for (; !chain.empty(); chain.pop_back()) locate_next(*chain.back());
    }
  }
  locate_next(n);
}

}  // namespace

void detail::put(const View& contribution, const Target& to) {
  to.accumulate ? detail::add(contribution, to.view) : copy(contribution, to.view);
}

void detail::locate_grad(Node& n) { locate(n, 0); }

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
  put(c.value.view, grad_target(n));
}

void detail::hand_down(const Value& from, Node& n) {
  if (n.grad || n.keeps_grad || n.base || !from.storage) {
    put(from.view, grad_target(n));
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
  else
    put(y.grad->view, grad_target(c));
}

}  // namespace reel::inline REEL_PRECISION
