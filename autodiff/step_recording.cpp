#include <reel/autodiff/gradient.hpp>
#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/record.hpp>
#include <reel/autodiff/step_recording.hpp>

namespace reel::inline REEL_PRECISION::detail {
namespace {

// The node in whose elements those of n, if it is a window, lie.
const Node& root_of(const Node& n) { return n.base ? root_of(*n.base) : n; }
Var constant(const Value& value) { return unrecorded("loop", Value(value)); }

// Calls act(parameter, leaf) for each that the step has read.
template <class Act>
void for_each_read(Act&& act) {
  const ParameterScope& scope = *ParameterScope::current();
  scope.for_each([&](const Parameter& parameter) {
    if (const Var leaf = scope.find(parameter)) act(parameter, *leaf.ref());
  });
}
Var on_tape(Tape& tape, const Parameter& parameter) {
  const ResumeRecording resume(tape);
  return Var(parameter);
}

}  // namespace

bool may_alias(const Node& a, const Node& b) {
  const bool siblings = a.producer && a.producer == b.producer && &a != &b;
  return !siblings && &root_of(a) == &root_of(b);
}

StepRecording::StepRecording(const RecordedStep& step, std::span<const Var> inputs,
                             std::span<const Var> state, std::size_t rows)
    : recorder_(Recorder::Forms::kOwn), tape_(recorder_), input_count_(inputs.size()) {
  Vars xs;
  const auto add_input = [&](const View& start, bool needs_grad) {
    const Value value = recorder_.input(start);
    leaves_.push_back(needs_grad ? push_leaf(tape_, "loop", value) : Ref<RunLeaf>());
    xs.push_back(needs_grad ? as_var(leaves_.back()) : unrecorded("loop", Value(value)));
    starts_.push_back(value);
  };
  for (const Var& x : inputs) add_input(first_rows(x, rows), x.ref()->needs_grad);
  for (const Var& part : state) add_input(part.node("loop").value.view, true);
  results_ = step(xs);
  check<Error>(results_.size() == state.size(), "loop: the state has {} parts, then {}",
               state.size(), results_.size());
}

Program StepRecording::forward() {
  Vars inputs;
  PooledVector<int> feedback;
  for (const Value& start : starts_) inputs.push_back(constant(start));
  for (std::size_t i = 0; i < results_.size(); ++i)
    feedback.push_back(static_cast<int>(input_count_ + i));
  return Program(recorder_, results_, inputs, feedback);
}

void StepRecording::play_back() {
  tape_.deferred().collect(products_);
  for (std::size_t i = 0; i < results_.size(); ++i) {
    RunLeaf& start = state_leaf(i);
    so_far_.push_back(recorder_.input(start.value.view));
    start.grad.hold(so_far_.back());
    start.grad_written = true;
    next_.push_back(recorder_.input(start.value.view));
  }
  for (std::size_t i = 0; i < results_.size(); ++i) {
    Node& result = results_[i].node("loop");
    check(result.shape() == next_[i].view.shape, "loop: part {} of the state is {}, then {}", i,
          next_[i].view.shape, result.shape());
    if (!result.needs_grad) continue;
    // Its gradient would be that of somebody else, or a sum in another order.
    bool own = result.tape == &tape_;
    for (std::size_t j = 0; j < results_.size(); ++j)
      own &=
          (j == i || !may_alias(result, *results_[j].ref())) && &root_of(result) != &state_leaf(j);
    for (const auto& leaf : leaves_) own &= leaf.get() != &result;
    if (!own) return recorder_.spoil();
    hand_down(next_[i], result);
  }
  if (recorder_.is_spoiled()) return;
  const PauseRecording pause;
  tape_.play_back(tape_.size() - 1);
}

void StepRecording::Signature::add(const Value& so_far, const Value& now) {
  feedback.push_back(static_cast<int>(inputs.size()));
  inputs.push_back(constant(so_far));
  outputs.push_back(constant(now));
}

// Of parameters that are read elsewhere than in products.
void StepRecording::add_others(Signature& all, Tape& loop, StepGradient& result) {
  for_each_read([&](const Parameter& parameter, const Node& leaf) {
    if (!leaf.grad) return;
    for (const auto& product : products_)  // two sums, in which order?
      if (product.weight.get() == &leaf || product.bias.get() == &leaf) recorder_.spoil();
    result.others.push_back({on_tape(loop, parameter), all.inputs.size()});
    all.add(*leaf.grad, *leaf.grad);
  });
}

void StepRecording::add_input_gradients(Signature& all, StepGradient& result) {
  for (std::size_t j = 0; j < input_count_; ++j) {
    const bool reached = leaves_[j] && leaves_[j]->reached;
    result.d_inputs.push_back(reached ? static_cast<std::ptrdiff_t>(all.outputs.size()) : -1);
    if (reached) all.outputs.push_back(constant(leaves_[j]->total));
  }
}

void StepRecording::add_products(Signature& all, Tape& loop, StepGradient& result) {
  const auto var_of = [&](const Ref<Node>& leaf) {
    Var found;
    if (!leaf) return found;
    for_each_read([&](const Parameter& parameter, const Node& node) {
      if (&node == leaf.get()) found = on_tape(loop, parameter);
    });
    if (!found) recorder_.spoil();  // it is computed in the step
    return found;
  };
  for (std::size_t k = 0; k < products_.size(); ++k) {
    const auto& [weight, bias, dy, x] = products_[k];
    for (std::size_t before = 0; before < k; ++before)  // their order would be another
      if ((weight && products_[before].weight.get() == weight.get()) ||
          (bias && products_[before].bias.get() == bias.get()))
        recorder_.spoil();
    StepGradient::Product product{var_of(weight), var_of(bias), all.outputs.size(), 0};
    all.outputs.push_back(constant(dy));
    if (weight) {
      product.x = all.outputs.size();
      all.outputs.push_back(constant(x));
    }
    result.products.push_back(std::move(product));
  }
}

StepGradient StepRecording::gradient(Tape& loop) {
  StepGradient result;
  if (!recorder_.is_spoiled()) play_back();
  if (recorder_.is_spoiled()) return result;
  Signature all;
  for (const Value& start : starts_) all.inputs.push_back(constant(start));
  for (const Value& value : next_) all.inputs.push_back(constant(value));
  for (std::size_t i = 0; i < so_far_.size(); ++i) all.add(so_far_[i], state_leaf(i).total);
  add_others(all, loop, result);
  add_input_gradients(all, result);
  add_products(all, loop, result);
  if (!recorder_.is_spoiled())
    result.program.emplace(recorder_, all.outputs, all.inputs, all.feedback);
  return result;
}

}  // namespace reel::inline REEL_PRECISION::detail
