#include <reel/optim/train_step.hpp>

#include <algorithm>
#include <functional>

namespace reel::inline REEL_PRECISION {
namespace {

std::size_t worker_count(const TrainStepOptions& options) {
  if (options.workers > 0) return options.workers;
  const std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  return std::clamp<std::size_t>(options.shards, 1, threads);
}

}  // namespace

TrainStep::TrainStep(Optimizer& optimizer, const TrainStepOptions& options)
    : optimizer_(optimizer),
      options_(options),
      stores_(options.shards),
      losses_(options.shards),
      recorded_(options.shards),
      workers_(worker_count(options)) {
  check<Error>(options.shards > 0, "train step: there must be a shard; got 0");
  check<Error>(options.clip_norm >= 0, "train step: clip_norm must not be negative; got {}",
               options.clip_norm);
}

double TrainStep::run_shards(std::size_t rows, const ShardLoss& loss) {
  check<Error>(rows > 0, "train step: there must be a row; got 0");
  const std::size_t each = rows / shards(), extra = rows % shards();
  try {
    workers_.run(std::min(shards(), rows), [&](std::size_t i) {
      const std::size_t begin = i * each + std::min(i, extra);
      const std::size_t end = begin + each + (i < extra ? 1 : 0);
      Shard shard{i, begin, end, static_cast<double>(end - begin) / static_cast<double>(rows),
                  Random(splitmix64(splitmix64(options_.seed, step_number), i))};
      losses_[i] = run_shard(shard, loss);
    });
    const auto used = std::span(recorded_).first(std::min(shards(), rows));
    check<Error>(
        std::ranges::any_of(used, std::identity()),
        "train step: the loss must depend on a trainable parameter; that of no shard does");
  } catch (...) {
    for (GradientStore& store : stores_) store.clear();
    throw;
  }
  sum_(stores_, workers_);
  ++step_number;
  double total = 0;
  for (std::size_t i = 0; i < std::min(shards(), rows); ++i) total += losses_[i];
  return total;
}

double TrainStep::run_shard(Shard& shard, const ShardLoss& function) {
  const RedirectGradients redirect(stores_[shard.index]);
  Tape tape;
  const Var loss = function.call(function.what, shard);
  check(loss.size() == 1, "train step: the loss of a shard must have one element; got {}",
        loss.shape());
  const double value = shard.weight * static_cast<double>(loss.item());
  recorded_[shard.index] = loss.is_recorded();
  if (!recorded_[shard.index]) return value;
  tape.backward(loss, full_array(loss.shape(), static_cast<real>(shard.weight)));
  return value;
}

void TrainStep::update() {
  const auto& parameters = optimizer_.parameters();
  check<Error>(parameters.empty() || std::ranges::any_of(parameters, &Parameter::has_grad),
               "train step: the loss must depend on a parameter of the optimizer; it depends on "
               "others alone");
  try {
    if (options_.clip_norm > 0) clip_grad_norm(parameters, options_.clip_norm);
  } catch (const NonFiniteError&) {
    optimizer_.zero_grad();
    throw;
  }
  optimizer_.step(workers_);
}

}  // namespace reel::inline REEL_PRECISION
