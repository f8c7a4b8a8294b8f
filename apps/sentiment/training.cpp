#include "training.hpp"

#include <fmt/format.h>

#include <numeric>

#include "../common/interrupt.hpp"
#include "../common/progress.hpp"

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

// The scores of parts, made into one: sums of what is a mean, until divided by the count.
void add(Score& sums, const Score& mean, std::size_t count) {
  sums.loss += mean.loss * static_cast<double>(count);
  sums.accuracy += mean.accuracy * static_cast<double>(count);
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
    : classifier_(classifier),
      examples_(examples),
      word_dropout_(options.word_dropout),
      optimizer_(parameters(classifier.model), {.learning_rate = options.learning_rate}),
      step_(optimizer_, {.shards = kShards,
                         .workers = options.threads,
                         .clip_norm = options.clip,
                         .seed = options.seed}) {}

Score Trainer::step(const std::vector<std::size_t>& rows, double learning_rate) {
  const std::vector<std::size_t> dealt = deal(rows, kShards);
  std::array<double, kShards> right{};
  optimizer_.learning_rate = learning_rate;
  const double loss = step_(rows.size(), [&](Shard& shard) {
    Batch batch =
        make_batch(examples_.sequences, std::span(dealt).subspan(shard.begin, shard.rows()));
    drop_words(batch, word_dropout_, shard.random);
    const Array y = targets(batch, examples_);
    const Var logits = classifier_.model(batch, &shard.random);
    right[shard.index] = count_right(logits, y);
    return bce_with_logits(logits, y);
  });
  return {loss,
          std::accumulate(right.begin(), right.end(), 0.0) / static_cast<double>(rows.size())};
}

bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options) {
  std::vector<std::size_t> lengths;
  for (const auto& sequence : examples.sequences) lengths.push_back(sequence.size());
  Trainer trainer(classifier, examples, options);
  Random random(options.seed);
  const apps::InterruptGuard guard;
  apps::Progress progress(options.epochs *
                          std::accumulate(lengths.begin(), lengths.end(), std::size_t{0}));
  double best = -1;
  NamedArrays best_weights;

  for (std::size_t epoch = 1; epoch <= options.epochs && !apps::interrupted(); ++epoch) {
    Score sums;
    std::size_t seen = 0;
    for (const auto& rows :
         plan_batches(lengths, options.batch_size, {.bucket = true, .seed = random.bits()})) {
      add(sums, trainer.step(rows, options.learning_rate * (1 - progress.share())), rows.size());
      seen += rows.size();
      progress.advance(
          count_tokens(examples, rows),
          fmt::format("epoch {}/{}  loss {:.4f}", epoch, options.epochs, mean_of(sums, seen).loss));
      if (apps::interrupted()) break;
    }
    progress.clear();
    const Score score = mean_of(sums, seen);
    std::string line = fmt::format("epoch {}/{}  loss {:.6f}  accuracy {:.4f}", epoch,
                                   options.epochs, score.loss, score.accuracy);
    if (!dev.labels.empty()) {
      const Score on_dev = evaluate(classifier, dev);
      line += fmt::format("  dev loss {:.6f}  dev accuracy {:.4f}", on_dev.loss, on_dev.accuracy);
      if (on_dev.accuracy > best) {
        best = on_dev.accuracy;
        best_weights = export_weights(parameters(classifier.model));
      }
    }
    fmt::print("{}  {:.0f} tokens/s  left {}\n", line, progress.rate(), progress.left());
    std::fflush(stdout);
  }
  if (!best_weights.empty())
    import_weights(parameters(classifier.model), best_weights, "best epoch");
  return !apps::interrupted();
}

}  // namespace sentiment
