// Training and measuring a model of names.
#pragma once

#include "../common/report.hpp"
#include "../common/training.hpp"
#include "model.hpp"

namespace names {

struct Examples {
  std::vector<std::vector<std::int64_t>> names;  // letters between edges
  std::vector<std::int64_t> languages;
};

struct SplitOptions {
  double held_out = 0.1;   // share of each language that is kept aside and measured once
  double dev_share = 0.1;  // share of the others to choose the best epoch on
  std::uint64_t seed = 1;
};
// Names in three parts, and an untrained model that knows the letters of those to learn from.
struct Task {
  Model model;
  Examples train, dev, held_out;
};
using Files = std::vector<std::filesystem::path>;
// One file of names for each language, a name on a line (no file: the bundled ones); of names that
// a language has more than once, one is taken. Throws reel::FileError.
Task prepare(const Files& files, const SplitOptions& split, const Settings& settings,
             std::uint64_t seed);
// Those of other files, or all of them.
Examples read(const Files& files, const Model& model);

struct TrainOptions : apps::TrainingOptions {
  TrainOptions() {
    epochs = 20;
    batch_size = 32;
    learning_rate = 3e-3;
    schedule = "cosine";
    clip = 1;
  }
};

struct Score {
  double loss = 0;      // nats: per letter and edge after a name, or per name to classify
  double accuracy = 0;  // share of names classified right; 0 for the other task
};
Score evaluate(const Model& model, const Examples& examples);
// What the model is told of in one line: "1.9 nats per letter" or "accuracy 0.8".
std::string tell(const Settings& settings, const Score& score);

// Which languages names of each are taken for: shares, a row for each language.
apps::HeatMap confusion(const Model& model, const Examples& examples);

// The same by n-grams of letters (Kneser-Ney). To generate: those of all names together, each after
// its language. To classify: one model per language, times the share of the language.
Score baseline(const Model& model, const Examples& train, const Examples& examples,
               std::size_t order);
// Accuracy of always saying the most frequent language.
double majority(const Examples& train, const Examples& examples);

// Trains in place, prints a line per epoch and adds to the report; with dev examples the model ends
// as it was after the epoch with the best score on them. False if Ctrl-C ended it early.
bool train(Model& model, const Examples& examples, const Examples& dev, const TrainOptions& options,
           apps::Report& report);

}  // namespace names
