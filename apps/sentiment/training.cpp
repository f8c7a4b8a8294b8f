#include "training.hpp"

#include <fmt/format.h>
#include <reel/data/text.hpp>
#include <reel/layers/loss.hpp>

#include <cmath>
#include <set>

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

Task prepare(const Corpus& corpus, const Split& split, Settings settings,
             const TaskOptions& options, std::uint64_t seed) {
  const std::vector<std::int64_t> labels = labels_of(corpus);
  std::vector<std::int64_t> rest_labels;
  for (std::size_t i : split.train) rest_labels.push_back(labels[i]);
  const Split inner = stratified_split(rest_labels, options.dev_share, options.split_seed + 1);
  std::vector<std::vector<std::string>> words;
  for (std::size_t i : inner.train) words.push_back(tokenize(corpus.texts[split.train[i]].text));

  Random random(seed);
  Vocabulary vocabulary(words, options.limits);
  WordVectors vectors;
  if (!options.vectors.empty()) {
    vectors = read_word_vectors(options.vectors, vocabulary);
    check<FileError>(!vectors.indices.empty(),
                     "{}: must have a vector for a word to learn from; found none for {} words",
                     options.vectors, vocabulary.size());
    fmt::print("vectors for {} of {} words\n", vectors.indices.size(), vocabulary.size());
    settings.embedding_size = vectors.width();
  }
  Model model(settings, vocabulary.size(), corpus.classes.size(), random);
  if (!options.vectors.empty()) model.start_from(vectors, options.freeze);
  Classifier classifier{settings, corpus.classes, std::move(vocabulary), std::move(model)};
  const Examples all = encode(corpus, classifier), rest = select(all, split.train);
  return {std::move(classifier), select(rest, inner.train), select(rest, inner.held_out),
          select(all, split.held_out)};
}

void require_classes(const Examples& examples, const std::vector<std::string>& classes,
                     const std::string& source) {
  std::set<std::int64_t> found(examples.labels.begin(), examples.labels.end());
  std::size_t words = 0;
  for (const auto& sequence : examples.sequences) words += sequence.size();
  std::vector<std::string_view> names;
  for (const std::int64_t label : found) names.push_back(classes[static_cast<std::size_t>(label)]);
  check<FileError>(found.size() >= 2 && words > 0,
                   "{}: the texts to learn from must be of two classes or more and have words; "
                   "found {} of {}, {} words",
                   source, examples.labels.size(), fmt::join(names, ", "), words);
}

Array targets(const Batch& batch, const Examples& examples) {
  Array y = empty_array({batch.rows.size()});
  for (std::size_t i = 0; i < batch.rows.size(); ++i)
    y(i) = static_cast<real>(examples.labels[batch.rows[i]]);
  return y;
}

Var loss_of(const Var& logits, const Batch& batch, const Examples& examples, const Array& weights) {
  if (logits.size(1) == 1) return bce_with_logits(reshape(logits, {-1}), targets(batch, examples));
  Indices classes = Indices::from_shape({batch.rows.size()});
  for (std::size_t i = 0; i < batch.rows.size(); ++i) classes(i) = examples.labels[batch.rows[i]];
  return cross_entropy(logits, classes, {.weights = weights});
}

namespace {

void drop_words(Batch& batch, double share, Random& random) {
  for (std::int64_t& word : batch.tokens)
    if (random.uniform() < share && word != Vocabulary::kPad) word = Vocabulary::kUnknown;
}

std::vector<std::size_t> lengths_of(const Examples& examples) {
  std::vector<std::size_t> lengths;
  for (const auto& sequence : examples.sequences) lengths.push_back(sequence.size());
  return lengths;
}

// n / (classes n_c) for a class with n_c of n examples, so that all classes count alike.
Array class_weights(const Examples& examples, std::size_t classes) {
  Array weights = full_array({classes}, 0);
  for (const std::int64_t label : examples.labels) ++weights(static_cast<std::size_t>(label));
  const auto share = static_cast<real>(examples.labels.size()) / static_cast<real>(classes);
  for (real& weight : weights) weight = weight > 0 ? share / weight : 0;
  return weights;
}

}  // namespace

Score evaluate(const Classifier& classifier, const Examples& examples) {
  Score score{0, Confusion(classifier.classes.size())};
  const auto predictions = classifier.predict(examples.sequences);
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const auto truth = static_cast<std::size_t>(examples.labels[i]);
    score.confusion.add(truth, predictions[i].label);
    score.loss -= std::log(std::max(predictions[i].probabilities[truth], 1e-12));
  }
  score.loss /= static_cast<double>(std::max(predictions.size(), std::size_t{1}));
  return score;
}

Trainer::Trainer(Classifier& classifier, const Examples& examples, const TrainOptions& options)
    : optimizer(parameters(classifier.model), {.learning_rate = options.learning_rate}),
      train_step(optimizer, options.step()),
      rows{.units = lengths_of(examples)} {
  const std::size_t classes = classifier.classes.size();
  const bool weighs = options.balance && classes > 2;
  Array weights;
  if (weighs) weights = class_weights(examples, classes);
  for (const std::int64_t label : examples.labels)
    rows.weights.push_back(weighs ? weights(static_cast<std::size_t>(label)) : 1);
  loss = [&classifier, &examples, weights, word_dropout = options.word_dropout](
             std::span<const std::size_t> some, Random& random) {
    Batch batch = make_batch(examples.sequences, some);
    drop_words(batch, word_dropout, random);
    return loss_of(classifier.model(batch, &random), batch, examples, weights);
  };
}

bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options, apps::Report& report) {
  Trainer trainer(classifier, examples, options);
  apps::TrainingTask task;
  apps::learn_rows(task, trainer.rows, options.batch_size, trainer.train_step, trainer.loss);
  if (!dev.labels.empty()) {
    task.measure = [&]() -> std::vector<apps::Measure> {
      const Score score = evaluate(classifier, dev);
      return {{"dev loss", score.loss},
              {"dev accuracy", score.confusion.accuracy()},
              {"dev macro-F1", score.confusion.macro_f1()}};
    };
    task.best_by = options.best_by_f1 ? "dev macro-F1" : "dev accuracy";
    task.lower_is_better = false;
  }
  return apps::run_training(task, trainer.optimizer, trainer.train_step, options, report,
                            describe(classifier.model));
}

Classifier train_bag(const Task& task, const TrainOptions& options) {
  constexpr std::size_t kEpochs = 10;
  constexpr double kRate = 3e-3;
  Random random(options.seed);
  Classifier bag = task.classifier;
  bag.settings.cell = kBag;
  bag.model = Model(bag.settings, bag.vocabulary.size(), bag.classes.size(), random);
  Trainer trainer(bag, task.train, options);
  double best = -1;
  Model best_model = bag.model;
  for (std::size_t epoch = 0; epoch < kEpochs; ++epoch) {
    trainer.optimizer.learning_rate = kRate * static_cast<double>(kEpochs - epoch) / kEpochs;
    for (const auto& some :
         plan_batches(trainer.rows.units, options.batch_size, {.seed = random.bits()}))
      trainer.step(some);
    if (task.dev.labels.empty()) continue;
    const Confusion dev = evaluate(bag, task.dev).confusion;
    const double score = options.best_by_f1 ? dev.macro_f1() : dev.accuracy();
    if (score > best) best = score, best_model = bag.model;
  }
  if (best >= 0) bag.model = best_model;
  return bag;
}

}  // namespace sentiment
