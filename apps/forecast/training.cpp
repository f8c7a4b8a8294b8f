#include "training.hpp"

#include <reel/layers/module.hpp>

namespace forecast {

using namespace reel;

bool train(Forecaster& forecaster, const Dataset& data, const Parts& parts,
           const TrainOptions& options, apps::Report& report) {
  const Settings& settings = forecaster.settings;
  const WindowOptions shape{settings.input_length, settings.step, options.stride};
  std::vector<Window> windows = find_windows(data.series, shape, parts.train);
  const std::vector<Window> dev =
      find_windows(data.series, {settings.input_length, settings.horizon}, parts.dev);
  check<Error>(!windows.empty(),
               "train: there must be a window of {} + {} rows without gaps in the {} rows to learn "
               "from; found none",
               settings.input_length, settings.step, parts.train.end);

  AdamW optimizer(parameters(forecaster.network),
                  {.learning_rate = options.learning_rate, .weight_decay = options.weight_decay});
  TrainStep step(optimizer, options.step());
  const std::vector<Window> in_order = windows;
  apps::TrainingTask task;
  task.unit = "windows";
  task.units = windows.size();
  task.plan = [&](std::uint64_t seed) {
    windows = in_order;
    Random(seed).shuffle(windows);
    return (windows.size() + options.batch_size - 1) / options.batch_size;
  };
  task.step = [&](std::size_t i) -> apps::TrainingTask::Done {
    const std::size_t begin = i * options.batch_size;
    const auto some =
        std::span(windows).subspan(begin, std::min(options.batch_size, windows.size() - begin));
    const double loss = step(some.size(), [&](Shard& shard) {
      const WindowBatch batch =
          make_windows(data.series, some.subspan(shard.begin, shard.rows()), shape);
      const Var output = forecaster.network(Var(batch.inputs), &shard.random);
      return forecaster.network.loss(output, Var(batch.targets), options.loss);
    });
    return {loss, static_cast<double>(some.size()), some.size()};
  };
  if (!dev.empty()) {
    const Method model = model_method(forecaster, "");
    task.measure = [&, model]() -> std::vector<apps::Measure> {
      const Figures figures = measure(model, data, dev, settings);
      return {{"dev MSE", figures.scaled.mse()}, {"dev MAE", figures.scaled.mae()}};
    };
    task.best_by = "dev MSE";
  }
  return apps::run_training(task, optimizer, step, options, report, describe(forecaster.network));
}

}  // namespace forecast
