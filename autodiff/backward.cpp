#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/pull.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

#include <algorithm>
#include <optional>

namespace reel::inline REEL_PRECISION {

using namespace detail;

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
  const std::size_t size = nodes_.size();
  ++backwards_;
  try {
    const Ref<Storage> storage = Storage::lent(seed.data(), seed.size());
    add_grad(last, unrecorded("seed", Value{View(storage->data, shape_of(seed)), storage}));
    play_back(last.index);
  } catch (...) {
    deferred_ = {};
    for (const Ref<Node>& node : nodes_) {
      node->forget_grad();
      finish(*node);
    }
    drop(size);  // what a replay has left
    throw;
  }
}

void Tape::play_back(std::size_t from, std::size_t down_to) {
  for (std::size_t i = from + 1; i-- > down_to;) {
    fetch_before(nodes_, i);
    Node& n = *nodes_[i];
    if (n.has_deferred) deferred_.flush(n);
    if (check_finite_ && n.keeps_grad && n.grad_written)
      require_finite(n, n.grad->view, "backward");
    if (n.producer || !n.has_grad()) continue;
    if (n.own_loops && Recorder::current()) [[unlikely]]
      return Recorder::current()->spoil();
    for (const Var& input : n.inputs())  // frozen parameters, too, must be as they were
      if (input.ref()->borrows) static_cast<void>(input.node("backward"));
    if (!n.pull_in_place()) {
      Pull pull(n, nullptr);
      n.pull(pull);
    }
    if (check_finite_)
      for (const Var& input : n.inputs())
        if (input.ref()->grad_written) require_finite(n, input.ref()->grad->view, "backward");
    finish(n);
    for (Node* output : n.outputs()) finish(*output);
  }
}

// Lets go of a gradient that has been passed on. A parameter's lies in the parameter.
void Tape::finish(Node& n) {
  if (!(n.keeps_grad && n.grad && n.grad->storage)) n.drop_grad();
}

std::vector<Var> Tape::gradients(const Var& y, const std::vector<Var>& wrt,
                                 GradientOptions options) {
  check(y.size() == 1, "gradients: y must have one element; got {}", y.shape());
  Node& last = y.node("gradients");
  check<Error>(last.tape == this, "gradients: y must be recorded on this tape; got {}", last.op);
  std::optional<PauseRecording> pause;
  if (!options.create_graph) pause.emplace();
  Vars grads(nodes_.size());  // siblings of y may lie beyond it
  grads[last.index] = Var(full_array(y.shape(), 1));
  pull_back(grads, last.index);
  std::vector<Var> results;
  for (const Var& x : wrt) {
    const Node& n = x.node("gradients");
    check<Error>(n.tape == this, "gradients: x must be recorded on this tape; got {}", n.op);
    const bool reached = n.index < grads.size() && grads[n.index];
    results.push_back(reached ? grads[n.index] : Var(full_array(n.shape(), 0)));
  }
  return results;
}

void Tape::pull_back(Vars& grads, std::size_t from, std::size_t down_to) {
  for (std::size_t i = from + 1; i-- > down_to;) {
    const Ref<Node> n = nodes_[i];  // recording moves nodes_
    const auto known = [&](const Node* node) { return static_cast<bool>(grads[node->index]); };
    const bool reached = known(n.get()) || std::ranges::any_of(n->outputs(), known);
    if (n->producer || !reached) continue;
    Pull pull(*n, &grads);
    n->pull(pull);
    if (check_finite_)
      for (const Var& input : n->inputs())
        if (const Node& x = *input.ref(); x.needs_grad && grads[x.index])
          require_finite(*n, grads[x.index].ref()->value.view, "backward");
  }
}

}  // namespace reel::inline REEL_PRECISION
