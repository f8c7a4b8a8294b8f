// Training and measuring a translator.
#pragma once

#include <reel/data/bleu.hpp>
#include <reel/data/parallel.hpp>

#include "../common/report.hpp"
#include "../common/training.hpp"
#include "model.hpp"

namespace translate {

using Pairs = std::vector<reel::SentencePair>;

// Pairs by a hash of their source alone, so that all translations of a sentence are on one side.
struct Parts {
  Pairs train, dev, test;
};
constexpr double kTestShare = 0.05, kDevShare = 0.02;
Parts split(const Pairs& pairs);

struct TrainOptions : apps::TrainingOptions {
  double label_smoothing = 0.1;
  double forced = 1;  // share of steps that are fed the true token

  TrainOptions() {
    epochs = 10;
    batch_size = 64;
    clip = 1;
  }
};

// Byte pairs learned from the pairs, and a network that has learned nothing.
Translator prepare(const Pairs& train, const Settings& settings, std::uint64_t seed);

// Trains in place. With dev pairs, the translator ends as it was after the epoch whose greedy
// translations of them had the best BLEU. Adds what there is to see to the report. Returns false if
// Ctrl-C ended it early.
bool train(Translator& translator, const Parts& parts, const TrainOptions& options,
           apps::Report& report);

struct Score {
  reel::Bleu greedy, beam;                      // each pair by itself, as the file lists it
  reel::Bleu greedy_any, beam_any;              // each source once, with all its translations
  std::vector<std::string> by_greedy, by_beam;  // of each pair
};
Score evaluate(const Translator& translator, const Pairs& pairs, const Search& beam);
// Two lines for people to read.
std::string describe(const Score& score, const Search& beam);

// Translations and where the translator looked, for a report.
void show_examples(const Translator& translator, const Pairs& pairs, const Score& score,
                   apps::Report& report);

}  // namespace translate
