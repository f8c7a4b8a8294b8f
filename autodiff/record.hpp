// How an op becomes a node: value now, derivative rule for later.
#pragma once

#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/pull.hpp>
#include <reel/autodiff/tape.hpp>

namespace reel::inline REEL_PRECISION {

namespace detail {

struct NoShortcut {
  bool operator()(Node&) const { return false; }
};

template <class Rule, class Shortcut>
struct OpNode : Node {
  OpNode(Rule r, Shortcut s) : rule(std::move(r)), shortcut(std::move(s)) {
    own_loops = !std::is_same_v<Shortcut, NoShortcut>;
  }
  void pull(Pull& p) override { rule(p); }
  bool pull_in_place() override { return shortcut(*this); }
  Rule rule;
  [[no_unique_address]] Shortcut shortcut;
};

// Throws if an input is empty, stale or of another tape; true if the op goes on the tape.
bool must_record(const char* op, std::span<const Var> inputs);
// Puts node, which has its inputs and its value, on the tape.
Var push(const char* op, Ref<Node> node);
// The next output of the many-valued op `producer`, which is on the tape already.
Var push_output(Node& producer, Ref<Node> node);
Var unrecorded(const char* op, Ref<Node> node);
Var unrecorded(const char* op, Value value);
// May the result of an op that adds to c take over c's memory? Only a step of a hoisted product,
// held by nobody else.
bool may_overwrite(const Var& c);
Var unrecorded(const char* op, std::span<const Var> inputs, Value value);
// Marks the result of an op whose shortcut runs no loops but gemm, copy, add and the like, which
// tell a Recorder of themselves.
inline Var noted(Var result) {
  result.ref()->own_loops = false;
  return result;
}

}  // namespace detail

// For writing ops. Records y = op(inputs) and returns it. rule(Pull&) gives the gradients in
// terms of ops; shortcut(Node&), if there, does the same on memory and is preferred when nothing
// records. Neither is kept when no input needs a gradient.
template <class Rule, class Shortcut = detail::NoShortcut>
Var record(const char* op, std::span<const Var> inputs, detail::Value value, Rule rule,
           Shortcut shortcut = {}) {
  if (!detail::must_record(op, inputs)) return detail::unrecorded(op, inputs, std::move(value));
  using Op = detail::OpNode<Rule, Shortcut>;
  auto node = detail::make_node<Op>(inputs, 0, std::move(rule), std::move(shortcut));
  node->value = std::move(value);
  return detail::push(op, std::move(node));
}
template <class Rule>
Var record(const char* op, std::span<const Var> inputs, Array value, Rule rule) {
  return record(op, inputs, detail::adopt(std::move(value)), std::move(rule));
}

}  // namespace reel::inline REEL_PRECISION
