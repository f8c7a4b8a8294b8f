#include "cross_validation.hpp"

#include <fmt/format.h>

#include <cmath>

#include "../common/run.hpp"

namespace sentiment {

namespace fs = std::filesystem;

namespace {

struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread_of(const std::vector<double>& numbers) {
  Spread spread;
  const auto n = static_cast<double>(numbers.size());
  for (const double x : numbers) spread.mean += x / n;
  for (const double x : numbers)
    spread.deviation += (x - spread.mean) * (x - spread.mean) / std::max(n - 1, 1.0);
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

std::string mean_of(const char* name, const std::vector<double>& accuracies) {
  const auto [mean, deviation] = spread_of(accuracies);
  return fmt::format("{}accuracy {:.4f}, mean of {} folds with standard deviation {:.4f}", name,
                     mean, accuracies.size(), deviation);
}

}  // namespace

int cross_validate(LearnOptions& options, std::size_t folds, const CLI::App& command) {
  const reel::Corpus corpus = options.source.read();
  const auto splits =
      reel::stratified_folds(reel::labels_of(corpus), folds, options.task.split_seed);
  TrainOptions& training = options.training;
  const fs::path base = training.folder;
  const auto fold_of = [&](std::size_t fold) { return base / fmt::format("fold-{}", fold + 1); };
  // A fold that is done keeps its state until all are: going on checks that the options are those
  // that it was begun with.
  std::vector<bool> begun(folds);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    training.folder = fold_of(fold);
    if (!training.resume) training.set_state_aside();
    begun[fold] = fs::exists(training.state());
  }
  reel::check<reel::FileError>(!training.resume || begun[0],
                               "{}: not there, so there is nothing to go on with",
                               (fold_of(0) / training.state().filename()).string());
  apps::Report report("reel-sentiment: cross-validation");
  std::vector<double> accuracies, baselines;
  for (std::size_t fold = 0; fold < folds; ++fold) {
    Task task = prepare(corpus, splits[fold], options.settings, options.task, training.seed);
    require_classes(task.train, task.classifier.classes, options.source.name());
    training.folder = fold_of(fold);
    training.resume = begun[fold];
    training.prepare(command);
    report.heading(fmt::format("fold {}", fold + 1));
    const bool complete = train(task.classifier, task.train, task.dev, training, report);
    save(training.folder, task.classifier);
    if (!complete) return apps::kInterrupted;
    accuracies.push_back(evaluate(task.classifier, task.held_out).confusion.accuracy());
    fmt::print("fold {}/{}: accuracy {:.4f}", fold + 1, folds, accuracies.back());
    if (options.baseline) {
      baselines.push_back(evaluate(train_bag(task, training), task.held_out).confusion.accuracy());
      fmt::print("  bag of words {:.4f}", baselines.back());
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
  for (std::size_t fold = 0; fold < folds; ++fold) {
    training.folder = fold_of(fold);
    training.remove_state();
  }
  report.heading("all folds");
  const auto tell = [&](const std::string& line) {
    fmt::print("{}\n", line);
    report.paragraph(line);
  };
  tell(mean_of("", accuracies));
  if (options.baseline) tell(mean_of("bag of words: ", baselines));
  if (!training.report.empty()) report.write(training.report);
  return 0;
}

}  // namespace sentiment
