#include <reel/autodiff/record.hpp>
#include <reel/autodiff/recorder.hpp>

namespace reel::inline REEL_PRECISION::detail {

bool must_record(const char* op, std::span<const Var> inputs) {
  Tape* tape = Tape::current();
  bool record = false;
  for (const Var& input : inputs) {
    const Node& n = input.node(op);
    if (!n.needs_grad || !tape) continue;
    if (Recorder* recorder = Recorder::current(); recorder && n.tape != tape) [[unlikely]] {
      recorder->spoil();  // it would be a constant
      continue;
    }
    check<StaleError>(n.tape == tape,
                      "{}: got a value of another tape that is still open; detach it, or record "
                      "on its own tape",
                      op);
    record = true;
  }
  return record && !tape->rehearses(inputs);
}

namespace {
void check_replayed(const char* op, const Node& maker, const Value& value) {
  if (const Recorder* recorder = Recorder::current()) [[unlikely]]
    recorder->check_computed(op, maker.inputs(), value.view);
}
// A view of a parameter holds no memory.
bool is_borrowed(const Value& value) { return !value.storage && value.view.data; }
}  // namespace

Var push(const char* op, Ref<Node> node) {
  check_replayed(op, *node, node->value);
  node->op = op;
  node->needs_grad = true;
  node->borrows = is_borrowed(node->value);
  Tape* tape = Tape::current();
  tape->push(node);
  if (tape->checks_finite() && node->value.view.data)
    tape->require_finite(*node, node->value.view, "forward");
  return Var(std::move(node));
}

Var unrecorded(const char* op, Value value) {
  Ref<Node> node(new Node);
  node->value = std::move(value);
  return unrecorded(op, std::move(node));
}

Var unrecorded(const char* op, std::span<const Var> inputs, Value value) {
  if (const Recorder* recorder = Recorder::current()) [[unlikely]]
    recorder->check_computed(op, inputs, value.view);
  Ref<Node> node;
  if (is_borrowed(value) && !inputs.empty()) {
    const Var lender(Ref<Node>(&inputs[0].ref()->lender()));
    node = make_node<Node>(std::span(&lender, 1), 0);
  } else {
    node = Ref<Node>(new Node);
  }
  node->value = std::move(value);
  return unrecorded(op, std::move(node));
}

Var unrecorded(const char* op, Ref<Node> node) {
  node->op = op;
  node->borrows = is_borrowed(node->value);
  if (Tape* tape = Tape::current(); tape && tape->checks_finite()) {
    node->index = static_cast<std::uint32_t>(-1);
    tape->require_finite(*node, node->value.view, "forward");
  }
  return Var(std::move(node));
}

Var push_output(Node& producer, Ref<Node> node) {
  check_replayed(producer.op, producer, node->value);
  node->op = producer.op;
  node->needs_grad = true;
  node->borrows = is_borrowed(node->value);
  node->producer = &producer;
  Tape* tape = Tape::current();
  tape->push(node);
  producer.add_output(*node);
  if (tape->checks_finite()) tape->require_finite(*node, node->value.view, "forward");
  return Var(std::move(node));
}

bool may_overwrite(const Var& c) {
  const Node& n = *c.ref();
  return n.overwritable && !n.pinned && n.refs == (n.tape ? 2u : 1u) && n.value.view.is_dense();
}

}  // namespace reel::inline REEL_PRECISION::detail
