#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

using namespace detail;

namespace {
thread_local Tape* current_tape = nullptr;
}

Tape::Tape() : outer_(current_tape) {
  check<Error>(!Recorder::current(), "tape: what is replayed must not open a tape");
  current_tape = this;
}
Tape::Tape(Recorder&) : outer_(std::exchange(current_tape, this)) {}

Tape::~Tape() {
  Tape** link = &current_tape;  // tapes may end in any order
  while (*link && *link != this) link = &(*link)->outer_;
  if (*link) *link = outer_;
  drop(0);
}

// Newest first, and one by one: a chain of inputs never unwinds recursively.
void Tape::drop(std::size_t from) {
  while (nodes_.size() > from) {
    fetch_before(nodes_, nodes_.size() - 1);
    if (Node& node = *nodes_.back(); node.refs > 1) {  // a handle outlives it
      node.stale = true;
      node.tape = nullptr;
      if (!node.keeps_grad) node.drop_grad();
      node.value.storage = {};
      node.packed = {};
      for (Var& input : node.inputs()) input = {};
      node.forget_outputs();
    }
    nodes_.pop_back();
  }
  if (scopes_.size() > from) scopes_.resize(from);
}

Tape* Tape::current() { return current_tape; }

PauseRecording::PauseRecording() : paused_(std::exchange(current_tape, nullptr)) {}
PauseRecording::~PauseRecording() { current_tape = paused_; }

ResumeRecording::ResumeRecording(Tape& tape)
    : tape_(tape),
      paused_(std::exchange(current_tape, &tape)),
      parameters_(ParameterScope::exchange_current(&tape.parameters_)) {
  ++tape_.replays_;
}
ResumeRecording::~ResumeRecording() {
  --tape_.replays_;
  current_tape = paused_;
  ParameterScope::exchange_current(parameters_);
}

Rehearsal::Rehearsal(Tape& tape) : tape_(tape), outer_(std::exchange(tape.rehearsal_, this)) {}
Rehearsal::~Rehearsal() { tape_.rehearsal_ = outer_; }

bool Tape::rehearses(std::span<const Var> inputs) {
  if (!rehearsal_) return false;
  rehearsal_->met_recorded_ = true;
  // The replay will read them again: none may take its first contribution for the only one.
  for (const Var& input : inputs) ++input.ref()->consumers;
  return true;
}

void Tape::push(const Ref<Node>& node) {
  node->tape = this;
  node->index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back(node);
  for (const Var& input : node->inputs()) ++input.ref()->consumers;
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
