#include "training.hpp"

#include <fmt/format.h>

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

Examples select(const Examples& all, const std::vector<std::size_t>& indices) {
  Examples some;
  for (std::size_t i : indices) {
    some.sequences.push_back(all.sequences[i]);
    some.labels.push_back(all.labels[i]);
  }
  return some;
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

namespace {

Array targets(const Batch& batch, const Examples& examples) {
  Array y = empty_array({batch.rows.size()});
  for (std::size_t i = 0; i < batch.rows.size(); ++i)
    y(i) = static_cast<real>(examples.labels[batch.rows[i]]);
  return y;
}

// Adds a batch's part to a score of sums.
void add(Score& sums, const Var& logits, const Array& y, const Var& loss) {
  const auto z = logits.value();
  for (std::size_t i = 0; i < y.size(); ++i) sums.accuracy += (z(i) > 0) == (y(i) > real(0.5));
  sums.loss += static_cast<double>(loss.item()) * static_cast<double>(y.size());
}
Score mean_of(const Score& sums, std::size_t count) {
  const auto n = static_cast<double>(count);
  return {sums.loss / n, sums.accuracy / n};
}

void drop_words(Batch& batch, double share, Random& random) {
  for (std::int64_t& word : batch.tokens)
    if (random.uniform() < share && word != Vocabulary::kPad) word = Vocabulary::kUnknown;
}

std::size_t token_count(const Examples& examples) {
  std::size_t count = 0;
  for (const auto& sequence : examples.sequences) count += sequence.size();
  return count;
}

}  // namespace

Score evaluate(const Classifier& classifier, const Examples& examples) {
  Score sums;
  for (const Batch& batch : make_batches(examples.sequences, 64)) {
    const Var logits = classifier.model(batch, nullptr);
    const Array y = targets(batch, examples);
    add(sums, logits, y, bce_with_logits(logits, y));
  }
  return mean_of(sums, examples.labels.size());
}

bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options) {
  const std::vector<Parameter*> all = parameters(classifier.model);
  Adam optimizer(all, {.learning_rate = options.learning_rate});
  Random random(options.seed);
  const apps::InterruptGuard guard;
  apps::Progress progress(token_count(examples) * options.epochs);
  double best = -1;
  NamedArrays best_weights;

  for (std::size_t epoch = 1; epoch <= options.epochs && !apps::interrupted(); ++epoch) {
    Score sums;
    std::size_t seen = 0;
    for (Batch& batch : make_batches(examples.sequences, options.batch_size,
                                     {.bucket = true, .seed = random.bits()})) {
      drop_words(batch, options.word_dropout, random);
      const Array y = targets(batch, examples);

      Tape tape;
      const Var logits = classifier.model(batch, &random);
      const Var loss = bce_with_logits(logits, y);
      tape.backward(loss);
      clip_grad_norm(all, options.clip);
      optimizer.learning_rate = options.learning_rate * (1 - progress.share());
      optimizer.step();

      add(sums, logits, y, loss);
      seen += y.size();
      std::size_t tokens = 0;
      for (std::size_t length : batch.lengths) tokens += length;
      progress.advance(tokens, fmt::format("epoch {}/{}  loss {:.4f}", epoch, options.epochs,
                                           mean_of(sums, seen).loss));
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
        best_weights = export_weights(all);
      }
    }
    fmt::print("{}  {:.0f} tokens/s  left {}\n", line, progress.rate(), progress.left());
    std::fflush(stdout);
  }
  if (!best_weights.empty()) import_weights(all, best_weights, "best epoch");
  return !apps::interrupted();
}

}  // namespace sentiment
