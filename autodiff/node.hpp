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
  bool has_grad() const;  // in itself or an output

  // dInputs from dOutputs, in ops.
  virtual void pull(Pull&) {}
  // The same on memory, when nothing records; false: use pull.
  virtual bool pull_in_place() { return false; }
  // For a leaf: finds the gradient's place elsewhere, as in a parameter.
  virtual bool locate_kept() { return false; }
  // For a window on another node: where its elements lie within that node's value or gradient.
  virtual Node* base() { return nullptr; }
  virtual bool window(const View& /*whole*/, View* /*part*/) const { return false; }
};

// Where to put a contribution to n's gradient: add to it if `accumulate`, else overwrite.
struct Target {
  View view;
  bool accumulate;
};
Target grad_target(Node& n);
// Does now what grad_target might do to other gradients: for rules that take several targets
// before they write.
void prepare_grad(Node& n);
void add_grad(Node& n, const Var& contribution);
// Gives all of `from`'s gradient memory to n, to which nothing else contributes any more.
void hand_down(const Value& from, Node& n);

}  // namespace detail

// What a derivative rule sees: the op's inputs x, outputs y, gradients dy, and where to give dx.
class Pull {
 public:
  Pull(detail::Node& node, detail::Vars* recorded) : node_(node), recorded_(recorded) {}

  std::size_t inputs() const { return node_.inputs.size(); }
  Var x(std::size_t i) const { return node_.inputs[i]; }
  Var y(std::size_t k = 0) const;
  Var dy(std::size_t k = 0) const;  // zeros if nothing used output k
  bool wants(std::size_t i) const;
  // dx_i += make(), which is called only if input i wants a gradient.
  template <class Make>
  void give(std::size_t i, Make&& make) const {
    if (wants(i)) add(i, make());
  }

 private:
  void add(std::size_t i, const Var& contribution) const;
  detail::Node& output(std::size_t k) const;

  detail::Node& node_;
  detail::Vars* recorded_;  // gradients of all nodes as Vars; null: in memory
};

}  // namespace reel::inline REEL_PRECISION
