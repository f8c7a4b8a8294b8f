// Training and measuring a sentiment model.
#pragma once

#include "model.hpp"

#include <functional>

namespace sentiment {

struct Examples {
  std::vector<std::vector<std::int64_t>> sequences;
  std::vector<std::int64_t> labels;  // 0 or 1
};
Examples encode(const reel::Corpus& corpus, const Classifier& classifier);
// Those of the given indices.
Examples select(const Examples& all, const std::vector<std::size_t>& indices);

// Throws reel::FileError, naming the source, unless there are texts of both classes, and words.
void require_both_classes(const Examples& examples, const std::string& source);

struct Score {
  double loss = 0;      // mean binary cross-entropy, nats
  double accuracy = 0;  // share of texts labelled right
};
Score evaluate(const Classifier& classifier, const Examples& examples);

struct TrainOptions {
  std::size_t epochs = 7;
  std::size_t batch_size = 32;
  double learning_rate = 1e-3;  // of Adam at first; falls to 0 in a straight line
  double clip = 5;              // bound of the gradient's norm
  double word_dropout = 0.3;    // share of words replaced by <unk> while training
  std::uint64_t seed = 1;
};

// Trains in place and prints a line per epoch. With dev examples, the classifier ends as it was
// after the epoch that labelled most of them right. Returns false if Ctrl-C ended it early.
bool train(Classifier& classifier, const Examples& examples, const Examples& dev,
           const TrainOptions& options);

}  // namespace sentiment
