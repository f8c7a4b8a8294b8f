// Loops whose step is recorded once and replayed: what ops cost beside their arithmetic is paid
// once, not per step.
#pragma once

#include <reel/autodiff/node.hpp>
#include <reel/autodiff/program.hpp>

#include <memory>
#include <span>

namespace reel::inline REEL_PRECISION::detail {

// Parts of a step's input, then of the state -> those of the next state. Lives in the pool.
class RecordedStep {
 public:
  virtual ~RecordedStep() = default;
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory) { pool::release(memory); }
  virtual Vars operator()(std::span<const Var> parts) const = 0;
};

// The step on `rows` rows, where nothing records, as a program with the same inputs; what it
// returns is its state in the next run. `inputs` are the rows of all steps. Throws as Program does.
Program record_step(const RecordedStep& step, std::span<const Var> inputs,
                    std::span<const Var> state, std::size_t rows);

// All steps on the current tape, as one node: the parts of the state after each step,
// [steps rows, ..], then those after the last. For backward it keeps the states and computes the
// rest of a step again. Outputs and gradients are those of steps that are recorded one by one,
// order of sums included but for what docs/design.md names. Empty if the step or its gradient
// cannot be replayed, or if nothing is to be recorded.
Vars run_replayed(std::unique_ptr<const RecordedStep> step, std::span<const Var> inputs,
                  std::span<const Var> state, std::size_t rows, std::size_t steps);

}  // namespace reel::inline REEL_PRECISION::detail
