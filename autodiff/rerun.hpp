// For nodes that compute their outputs again during backward.
#pragma once

#include <reel/autodiff/pull.hpp>
#include <reel/autodiff/tape.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION::detail {

// What such a node reads, as the start of what is recorded again.
struct RunLeaf : Node {
  RunLeaf(const char* name, const Value& v) {
    op = name;
    needs_grad = true;
    value = v;
  }
  bool pull_in_place() override {
    reached = true;
    total = *grad;
    return true;
  }
  bool reached = false;
  Value total;  // its gradient
};

inline Ref<RunLeaf> push_leaf(Tape& tape, const char* op, const Value& value) {
  Ref<RunLeaf> leaf(new RunLeaf(op, value));
  tape.push(Ref<Node>(leaf.get()));
  return leaf;
}
inline Var as_var(const Ref<RunLeaf>& leaf) { return Var(Ref<Node>(leaf.get())); }

// The rule of `node` in ops: records on its tape what run() does, which returns the node's outputs,
// and pulls that back.
template <class Run>
void pull_by_recording(Node& node, Pull& p, const Run& run) {
  Tape& tape = *node.tape;
  Vars& grads = p.recorded();
  const bool recorded_again = Tape::current() == &tape;
  const std::size_t mark = tape.size();
  {
    Vars pieces;
    {
      const ResumeRecording resume(tape);
      pieces = run();
    }
    const std::size_t end = tape.size();
    grads.resize(std::max(grads.size(), end));
    for (std::size_t k = 0; k < pieces.size(); ++k) {
      if (!pieces[k] || !pieces[k].is_recorded() || !grads[node.outputs()[k]->index]) continue;
      Var& sum = grads[pieces[k].ref()->index];
      sum = sum ? sum + p.dy(k) : p.dy(k);
    }
    if (end > mark) tape.pull_back(grads, end - 1, mark);
  }
  if (recorded_again) return;
  grads.resize(mark);
  tape.drop(mark);
}

}  // namespace reel::inline REEL_PRECISION::detail
