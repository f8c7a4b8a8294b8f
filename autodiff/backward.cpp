#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>

#include <optional>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {

// Finds a place for n's gradient, without writing to it.
void locate_grad(Node& n) {
  if (n.grad.view.data) return;
  if (n.locate_kept()) return;
  if (Node* base = n.base(); base && base->needs_grad) {
    locate_grad(*base);
    // Windows that tile a base which nobody else reads may be written one by one.
    const bool first_write = n.tiles_base && base->consumers == 1 && !base->grad_written;
    if (n.window(base->grad.view, &n.grad.view)) {
      if (!first_write && !base->grad_written) {
        fill(base->grad.view, 0);
        base->grad_written = true;
      }
      n.grad.storage = base->grad.storage;
      n.grad_in_base = true;
      n.grad_written = !first_write;
      return;
    }
  }
  if (n.sum_input >= 0) {
    Node& term = *n.inputs[static_cast<std::size_t>(n.sum_input)].ref();
    if (term.needs_grad && term.consumers == 1 && !term.grad_written) {
      locate_grad(term);
      if (!term.grad_written) {
        n.grad = term.grad;
        n.grad_shared = true;
        return;
      }
    }
  }
  n.grad = allocate(n.shape());
}

}  // namespace

void detail::prepare_grad(Node& n) {
  locate_grad(n);
  if (n.grad_written && n.grad.storage && n.grad.storage->frozen) n.tape->deferred().flush();
}

Target detail::grad_target(Node& n) {
  prepare_grad(n);
  return {n.grad.view, std::exchange(n.grad_written, true)};
}

void detail::add_grad(Node& n, const Var& contribution) {
  const Node& c = contribution.node(n.op);
  check(c.shape() == n.shape(),
        "{}: a gradient must have the shape of its value; got gradient {}, value {}", n.op,
        c.shape(), n.shape());
  const bool sole = contribution.ref()->refs == 1 && c.value.storage && c.value.storage->refs == 1;
  if (!n.grad.view.data && !n.keeps_grad && !n.base() && sole && c.value.view.is_dense()) {
    n.grad = c.value;
    n.grad_written = true;
    return;
  }
  const Target to = grad_target(n);
  to.accumulate ? detail::add(c.value.view, to.view) : copy(c.value.view, to.view);
}

void detail::hand_down(const Value& from, Node& n) {
  if (n.grad.view.data || n.keeps_grad || n.base() || !from.storage) {
    const Target to = grad_target(n);
    to.accumulate ? detail::add(from.view, to.view) : copy(from.view, to.view);
  } else {
    n.grad = from;
    n.grad_written = true;
  }
}

bool Node::has_grad() const {
  if (grad_written) return true;
  for (const Node* output : outputs)
    if (output->grad_written) return true;
  return false;
}

// --- Pull: gradients as Vars, in memory or recorded ---

Node& Pull::output(std::size_t k) const {
  return node_.outputs.empty() ? node_ : *node_.outputs[k];
}
Var Pull::y(std::size_t k) const { return Var(Ref<Node>(&output(k))); }

Var Pull::dy(std::size_t k) const {
  Node& y = output(k);
  if (recorded_) {
    const Var& grad = (*recorded_)[y.index];
    return grad ? grad : Var(full_array(y.shape(), 0));
  }
  if (!y.grad_written) return Var(full_array(y.shape(), 0));
  return unrecorded(y.op, y.grad.storage ? y.grad : adopt(to_array(y.grad.view)));
}

bool Pull::wants(std::size_t i) const { return node_.inputs[i].ref()->needs_grad; }

void Pull::add(std::size_t i, const Var& contribution) const {
  Node& input = *node_.inputs[i].ref();
  check(contribution.shape() == input.shape(),
        "{}: a gradient must have the shape of its value; got gradient {}, value {}", node_.op,
        contribution.shape(), input.shape());
  if (!recorded_) return add_grad(input, contribution);
  Var& sum = (*recorded_)[input.index];
  sum = sum ? sum + contribution : contribution;
}

// --- Tape ---

void Tape::backward(const Var& loss) {
  check(loss.size() == 1,
        "backward: the loss must have one element, or give dLoss/dloss as seed; got {}",
        loss.shape());
  backward(loss, full_array(loss.shape(), 1));
}

void Tape::backward(const Var& loss, const Array& seed) {
  Node& last = loss.node("backward");
  check<Error>(last.tape == this,
               "backward: the loss must be recorded on this tape; got the result of {}, which "
               "depends on no leaf or trainable parameter of it",
               last.op);
  PauseRecording pause;
  try {
    add_grad(last, Var(seed));
    play_back(last.index);
  } catch (...) {
    deferred_ = {};
    for (const Ref<Node>& node : nodes_) finish(*node);
    throw;
  }
}

void Tape::play_back(std::size_t from) {
  for (std::size_t i = from + 1; i-- > 0;) {
    Node& n = *nodes_[i];
    deferred_.flush(n);
    if (check_finite_ && n.keeps_grad && n.grad_written) require_finite(n, n.grad.view, "backward");
    if (n.producer || !n.has_grad()) continue;
    if (!n.pull_in_place()) {
      Pull pull(n, nullptr);
      n.pull(pull);
    }
    if (check_finite_)
      for (const Var& input : n.inputs)
        if (input.ref()->grad_written) require_finite(n, input.ref()->grad.view, "backward");
    finish(n);
    for (Node* output : n.outputs) finish(*output);
  }
}

// Lets go of a gradient that has been passed on. A parameter's lies in the parameter.
void Tape::finish(Node& n) {
  if (n.keeps_grad && n.grad.storage) return;
  n.grad = {};
  n.grad_written = n.grad_in_base = n.grad_shared = false;
}

std::vector<Var> Tape::gradients(const Var& y, const std::vector<Var>& wrt,
                                 GradientOptions options) {
  check(y.size() == 1, "gradients: y must have one element; got {}", y.shape());
  Node& last = y.node("gradients");
  check<Error>(last.tape == this, "gradients: y must be recorded on this tape; got {}", last.op);
  std::optional<PauseRecording> pause;
  if (!options.create_graph) pause.emplace();
  Vars grads(last.index + 1);
  grads[last.index] = Var(full_array(y.shape(), 1));
  for (std::size_t i = last.index + 1; i-- > 0;) {
    const Ref<Node> n = nodes_[i];  // recording moves nodes_
    const auto known = [&](const Node* node) { return static_cast<bool>(grads[node->index]); };
    const bool reached = known(n.get()) || std::any_of(n->outputs.begin(), n->outputs.end(), known);
    if (n->producer || !reached) continue;
    Pull pull(*n, &grads);
    n->pull(pull);
  }
  std::vector<Var> results;
  for (const Var& x : wrt) {
    const Node& n = x.node("gradients");
    check<Error>(n.tape == this, "gradients: x must be recorded on this tape; got {}", n.op);
    const bool reached = n.index < grads.size() && grads[n.index];
    results.push_back(reached ? grads[n.index] : Var(full_array(n.shape(), 0)));
  }
  return results;
}

}  // namespace reel::inline REEL_PRECISION
