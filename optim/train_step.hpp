// A training step in shards, on several threads.
#pragma once

#include <reel/autodiff/random.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/optim/gradient_sum.hpp>
#include <reel/optim/optimizer.hpp>
#include <reel/optim/workers.hpp>

namespace reel::inline REEL_PRECISION {

// A part of a minibatch, and what its loss function is told.
struct Shard {
  std::size_t index;       // 0 .. shards - 1
  std::size_t begin, end;  // its rows of the minibatch; sizes differ by one at most
  // The minibatch's loss is the sum of weight * loss over the shards. It is the shard's share of
  // the rows, which makes a mean of means over rows; for another kind of loss set it: 1 for sums
  // over rows, tokens here / tokens of the minibatch for means over tokens.
  double weight;
  Random random;  // this step's and shard's own, the same on any worker

  std::size_t rows() const { return end - begin; }
};

struct TrainStepOptions {
  // How many tapes share a minibatch. The bits of the result depend on it, so it is fixed.
  std::size_t shards = 2;
  // Threads, of which the caller's is one; 0: as many as the machine has, at most `shards`. The
  // result does not depend on it.
  std::size_t workers = 0;
  double clip_norm = 0;  // bound of the gradients' joint norm; 0: none
  std::uint64_t seed = 1;
};

// Cuts each minibatch into shards, runs them forward and backward on tapes of their own, adds
// their gradients in an order that depends on nothing but the number of shards, and updates.
//
//   TrainStep step(optimizer, {.shards = 4});
//   const double loss = step(batch.rows.size(), [&](Shard& shard) {
//     const Batch part = rows_of(batch, shard.begin, shard.end);
//     return mse(model(part.x, &shard.random), part.y);
//   });
//
// The function runs on several threads at once, so what it changes is the shard's own, and what
// it shares are arrays and parameters, no Vars. Its tape is Tape::current(). Shards without rows
// are left out; a loss that depends on no parameter, as that of rows of length zero, has no
// gradient, but not all of a minibatch may be so.
class TrainStep {
 public:
  // The optimiser must outlive it. Threads are started here and wait between steps.
  explicit TrainStep(Optimizer& optimizer, const TrainStepOptions& options = {});

  // Forward, backward and update. Returns the minibatch's loss. If a shard throws, so does this,
  // the lowest shard's exception, and parameters and gradients are as before. If the gradients'
  // norm is not finite, so that they cannot be clipped, it throws NonFiniteError: then parameters
  // are as before and gradients are cleared.
  template <class Loss>
  double operator()(std::size_t rows, Loss&& loss) {
    const double total = backward(rows, loss);
    update();
    return total;
  }
  // Forward and backward alone: adds to the parameters' gradients.
  template <class Loss>
  double backward(std::size_t rows, Loss&& loss) {
    return run_shards(rows, {[](void* what, Shard& shard) -> Var {
                               return (*static_cast<std::remove_reference_t<Loss>*>(what))(shard);
                             },
                             const_cast<void*>(static_cast<const void*>(&loss))});
  }
  // Clips the gradients, lets the optimiser step and clears them, also if it throws
  // NonFiniteError. Throws Error if the optimiser has parameters, but none of them a gradient.
  void update();

  std::size_t shards() const { return stores_.size(); }
  std::uint64_t seed() const { return options_.seed; }
  Workers& workers() { return workers_; }

  // Of the next step: with the seed and the shard it decides the random numbers.
  std::uint64_t step_number = 0;

 private:
  struct ShardLoss {
    Var (*call)(void* what, Shard& shard);
    void* what;
  };
  double run_shards(std::size_t rows, const ShardLoss& loss);
  double run_shard(Shard& shard, const ShardLoss& loss);

  Optimizer& optimizer_;
  TrainStepOptions options_;
  std::vector<GradientStore> stores_;  // one per shard
  std::vector<double> losses_;
  std::vector<unsigned char> recorded_;  // of each shard: was there a gradient?
  GradientSum sum_;
  Workers workers_;
};

}  // namespace reel::inline REEL_PRECISION
