// What a Var points at: a value, where it came from, and its gradient.
#pragma once

#include <reel/autodiff/var.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

class Pull;

namespace detail {

using Vars = std::vector<Var, PoolAllocator<Var>>;

struct Node : Counted {
  const char* op = "constant";
  Tape* tape = nullptr;         // null: a constant, or stale
  std::uint32_t index = 0;      // position on the tape
  std::uint32_t consumers = 0;  // recorded ops that read it
  bool needs_grad = false;
  bool stale = false;
  bool keeps_grad = false;    // a leaf: the gradient survives backward
  bool value_unread = false;  // neither its own rule nor its base's reads the value
  bool overwritable = false;  // a sole reader may put its result in this value's place
  bool pinned = false;        // a user may look at value.view: it stays where it is
  bool grad_written = false;  // grad holds a number, not just a place
  bool grad_in_base = false;  // grad is a window on the base's gradient
  bool grad_shared = false;   // grad is the very gradient of input sum_input
  bool tiles_base = false;    // this window and its siblings tile their base
  int sum_input = -1;         // y = inputs[sum_input] + ...: that gradient is dy itself
  Value value;
  Value grad;               // view.data null: no place yet
  Ref<Storage> transposed;  // of a weight: its transpose, made once per tape
  Vars inputs;
  Node* producer = nullptr;                          // of an output of a many-valued op
  std::vector<Node*, PoolAllocator<Node*>> outputs;  // of a many-valued op

  const Shape& shape() const { return value.view.shape; }
  // The value, for a node that will show the same memory: from now on nobody may overwrite it.
  const Value& share() {
    overwritable = false;
    return value;
  }
  bool has_grad() const;  // in itself or an output

  // dInputs from dOutputs, in ops.
  virtual void pull(Pull&) {}
  // The same on memory, when nothing records; false: use pull.
  virtual bool pull_in_place() { return false; }
  // For a leaf: finds the gradient's place elsewhere, as in a parameter.
  virtual bool locate_kept() { return false; }
  // For such a leaf: adds rows to those `indices` of its gradient, and reaches no others.
  virtual bool add_grad_rows(const View& /*rows*/, const Indices& /*indices*/) { return false; }
  // For such a leaf, after backward failed: drops a gradient that is half written.
  virtual void forget_grad() {}
  // For a window on another node: where its elements lie within that node's value or gradient.
  virtual Node* base() { return nullptr; }
  virtual bool window(const View& /*whole*/, View* /*part*/) const { return false; }
};

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
