#include "training.hpp"

#include <reel/data/batches.hpp>

#include <numeric>

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

std::size_t count_words(const Encoded& sentences, std::span<const std::size_t> rows) {
  std::size_t count = 0;
  for (const std::size_t row : rows) count += sentences.lengths[row];
  return count;
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
  TrainStep step(optimizer, options.step(kShards));
  const std::vector<double> hide = hide_chances(tagger, sentences, options.word_dropout);
  BatchPlan batches;

  apps::TrainingTask task;
  task.unit = "words";
  task.units = std::accumulate(sentences.lengths.begin(), sentences.lengths.end(), std::size_t{0});
  task.plan = [&](std::uint64_t seed) {
    batches = plan_batches(sentences.lengths, options.batch_size, {.bucket = true, .seed = seed});
    return batches.size();
  };
  task.step = [&](std::size_t i) -> apps::TrainingTask::Done {
    const std::vector<std::size_t> rows = deal(batches[i], kShards);
    const std::size_t words = count_words(sentences, rows);
    const double loss = step(rows.size(), [&](Shard& shard) {
      const auto part = std::span(rows).subspan(shard.begin, shard.rows());
      Input input = sentences.input(part);
      for (std::int64_t& word : input.words)
        if (shard.random.uniform() < hide[static_cast<std::size_t>(word)])
          word = Vocabulary::kUnknown;
      shard.weight = static_cast<double>(count_words(sentences, part)) / static_cast<double>(words);
      return tagger.model.loss(input, sentences.tags_of(part), &shard.random);
    });
    return {loss, static_cast<double>(words), words};
  };
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
