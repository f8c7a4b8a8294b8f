// What a Var points at: a value, where it came from, and its gradient.
#pragma once

#include <reel/autodiff/var.hpp>

#include <memory>
#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

class Pull;

namespace detail {

using Vars = std::vector<Var, PoolAllocator<Var>>;

// A value that is there only while it is needed: most of a tape's nodes have no gradient at a time.
class Held {
 public:
  Held() = default;
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() { drop(); }
  explicit operator bool() const { return value_ != nullptr; }
  Value& operator*() const { return *value_; }
  Value* operator->() const { return value_; }
  void hold(const View& view, const Ref<Storage>& storage) {
    if (!value_) value_ = ::new (pool::allocate(sizeof(Value))) Value;
    value_->view = view;
    value_->storage = storage;
  }
  void hold(const Value& value) { hold(value.view, value.storage); }
  void drop() {
    if (!value_) return;
    value_->~Value();
    pool::release(std::exchange(value_, nullptr));
  }

 private:
  Value* value_ = nullptr;
};

// A weight as products like it best, itself and its transpose, each made once per tape.
struct PackedWeight final : Counted {
  Ref<Storage> plain, transpose;
};

struct Node : Counted {
  std::uint32_t index = 0;  // position on the tape
  const char* op = "constant";
  Tape* tape = nullptr;         // null: a constant, or stale
  std::uint32_t consumers = 0;  // recorded ops that read it
  bool needs_grad : 1 = false;
  bool stale : 1 = false;
  bool borrows : 1 = false;       // the value lies in a Parameter
  bool keeps_grad : 1 = false;    // a leaf: the gradient survives backward
  bool value_unread : 1 = false;  // neither its own rule nor its base's reads the value
  bool overwritable : 1 = false;  // a sole reader may put its result in this value's place
  bool reused : 1 = false;        // a weight that many products will read
  bool pinned : 1 = false;        // a user may look at value.view: it stays where it is
  bool grad_written : 1 = false;  // grad holds a number, not just a place
  bool grad_in_base : 1 = false;  // grad is a window on the base's gradient
  bool grad_shared : 1 = false;   // grad is the very gradient of input sum_input
  bool tiles_base : 1 = false;    // this window and its siblings tile their base
  bool has_deferred : 1 = false;  // products that belong to its gradient wait (see deferred.hpp)
  bool own_loops : 1 = false;     // pull_in_place runs loops that no Recorder hears of
  std::int8_t sum_input = -1;     // y = inputs[sum_input] + ...: that gradient is dy itself
  Value value;
  Held grad;                 // during backward
  Ref<PackedWeight> packed;  // of a weight
  Node* producer = nullptr;  // of an output of a many-valued op
  Node* base = nullptr;      // of a window: the node whose elements it shows

  ~Node() override {
    for (Var& input : inputs()) input.~Var();
  }

  std::span<Var> inputs() const { return {links_, input_count_}; }
  std::span<Node*> outputs() const {  // of a many-valued op
    return {reinterpret_cast<Node**>(links_ + input_count_), output_count_};
  }
  void add_output(Node& output) {
    ++output_count_;
    outputs().back() = &output;
  }
  void forget_outputs() { output_count_ = 0; }

  const Shape& shape() const { return value.view.shape; }
  // The value, for a node that will show the same memory: from now on nobody may overwrite it.
  const Value& share() {
    overwritable = false;
    return value;
  }
  // Of a node that borrows, on an open tape or on none: the leaf in whose memory its value lies.
  Node& lender() {
    Node* n = this;
    while (n->base || n->input_count_ > 0) n = n->base ? n->base : n->inputs()[0].ref().get();
    return *n;
  }
  bool has_grad() const {  // in itself or an output
    if (grad_written) return true;
    for (const Node* output : outputs())
      if (output->grad_written) return true;
    return false;
  }

  // Lets go of the gradient.
  void drop_grad() {
    grad.drop();
    grad_written = grad_in_base = grad_shared = false;
  }

  // dInputs from dOutputs, in ops.
  virtual void pull(Pull&) {}
  // The same on memory, when nothing records; false: use pull.
  virtual bool pull_in_place() { return false; }
  // For a leaf that borrows its value: throws if that has changed.
  virtual void check_borrowed(const char* /*op*/) const {}
  // For a leaf: finds the gradient's place elsewhere, as in a parameter.
  virtual bool locate_kept() { return false; }
  // For such a leaf: adds rows to those `indices` of its gradient, and reaches no others.
  virtual bool add_grad_rows(const View& /*rows*/, const Indices& /*indices*/) { return false; }
  // For a leaf, after backward failed: drops a gradient that may be half written.
  virtual void forget_grad() {
    if (keeps_grad) drop_grad();
  }
  // For a window: where its elements lie within its base's value or gradient.
  virtual bool window(const View& /*whole*/, View* /*part*/) const { return false; }

 private:
  template <class N, class... Args>
  friend Ref<N> make_node(std::span<const Var> inputs, std::size_t outputs, Args&&... args);
  // Behind the node, in its block: the inputs, then pointers to the outputs.
  Var* links_ = nullptr;
  std::uint32_t input_count_ = 0, output_count_ = 0;
};

// A node of type N with these inputs and room for so many outputs, in one block.
template <class N, class... Args>
Ref<N> make_node(std::span<const Var> inputs, std::size_t outputs, Args&&... args) {
  static_assert(sizeof(N) % alignof(Var) == 0 && alignof(Var) == alignof(Node*));
  const std::size_t behind = inputs.size() * sizeof(Var) + outputs * sizeof(Node*);
  void* block = Counted::operator new(sizeof(N) + behind);
  Ref<N> node;
  try {
    node = Ref<N>(::new (block) N(std::forward<Args>(args)...));
  } catch (...) {
    Counted::operator delete(block);
    throw;
  }
  node->links_ = reinterpret_cast<Var*>(static_cast<std::byte*>(block) + sizeof(N));
  std::uninitialized_copy(inputs.begin(), inputs.end(), node->links_);
  node->input_count_ = static_cast<std::uint32_t>(inputs.size());
  return node;
}

// For walks from the end: fetches the node that comes eight steps later, since most of them have
// left the cache.
inline void fetch_before(std::span<const Ref<Node>> nodes, std::size_t at) {
  constexpr std::size_t kAhead = 8;
  if (at < kAhead) return;
  const auto* node = reinterpret_cast<const std::byte*>(nodes[at - kAhead].get());
  for (std::size_t line = 0; line < sizeof(Node); line += pool::kLine)
    __builtin_prefetch(node + line, 1);
}

}  // namespace detail

inline detail::Node& Var::node(const char* op) const {
  if (!node_ || node_->stale || node_->borrows) [[unlikely]]
    check_usable(op);
  return *node_;
}

}  // namespace reel::inline REEL_PRECISION
