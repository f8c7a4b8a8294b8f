#include "training.hpp"

#include <reel/data/batches.hpp>

namespace tag {

using namespace reel;

namespace {

// How likely each word is to be hidden.
std::vector<double> hide_chances(const Tagger& tagger, const Encoded& sentences, double a) {
  std::vector<double> chances(tagger.words.size());
  for (const auto& words : sentences.words)
    for (const std::int64_t word : words) ++chances[static_cast<std::size_t>(word)];
  for (double& n : chances) n = n > 0 ? a / (a + n) : 0;
  return chances;
}

}  // namespace

double accuracy(const Model& model, const Encoded& sentences) {
  std::size_t right = 0, words = 0;
  for (const auto& rows : plan_batches(sentences.lengths, 64)) {
    const auto predicted = model.predict(sentences.input(rows));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      words += predicted[i].size();
      for (std::size_t t = 0; t < predicted[i].size(); ++t)
        right += predicted[i][t] == sentences.tags[rows[i]][t];
    }
  }
  return words == 0 ? 0 : static_cast<double>(right) / static_cast<double>(words);
}

bool train(Tagger& tagger, const Encoded& sentences, const Encoded& dev,
           const TrainOptions& options, apps::Report& report) {
  Adam optimizer(parameters(tagger.model), {.learning_rate = options.learning_rate});
  TrainStep step(optimizer, options.step());
  const std::vector<double> hide = hide_chances(tagger, sentences, options.word_dropout);

  apps::TrainingTask task;
  task.unit = "words";
  const auto loss = [&](std::span<const std::size_t> some, Random& random) {
    Input input = sentences.input(some);
    for (std::int64_t& word : input.words)
      if (random.uniform() < hide[static_cast<std::size_t>(word)]) word = Vocabulary::kUnknown;
    return tagger.model.loss(input, sentences.tags_of(some), &random);
  };
  apps::learn_rows(task, {.units = sentences.lengths}, options.batch_size, step, loss);
  if (!dev.lengths.empty()) {
    task.measure = [&]() -> std::vector<apps::Measure> {
      return {{"dev accuracy", accuracy(tagger.model, dev)}};
    };
    task.best_by = "dev accuracy";
    task.lower_is_better = false;
  }
  return apps::run_training(task, optimizer, step, options, report, describe(tagger.model));
}

}  // namespace tag
