#include <reel/autodiff/checkpoint_plan.hpp>
#include <reel/autodiff/error.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION::detail {
namespace {

// C(slots + repeats, slots): the most blocks that can be reversed with `slots` kept states, the
// initial one included, when none is advanced over more than `repeats` times.
double reach(std::size_t slots, std::ptrdiff_t repeats) {
  if (repeats < 0) return 0;
  double product = 1;
  const auto few = std::min(static_cast<double>(slots), static_cast<double>(repeats));
  const double all = static_cast<double>(slots) + static_cast<double>(repeats);
  for (double i = 1; i <= few && product < 1e18; ++i) product = product * (all - few + i) / i;
  return std::round(product);
}

std::ptrdiff_t repeats_for(std::size_t blocks, std::size_t slots) {
  std::ptrdiff_t repeats = 0;
  while (reach(slots, repeats) < static_cast<double>(blocks)) ++repeats;
  return repeats;
}

}  // namespace

double blocks_advanced(std::size_t blocks, std::size_t free) {
  const auto n = static_cast<double>(blocks);
  if (free == 0) return n * (n - 1) / 2;
  const std::ptrdiff_t r = repeats_for(blocks, free + 1);
  return static_cast<double>(r) * n - reach(free + 2, r - 1);
}

std::size_t blocks_to_next_state(std::size_t blocks, std::size_t free) {
  const std::ptrdiff_t r = repeats_for(blocks, free + 1);
  const double rest = static_cast<double>(blocks) - reach(free, r);
  return static_cast<std::size_t>(std::max({1.0, reach(free + 1, r - 2), rest}));
}

std::size_t CheckpointPlan::block_after(std::size_t kept) const {
  return static_cast<std::size_t>(
      std::max(1.0, static_cast<double>(block) - shrink * static_cast<double>(kept)));
}

std::size_t CheckpointPlan::blocks(std::size_t steps) const {
  if (shrink == 0) return (steps + block - 1) / block;
  std::size_t count = 0;
  for (std::size_t step = 0; step < steps; ++count) step += block_after(count);
  return count;
}

std::size_t bytes_of(const CheckpointPlan& plan, const LoopCosts& costs) {
  // Gradients take no more than the values.
  const std::size_t steps = 2 * plan.block + std::min(plan.block, costs.copied);
  return costs.fixed + plan.states * costs.state + steps * costs.step;
}

namespace {

// The least recomputing, and then the largest block, that `bytes` allow.
CheckpointPlan fit(std::size_t bytes, std::optional<std::size_t> block, const LoopCosts& costs) {
  const std::size_t steps = costs.steps;
  CheckpointPlan best{0, 0};
  double least = INFINITY;
  const auto consider = [&](std::size_t size) {
    CheckpointPlan plan{size, 0};
    const std::size_t bare = bytes_of(plan, costs);
    if (bare > bytes) return;
    const std::size_t blocks = plan.blocks(steps);
    plan.states = std::min((bytes - bare) / std::max<std::size_t>(costs.state, 1), blocks - 1);
    const double again = size == steps
                             ? 0
                             : static_cast<double>(steps) +
                                   blocks_advanced(blocks, plan.states) * static_cast<double>(size);
    if (again > least) return;
    least = again;
    best = plan;
  };
  if (block) {
    consider(std::min(*block, steps));
  } else {
    for (std::size_t size = 1; size < steps; size += 1 + size / 16) consider(size);
    consider(steps);
  }
  const std::size_t most = std::min(block.value_or(1), steps);
  check<Error>(
      best.block > 0,
      "checkpoint: the budget must hold {} recorded at a time, for which at least {} bytes "
      "are needed; got {}",
      most == 1 ? "one step" : fmt::format("{} steps", most), bytes_of({most, 0}, costs), bytes);
  return best;
}

// The state before every block is kept, and each block is smaller than the one before by what that
// takes: with its gradients, which take about half of what it holds, and with the states that are
// kept when its turn comes, each takes the same memory. That is least where n of them cover all
// steps = n last + shrink n (n - 1) / 2.
CheckpointPlan keep_all(const LoopCosts& costs) {
  const auto steps = static_cast<double>(costs.steps),
             last = static_cast<double>(costs.least_block);
  const double shrink = static_cast<double>(costs.state) / (1.5 * static_cast<double>(costs.step));
  const double half = last - shrink / 2;
  const double n = std::ceil((std::sqrt(half * half + 2 * shrink * steps) - half) / shrink);
  const auto first = static_cast<std::size_t>(std::ceil(last + shrink * (n - 1)));
  CheckpointPlan plan{std::min(first, costs.steps), 0, shrink};
  plan.states = plan.blocks(costs.steps) - 1;
  return plan;
}

}  // namespace

CheckpointPlan plan_checkpoints(const Checkpointing& how, const LoopCosts& costs) {
  check<Error>(!(how.states && how.bytes),
               "checkpoint: a number of states or of bytes may be given, not both; got {} states "
               "and {} bytes",
               how.states.value_or(0), how.bytes.value_or(0));
  check<Error>(how.block.value_or(1) > 0, "checkpoint: a block must have a step; got 0");
  if (how.bytes) return fit(*how.bytes, how.block, costs);
  if (!how.states && !how.block && costs.step > 0) return keep_all(costs);
  std::size_t block = std::min(how.block.value_or(costs.least_block), costs.steps);
  if (!how.block) {  // as even as can be
    const std::size_t blocks = costs.steps / block;
    block = (costs.steps + blocks - 1) / blocks;
  }
  CheckpointPlan plan{block, 0};
  plan.states = std::min(how.states.value_or(costs.steps), plan.blocks(costs.steps) - 1);
  return plan;
}

}  // namespace reel::inline REEL_PRECISION::detail
