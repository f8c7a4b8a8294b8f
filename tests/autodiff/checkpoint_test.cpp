// The schedule: what is kept, what is computed again. And the Randoms.
#include <gtest/gtest.h>
#include <reel/autodiff/checkpoint_plan.hpp>
#include <reel/autodiff/random_states.hpp>

#include <cmath>
#include <memory>

#include "throws.hpp"

namespace reel::inline REEL_PRECISION::detail {
namespace {

// Least blocks advanced over, by trying all places for the next kept state.
double least_advanced(std::size_t blocks, std::size_t free) {
  std::vector<std::vector<double>> least(free + 1, std::vector<double>(blocks + 1, 0));
  for (std::size_t f = 0; f <= free; ++f)
    for (std::size_t n = 2; n <= blocks; ++n) {
      double& best = least[f][n] = static_cast<double>(n * (n - 1)) / 2;
      for (std::size_t m = 1; f > 0 && m < n; ++m)
        best = std::min(best, static_cast<double>(m) + least[f - 1][n - m] + least[f][m]);
    }
  return least[free][blocks];
}

// What following blocks_to_next_state takes.
double followed(std::size_t blocks, std::size_t free) {
  if (blocks < 2) return 0;
  if (free == 0) return static_cast<double>(blocks - 1) + followed(blocks - 1, 0);
  const std::size_t m = blocks_to_next_state(blocks, free);
  EXPECT_TRUE(m >= 1 && m < blocks) << blocks << ", " << free;
  return static_cast<double>(m) + followed(blocks - m, free - 1) + followed(m, free);
}

TEST(CheckpointPlanTest, AdvancesAsLittleAsAnySchedule) {
  for (std::size_t free = 0; free <= 6; ++free)
    for (std::size_t blocks = 1; blocks <= 60; ++blocks) {
      const double least = least_advanced(blocks, free);
      EXPECT_EQ(blocks_advanced(blocks, free), least) << blocks << ", " << free;
      EXPECT_EQ(followed(blocks, free), least) << blocks << ", " << free;
    }
}

LoopCosts costs_of(std::size_t steps) {
  return {.steps = steps, .least_block = 4, .state = 100, .step = 500, .fixed = 50, .copied = 8};
}

TEST(CheckpointPlanTest, WithoutABudgetEachStepIsComputedAgainOnce) {
  for (std::size_t steps : {2u, 9u, 100u, 1000u, 100000u}) {
    const CheckpointPlan plan = plan_checkpoints({}, costs_of(steps));
    EXPECT_EQ(plan.states, plan.blocks(steps) - 1);
    EXPECT_GE(plan.block, std::min<std::size_t>(steps, 4));
  }
}

TEST(CheckpointPlanTest, WithoutABudgetBlocksShrinkAsStatesGrow) {
  const LoopCosts costs = costs_of(100000);
  const CheckpointPlan plan = plan_checkpoints({}, costs);
  const auto bytes = [&](std::size_t kept) {  // a block, its gradients and the states before it
    return static_cast<double>(kept * costs.state) +
           1.5 * static_cast<double>(plan.block_after(kept) * costs.step);
  };
  std::size_t steps = 0;
  for (std::size_t kept = 0; kept <= plan.states; ++kept) {
    EXPECT_NEAR(bytes(kept), bytes(0), 2.0 * static_cast<double>(costs.step)) << kept;
    EXPECT_LT(steps, costs.steps);
    steps += plan.block_after(kept);
  }
  EXPECT_GE(steps, costs.steps);
  // n states and n'th parts of the steps, each sqrt(1.5 step state steps) at best.
  const double equal_blocks = 2 * std::sqrt(1.5 * 500 * 100 * 100000);
  EXPECT_LT(bytes(0), 0.75 * equal_blocks);
}

TEST(CheckpointPlanTest, StatesAreNoMoreThanAskedFor) {
  const CheckpointPlan few = plan_checkpoints({.states = 3}, costs_of(1000));
  EXPECT_EQ(few.states, 3u);
  EXPECT_EQ(few.block, 4u);
  EXPECT_EQ(plan_checkpoints({.states = 3, .block = 7}, costs_of(1000)).block, 7u);
  EXPECT_EQ(plan_checkpoints({.states = 5000}, costs_of(1000)).states, 249u);
  EXPECT_EQ(plan_checkpoints({.states = 0, .block = 5000}, costs_of(1000)).block, 1000u);
}

TEST(CheckpointPlanTest, BytesAreKeptAndMoreOfThemSaveWork) {
  const LoopCosts costs = costs_of(1000);
  double before = INFINITY;
  const std::size_t least = bytes_of({1, 0}, costs);
  for (std::size_t bytes = least; bytes < 2000000; bytes += bytes / 5) {
    const CheckpointPlan plan = plan_checkpoints({.bytes = bytes}, costs);
    EXPECT_LE(bytes_of(plan, costs), bytes);
    const double again = plan.block == 1000 ? 0
                                            : blocks_advanced(plan.blocks(1000), plan.states) *
                                                  static_cast<double>(plan.block);
    EXPECT_LE(again, before);
    before = again;
  }
  EXPECT_EQ(before, 0);
}

TEST(CheckpointPlanTest, ImpossibleBudgetsSayWhatIsNeeded) {
  const LoopCosts costs = costs_of(1000);
  const std::size_t least = bytes_of({1, 0}, costs);
  EXPECT_THROWS_WITH(plan_checkpoints({.bytes = least - 1}, costs), Error,
                     fmt::format("at least {} bytes are needed; got {}", least, least - 1));
  EXPECT_THROWS_WITH(plan_checkpoints({.bytes = least, .block = 2}, costs), Error, "2 steps");
  EXPECT_THROWS_WITH(plan_checkpoints({.states = 1, .bytes = 1}, costs), Error, "not both");
  EXPECT_THROWS_WITH(plan_checkpoints({.block = 0}, costs), Error, "block");
}

TEST(RandomStatesTest, NotesEachRandomBeforeItsFirstDraw) {
  Random a(1), b(2), unused(3);
  const double before = Random(a).uniform();
  RandomStates states;
  {
    const NoteDraws note(states);
    a.uniform();
    for (int i = 0; i < 3; ++i) {
      b.bits();
      a.bits();
    }
  }
  a.bits();
  EXPECT_TRUE(states.has(a) && states.has(b));
  EXPECT_FALSE(states.has(unused));
  states.rewind();
  EXPECT_EQ(a.uniform(), before);
  EXPECT_EQ(b.bits(), Random(2).bits());
}

TEST(RandomStatesTest, ForgetsWhatEnds) {
  RandomStates states;
  {
    const NoteDraws note(states);
    for (int i = 0; i < 5; ++i) {
      const auto random = std::make_unique<Random>(i);
      random->bits();
      Random local(1);
      local.bits();
    }
  }
  EXPECT_EQ(states.bytes(), 0u);
}

TEST(RandomStatesTest, NotesNest) {
  Random a(1), b(2);
  RandomStates outer, inner;
  const NoteDraws note(outer);
  a.bits();
  {
    const NoteDraws inner_note(inner);
    a.bits();
    b.bits();
  }
  outer.rewind();
  EXPECT_EQ(a.bits(), Random(1).bits());
  EXPECT_EQ(b.bits(), Random(2).bits());
  inner.rewind();
  Random second(1);
  second.bits();
  EXPECT_EQ(a.bits(), second.bits());
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION::detail
