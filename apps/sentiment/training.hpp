// Training and measuring a sentiment model.
#pragma once

#include <reel/data/confusion.hpp>
#include <reel/data/corpus.hpp>
#include <reel/data/split.hpp>
#include <reel/optim/train_step.hpp>

#include "../common/report.hpp"
#include "../common/settings.hpp"
#include "../common/training.hpp"
#include "model.hpp"

namespace sentiment {

struct Examples {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> labels;  // indices of classes
};
Examples encode(const reel::Corpus& corpus, const Classifier& classifier);

struct TaskOptions {
  double dev_share = 0.1;  // of the texts to learn from, to choose the best epoch on
  std::uint64_t split_seed = 1;
  reel::VocabularyLimits limits{.min_count = 1, .max_size = apps::kMostSize};
  std::string vectors = {};  // file of word vectors to start from
  bool freeze = false;       // leaves these as they are
};
// Texts cut into parts, and an untrained classifier that knows the words of those to learn from.
struct Task {
  Classifier classifier;
  Examples train, dev, held_out;
};
Task prepare(const reel::Corpus& corpus, const reel::Split& split, Settings settings,
             const TaskOptions& options, std::uint64_t seed);

// Throws reel::FileError, naming the source, unless there are texts of two classes, and words.
void require_classes(const Examples& examples, const std::vector<std::string>& classes,
                     const std::string& source);

// The label of each row of a batch of examples [B].
reel::Array targets(const reel::Batch& batch, const Examples& examples);

// Mean cross-entropy of a batch's rows, nats; with class weights [classes], if any, of more than
// two classes.
reel::Var loss_of(const reel::Var& logits, const reel::Batch& batch, const Examples& examples,
                  const reel::Array& weights = {});

struct Score {
  double loss = 0;  // mean cross-entropy, nats
  reel::Confusion confusion;
};
Score evaluate(const Classifier& classifier, const Examples& examples);

struct TrainOptions : apps::TrainingOptions {
  double word_dropout = 0.3;  // share of words replaced by <unk> while training
  bool balance = false;       // of more than two classes: rare ones count more
  bool best_by_f1 = false;    // the best epoch has the largest macro-F1, else the best accuracy

  TrainOptions() { epochs = 7, shards = 4; }
};

// Minibatch steps of one classifier on one set of examples, both of which must outlive it.
struct Trainer {
  Trainer(Classifier& classifier, const Examples& examples, const TrainOptions& options);

  // Learns from the examples of these indices and returns their mean loss.
  double step(const std::vector<std::size_t>& some) {
    return apps::learn_from(some, rows, train_step, loss).loss;
  }

  reel::Adam optimizer;
  reel::TrainStep train_step;
  apps::Rows rows;
  apps::RowsLoss loss;
};

// Trains in place. With dev examples, the classifier ends as it was after the epoch that was best
// on them. Returns false if Ctrl-C ended it early. Tells `report` of it.
bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options, apps::Report& report);

// A bag of words, trained on the same texts and words: what any model should beat.
Classifier train_bag(const Task& task, const TrainOptions& options);

}  // namespace sentiment
