// Loops that keep few of their states and compute the others again during backward.
#pragma once

#include <reel/autodiff/checkpoint_plan.hpp>
#include <reel/autodiff/node.hpp>

#include <memory>

namespace reel::inline REEL_PRECISION::detail {

// Steps that carry a state along. Apart from it, each run of steps reads its rows of one input
// and makes its rows of some outputs.
class Loop {
 public:
  struct Rows {
    std::size_t begin = 0, end = 0;
    std::size_t count() const { return end - begin; }
  };

  virtual ~Loop() = default;
  // Lives in the pool.
  static void* operator new(std::size_t bytes) { return pool::allocate(bytes); }
  static void operator delete(void* memory) { pool::release(memory); }
  virtual std::size_t steps() const = 0;
  virtual std::size_t outputs() const = 0;
  virtual Shape output_shape(std::size_t output) const = 0;  // rows first
  virtual Rows input_rows(std::size_t begin, std::size_t end) const = 0;
  virtual Rows output_rows(std::size_t output, std::size_t begin, std::size_t end) const = 0;
  // Runs steps begin .. end - 1 on their rows of the input (if begin is 0, on these or more), and
  // replaces the state. Returns their rows of each output, empty Vars where there are none. To
  // give the bits of an unbroken run in a broken one, what a state adds to an output must come
  // with the run that the state enters, not with the one that made it.
  virtual Vars run(std::size_t begin, std::size_t end, const Var& x, Vars& state) const = 0;
};

// The outputs of all steps, where nothing is recorded: `block` steps at a time, so that nothing
// but the outputs grows with their number.
Vars run_in_blocks(const Loop& loop, const Var& x, Vars state, std::size_t block);

// The outputs of all steps as one node, which keeps states as `how` says. Gradients, order of
// sums included, are those of a loop that was recorded as it is. What the loop refers to must live
// as long as the tape. Gradients by Tape::gradients are right, but save no memory.
Vars run_checkpointed(std::unique_ptr<const Loop> loop, const Var& x, const Vars& state,
                      const Checkpointing& how);

}  // namespace reel::inline REEL_PRECISION::detail
