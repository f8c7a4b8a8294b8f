// One step of a loop, taken down for replays.
#pragma once

#include <reel/autodiff/recorder.hpp>
#include <reel/autodiff/replay.hpp>
#include <reel/autodiff/rerun.hpp>

namespace reel::inline REEL_PRECISION::detail {

inline View first_rows(const Var& all, std::size_t rows) {
  return all.node("loop").value.view.narrow(0, 0, rows);
}

// Could the elements of a and b be the same? Not those of two parts of one split.
bool may_alias(const Node& a, const Node& b);

// A step and its gradient. Inputs: the parts of the step's input, of the state, of the next
// state's gradient, of the state's gradient so far, and so far of the parameters that are read
// elsewhere than in products. Outputs: the last two, with the step's share added; those of the
// step's input; then dy and x of each product.
struct StepGradient {
  struct Product {
    Var weight, bias;  // on the tape of the loop; empty: none
    std::size_t dy, x;
  };
  struct Other {
    Var parameter;
    std::size_t place;  // among inputs
  };
  std::optional<Program> program;         // none: it cannot be replayed
  PooledVector<std::ptrdiff_t> d_inputs;  // outputs; -1: zero
  PooledVector<Product> products;
  PooledVector<Other> others;
};

// A step that is recorded as a tape records it, for a program of it or of its gradient.
class StepRecording {
 public:
  // `inputs`: the rows of all steps. Throws as the step does, and as Program.
  StepRecording(const RecordedStep& step, std::span<const Var> inputs, std::span<const Var> state,
                std::size_t rows);

  Program forward();
  // With parameters as `loop`, the tape on which the loop runs, knows them.
  StepGradient gradient(Tape& loop);

 private:
  // What the gradient's program is given and gives.
  struct Signature {
    Vars inputs, outputs;
    PooledVector<int> feedback;
    // A sum that each step adds to.
    void add(const Value& so_far, const Value& now);
  };

  RunLeaf& state_leaf(std::size_t i) const { return *leaves_[input_count_ + i]; }
  void play_back();
  void add_others(Signature& all, Tape& loop, StepGradient& result);
  void add_input_gradients(Signature& all, StepGradient& result);
  void add_products(Signature& all, Tape& loop, StepGradient& result);

  const PauseRecording pause_;
  Recorder recorder_;
  Tape tape_;
  std::size_t input_count_;
  PooledVector<Value> starts_;         // inputs, then state
  PooledVector<Ref<RunLeaf>> leaves_;  // null: an input that needs no gradient
  Vars results_;
  PooledVector<DeferredProducts::Product> products_;
  PooledVector<Value> next_, so_far_;  // gradients of the state
};

}  // namespace reel::inline REEL_PRECISION::detail
