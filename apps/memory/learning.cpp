#include "learning.hpp"

#include <reel/layers/loss.hpp>
#include <reel/optim/train_step.hpp>

#include <cmath>

#include "../common/interrupt.hpp"

namespace memory {

using namespace reel;

namespace {

constexpr std::size_t kShards = 2, kScoreEvery = 50, kScoredRows = 256;

class AddingTask {
 public:
  static constexpr std::size_t kInput = 2, kOutput = 1;
  static Var loss(const Network& network, std::size_t length, std::size_t rows, Random& random) {
    Adding batch = make_adding(length, rows, random);
    return mse(network.at_the_end(Var(std::move(batch.x))), Var(std::move(batch.y)));
  }
  static double score(const Network& network, std::size_t length, Random& random) {
    return loss(network, length, kScoredRows, random).item();
  }
  static bool solved(double score) { return score < Adding::kSolved; }
};

class CopyTask {
 public:
  static constexpr std::size_t kInput = Copy::kClasses, kOutput = Copy::kClasses;
  static Var loss(const Network& network, std::size_t delay, std::size_t rows, Random& random) {
    Copy batch = make_copy(delay, rows, random);
    return cross_entropy(network.at_each_step(Var(std::move(batch.x))), batch.y);
  }
  static double score(const Network& network, std::size_t delay, Random& random) {
    const Copy batch = make_copy(delay, kScoredRows, random);
    const Array logits = network.at_each_step(Var(batch.x)).value();
    const std::size_t steps = logits.shape(0);
    std::size_t right = 0;
    for (std::size_t t = steps - Copy::kItems; t < steps; ++t)
      for (std::size_t row = 0; row < kScoredRows; ++row) {
        const real* const first = &logits(t, row, 0);
        right += std::max_element(first, first + Copy::kClasses) - first == batch.y(t, row);
      }
    return static_cast<double>(right) / static_cast<double>(Copy::kItems * kScoredRows);
  }
  static bool solved(double score) { return score >= Copy::kSolved; }
};

template <class Task>
Outcome learn(const Start& start, const LearningOptions& options,
              const std::function<void(std::size_t, double)>& progress) {
  Random random(options.seed);
  Network network(start, Task::kInput, Task::kOutput, random);
  Adam optimizer(parameters(network), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, {.shards = kShards,
                             .workers = options.threads,
                             .clip_norm = options.clip,
                             .seed = options.seed});
  Outcome outcome;
  const auto score = [&] {
    outcome.at.push_back(static_cast<double>(outcome.steps));
    outcome.scores.push_back(Task::score(network, options.length, random));
    outcome.solved = Task::solved(outcome.scores.back());
    outcome.diverged = !std::isfinite(outcome.scores.back());
  };
  score();
  while (!outcome.solved && !outcome.diverged && outcome.steps < options.most_steps) {
    if (apps::interrupted()) {
      outcome.interrupted = true;
      break;
    }
    double loss = NAN;
    try {
      loss = step(options.batch_size, [&](Shard& shard) {
        return Task::loss(network, options.length, shard.rows(), shard.random);
      });
    } catch (const NonFiniteError&) {
      outcome.diverged = true;
      break;
    }
    ++outcome.steps;
    if (progress) progress(outcome.steps, loss);
    if (outcome.steps % kScoreEvery == 0) score();
  }
  return outcome;
}

}  // namespace

Outcome learn(const Start& start, const LearningOptions& options,
              const std::function<void(std::size_t step, double loss)>& progress) {
  if (options.problem == "adding") return learn<AddingTask>(start, options, progress);
  check<Error>(options.problem == "copy", "memory: the problem must be adding or copy; got {}",
               options.problem);
  return learn<CopyTask>(start, options, progress);
}

}  // namespace memory
