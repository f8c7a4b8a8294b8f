// A minibatch's loss is the mean over its rows, however they are cut into shards.
#include <gtest/gtest.h>
#include <reel/autodiff/ops.hpp>

#include "../../apps/common/training.hpp"

namespace {

using namespace reel;

// The value of w, at first 0, after one step of gradient descent on the rows' loss, which is the
// mean of target times w as the rows weigh, over some of the targets.
double step_of(const apps::Rows& rows, std::size_t shards) {
  constexpr double kTargets[] = {3, -1, 4, 1, -5, 9};
  Parameter w(full_array({1}, 0));
  Sgd optimizer({&w}, {.learning_rate = 1});
  TrainStep step(optimizer, {.shards = shards, .workers = 1});
  const auto done = apps::learn_from(
      std::vector<std::size_t>{5, 0, 2, 1, 4}, rows, step,
      [&](std::span<const std::size_t> some, Random&) {
        double sum = 0, weight = 0;
        for (const std::size_t row : some) {
          const double each =
              rows.weights.empty() ? static_cast<double>(rows.units[row]) : rows.weights[row];
          sum += each * kTargets[row];
          weight += each;
        }
        return reel::sum(Var(w)) * static_cast<real>(sum / weight);
      });
  EXPECT_EQ(done.units, 2u + 3 + 5 + 7 + 13);
  return static_cast<double>(w.value()(0));
}

TEST(Minibatch, IsAMeanOverItsRows) {
  const apps::Rows by_units{.units = {2, 3, 5, 11, 7, 13}};
  const double units = -(2 * 3 - 3 * 1 + 5 * 4 - 7 * 5 + 13 * 9) / 30.0;
  apps::Rows weighed = by_units;
  weighed.weights = {0.5, 0.25, 8, 1, 0.5, 0.25};
  const double weights = -(0.5 * 3 - 0.25 * 1 + 8 * 4 - 0.5 * 5 + 0.25 * 9) / 9.5;
  for (const std::size_t shards : {1, 2, 3, 5}) {
    EXPECT_NEAR(step_of(by_units, shards), units, 1e-5) << shards;
    EXPECT_NEAR(step_of(weighed, shards), weights, 1e-5) << shards;
  }
}

}  // namespace
