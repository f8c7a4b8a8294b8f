#include "training.hpp"

#include <numeric>

namespace sentiment {

using namespace reel;

Examples encode(const Corpus& corpus, const Classifier& classifier) {
  Examples examples;
  for (const LabelledText& text : corpus.texts)
    examples.sequences.push_back(classifier.encode(text.text));
  examples.labels = labels_of(corpus);
  return examples;
}

namespace {

// Those of the given indices.
Examples select(const Examples& all, const std::vector<std::size_t>& indices) {
  Examples some;
  for (std::size_t i : indices) {
    some.sequences.push_back(all.sequences[i]);
    some.labels.push_back(all.labels[i]);
  }
  return some;
}

}  // namespace

Task prepare(const Corpus& corpus, const SplitOptions& split, const Settings& settings,
             const VocabularyLimits& limits, std::uint64_t seed) {
  const std::vector<std::int64_t> labels = labels_of(corpus);
  const Split outer = stratified_split(labels, split.held_out, split.seed);
  std::vector<std::int64_t> rest_labels;
  for (std::size_t i : outer.train) rest_labels.push_back(labels[i]);
  const Split inner = stratified_split(rest_labels, split.dev_share, split.seed + 1);
  std::vector<std::vector<std::string>> words;
  for (std::size_t i : inner.train) words.push_back(tokenize(corpus.texts[outer.train[i]].text));

  Random random(seed);
  Vocabulary vocabulary(words, limits);
  Model model(settings, vocabulary.size(), random);
  Classifier classifier{settings, corpus.classes, std::move(vocabulary), std::move(model)};
  const Examples all = encode(corpus, classifier), rest = select(all, outer.train);
  return {std::move(classifier), select(rest, inner.train), select(rest, inner.held_out),
          select(all, outer.held_out)};
}

void require_both_classes(const Examples& examples, const std::string& source) {
  std::array<std::size_t, 2> count{};
  std::size_t words = 0;
  for (std::int64_t label : examples.labels) ++count[static_cast<std::size_t>(label)];
  for (const auto& sequence : examples.sequences) words += sequence.size();
  check<FileError>(count[0] > 0 && count[1] > 0 && words > 0,
                   "{}: the texts to learn from must be of both classes and have words; found {} "
                   "and {} texts, {} words",
                   source, count[0], count[1], words);
}

Array targets(const Batch& batch, const Examples& examples) {
  Array y = empty_array({batch.rows.size()});
  for (std::size_t i = 0; i < batch.rows.size(); ++i)
    y(i) = static_cast<real>(examples.labels[batch.rows[i]]);
  return y;
}

namespace {

double count_right(const Var& logits, const Array& y) {
  const auto z = logits.value();
  double right = 0;
  for (std::size_t i = 0; i < y.size(); ++i) right += (z(i) > 0) == (y(i) > real(0.5));
  return right;
}

Score mean_of(const Score& sums, std::size_t count) {
  const auto n = static_cast<double>(count);
  return {sums.loss / n, sums.accuracy / n};
}

void drop_words(Batch& batch, double share, Random& random) {
  for (std::int64_t& word : batch.tokens)
    if (random.uniform() < share && word != Vocabulary::kPad) word = Vocabulary::kUnknown;
}

std::size_t count_tokens(const Examples& examples, const std::vector<std::size_t>& rows) {
  std::size_t count = 0;
  for (std::size_t row : rows) count += examples.sequences[row].size();
  return count;
}

}  // namespace

Score evaluate(const Classifier& classifier, const Examples& examples) {
  Score sums;
  for (const Batch& batch : make_batches(examples.sequences, 64)) {
    const Var logits = classifier.model(batch, nullptr);
    const Array y = targets(batch, examples);
    sums.loss += bce_with_logits(logits, y).item() * static_cast<double>(y.size());
    sums.accuracy += count_right(logits, y);
  }
  return mean_of(sums, examples.labels.size());
}

Trainer::Trainer(Classifier& classifier, const Examples& examples, const TrainOptions& options)
    : optimizer(parameters(classifier.model), {.learning_rate = options.learning_rate}),
      train_step(optimizer, options.step(kShards)),
      classifier_(classifier),
      examples_(examples),
      word_dropout_(options.word_dropout) {}

double Trainer::step(const std::vector<std::size_t>& rows) {
  const std::vector<std::size_t> dealt = deal(rows, kShards);
  return train_step(rows.size(), [&](Shard& shard) {
    Batch batch =
        make_batch(examples_.sequences, std::span(dealt).subspan(shard.begin, shard.rows()));
    drop_words(batch, word_dropout_, shard.random);
    return bce_with_logits(classifier_.model(batch, &shard.random), targets(batch, examples_));
  });
}

bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options, apps::Report& report) {
  std::vector<std::size_t> lengths;
  for (const auto& sequence : examples.sequences) lengths.push_back(sequence.size());
  std::vector<std::vector<std::size_t>> batches;
  Trainer trainer(classifier, examples, options);

  apps::TrainingTask task;
  task.units = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
  task.plan = [&](std::uint64_t seed) {
    batches = plan_batches(lengths, options.batch_size, {.bucket = true, .seed = seed});
    return batches.size();
  };
  task.step = [&](std::size_t i) -> apps::TrainingTask::Done {
    const double loss = trainer.step(batches[i]);
    return {loss, static_cast<double>(batches[i].size()), count_tokens(examples, batches[i])};
  };
  if (!dev.labels.empty()) {
    task.measure = [&]() -> std::vector<apps::Measure> {
      const Score score = evaluate(classifier, dev);
      return {{"dev loss", score.loss}, {"dev accuracy", score.accuracy}};
    };
    task.best_by = "dev accuracy";
    task.lower_is_better = false;
  }
  apps::Training training(trainer.optimizer, trainer.train_step, options);
  const bool complete = training.run(task);
  if (!options.report.empty())
    report.training(options, training, task.unit, describe(classifier.model));
  return complete;
}

}  // namespace sentiment
