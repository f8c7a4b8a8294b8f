// Training and measuring a music model.
#pragma once

#include <reel/data/batches.hpp>
#include "../common/training.hpp"

#include "model.hpp"

namespace music {

struct Score {
  double nll = 0;       // nats per step: sum over keys, mean over steps
  double accuracy = 0;  // sounding keys that were told, of those that sounded or were told
};
Score evaluate(const Model& model, const std::vector<reel::PianoRoll>& rolls);

// What can be said without a network, fitted on `train`: the nats per step on `rolls` if each key
// sounds as often as it did there; and if it depends on whether it sounded in the step before.
struct Baselines {
  double share, share_after_last;
};
Baselines baselines(const std::vector<reel::PianoRoll>& train,
                    const std::vector<reel::PianoRoll>& rolls);

// Into which a minibatch is cut; results depend on it.
constexpr std::size_t kShards = 2;

// Learns from pieces, each moved in every epoch by a random interval of at most so many semitones.
class Learner {
 public:
  Learner(Model& model, const std::vector<reel::PianoRoll>& pieces, std::size_t transpose,
          std::size_t batch_size, reel::TrainStep& step)
      : model_(model),
        pieces_(pieces),
        transpose_(transpose),
        batch_size_(batch_size),
        step_(step) {}

  std::size_t plan(std::uint64_t seed);  // the number of minibatches of an epoch
  apps::TrainingTask::Done learn(std::size_t minibatch);

 private:
  Model& model_;
  const std::vector<reel::PianoRoll>& pieces_;
  std::size_t transpose_, batch_size_;
  reel::TrainStep& step_;
  std::vector<reel::PianoRoll> moved_;
  reel::BatchPlan batches_;
};

}  // namespace music
