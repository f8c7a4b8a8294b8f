// Training a tagger.
#pragma once

#include "../common/report.hpp"
#include "model.hpp"

namespace tag {

struct TrainOptions : apps::TrainingOptions {
  // While training, a word that occurs n times is hidden with probability a / (a + n), this being
  // a, so that something is learned of unknown words (Kiperwasser & Goldberg 2016).
  double word_dropout = 0.25;

  TrainOptions() {
    epochs = 15;
    learning_rate = 2e-3;
  }
};

// Share of the words that get their tag.
double accuracy(const Model& model, const Encoded& sentences);

// Trains in place; the tagger ends as it was after the epoch that tagged most words of dev right.
// Writes of it in the report, if one is asked for. Returns false if Ctrl-C ended it early.
bool train(Tagger& tagger, const Encoded& sentences, const Encoded& dev,
           const TrainOptions& options, apps::Report& report);

}  // namespace tag
