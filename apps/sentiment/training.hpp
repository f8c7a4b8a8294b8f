// Training and measuring a sentiment model.
#pragma once

#include "../common/report.hpp"
#include "model.hpp"

namespace sentiment {

struct Examples {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> labels;  // 0 or 1
};
Examples encode(const reel::Corpus& corpus, const Classifier& classifier);

struct SplitOptions {
  double held_out = 0;     // share of the texts kept aside and measured once, at the end
  double dev_share = 0.1;  // share of the others to choose the best epoch on
  std::uint64_t seed = 1;
};
// Texts cut into parts, and an untrained classifier that knows the words of those to learn from.
struct Task {
  Classifier classifier;
  Examples train, dev, held_out;
};
Task prepare(const reel::Corpus& corpus, const SplitOptions& split, const Settings& settings,
             const reel::VocabularyLimits& limits, std::uint64_t seed);

// Throws reel::FileError, naming the source, unless there are texts of both classes, and words.
void require_both_classes(const Examples& examples, const std::string& source);

// The label of each row of a batch of examples [B].
reel::Array targets(const reel::Batch& batch, const Examples& examples);

struct Score {
  double loss = 0;      // mean binary cross-entropy, nats
  double accuracy = 0;  // share of texts labelled right
};
Score evaluate(const Classifier& classifier, const Examples& examples);

// Into which a minibatch is cut; results depend on it.
constexpr std::size_t kShards = 4;

struct TrainOptions : apps::TrainingOptions {
  double word_dropout = 0.3;  // share of words replaced by <unk> while training

  TrainOptions() { epochs = 7; }
};

// Minibatch steps of one classifier on one set of examples, both of which must outlive it.
class Trainer {
 public:
  Trainer(Classifier& classifier, const Examples& examples, const TrainOptions& options);

  // Learns from the examples of these indices and returns their mean loss.
  double step(const std::vector<std::size_t>& rows);

  reel::Adam optimizer;
  reel::TrainStep train_step;

 private:
  Classifier& classifier_;
  const Examples& examples_;
  double word_dropout_;
};

// Trains in place. With dev examples, the classifier ends as it was after the epoch that labelled
// most of them right. Returns false if Ctrl-C ended it early. Tells `report` of it.
bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options, apps::Report& report);

}  // namespace sentiment
