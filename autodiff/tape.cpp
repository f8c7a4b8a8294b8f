#include <reel/autodiff/record.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {
thread_local Tape* current_tape = nullptr;
}

Tape::Tape() : outer_(std::exchange(current_tape, this)) {}

Tape::~Tape() {
  Tape** link = &current_tape;  // tapes may end in any order
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
  for (Ref<Node>& node : nodes_) {
    node->stale = true;
    node->tape = nullptr;
    if (!node->keeps_grad) node->grad = {};
    node->value.storage = {};
    node->transposed = {};
  }
  // Newest first, and one by one: a chain of inputs never unwinds recursively.
  while (!nodes_.empty()) {
    nodes_.back()->inputs.clear();
    nodes_.pop_back();
  }
}

bool Node::has_grad() const {
  if (grad_written) return true;
  for (const Node* output : outputs)
    if (output->grad_written) return true;
  return false;
}

Tape* Tape::current() { return current_tape; }

PauseRecording::PauseRecording() : paused_(std::exchange(current_tape, nullptr)) {}
PauseRecording::~PauseRecording() { current_tape = paused_; }

void Tape::push(const Ref<Node>& node) {
  node->tape = this;
  node->index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(node);
  for (const Var& input : node->inputs) ++input.ref()->consumers;
  if (check_finite_) {
    scopes_.resize(nodes_.size());
    scopes_.back() = Scope::path();
  }
}

Var Tape::leaf(Array value) {
  Ref<Node> node(new Node);
  node->op = "leaf";
  node->needs_grad = node->keeps_grad = true;
  node->value = adopt(std::move(value));
  push(node);
  return Var(node);
}

}  // namespace reel::inline REEL_PRECISION
