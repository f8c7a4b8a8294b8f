// Which states of a loop to keep: the binomial schedule of Griewank & Walther (2000, "revolve"),
// under a budget in states or, as Gruslys et al. (2016), in bytes.
#pragma once

#include <reel/autodiff/real.hpp>

#include <cstddef>
#include <optional>

namespace reel::inline REEL_PRECISION {

// How much of a loop is kept for backward; what is not kept is computed again. All empty: such
// that no step is computed more than once again, and that the memory for this is least.
struct Checkpointing {
  std::optional<std::size_t> states = {};  // kept at a time, beside the initial one
  // Most memory for kept states and for the steps that are recorded at a time, backward included.
  // The loop's results, the gradients of its inputs and what a tape holds of a parameter come on
  // top. With less than one step needs it throws, and says how much that is.
  std::optional<std::size_t> bytes = {};
  std::optional<std::size_t> block = {};  // steps recorded at a time
};

namespace detail {

// What a loop takes, in bytes.
struct LoopCosts {
  std::size_t steps = 0;
  std::size_t least_block = 1;  // fewer steps at a time would not be worth while
  std::size_t state = 0;        // a kept state
  std::size_t step = 0;         // a recorded step, without gradients
  std::size_t fixed = 0;        // on top of some recorded steps
  std::size_t copied = 0;       // steps that are copied for the products of weight gradients
};

struct CheckpointPlan {
  std::size_t block;   // steps recorded at a time, where only the initial state is kept
  std::size_t states;  // kept at a time, beside the initial one
  double shrink = 0;   // steps by which each kept state makes the block after it smaller

  // Steps of the block after so many kept states.
  std::size_t block_after(std::size_t kept) const;
  std::size_t blocks(std::size_t steps) const;
};

// Needs no costs when states are given. A block of all steps: record the loop as it is.
CheckpointPlan plan_checkpoints(const Checkpointing& how, const LoopCosts& costs);

// Bytes that a plan takes at most.
std::size_t bytes_of(const CheckpointPlan& plan, const LoopCosts& costs);

// With `blocks` >= 2 blocks ahead of a kept state and room for `free` more: after how many blocks
// to keep the next, so that least is computed again.
std::size_t blocks_to_next_state(std::size_t blocks, std::size_t free);

// Blocks that are advanced over, unrecorded, to reverse `blocks` of them from a kept state with
// room for `free` more: r blocks - C(free + r + 1, r - 1), r the least with C(free + 1 + r, r) >=
// blocks.
double blocks_advanced(std::size_t blocks, std::size_t free);

}  // namespace detail
}  // namespace reel::inline REEL_PRECISION
