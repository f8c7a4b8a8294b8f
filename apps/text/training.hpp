// Training and measuring a language model.
#pragma once

#include "../common/report.hpp"
#include "../common/training.hpp"
#include "model.hpp"

namespace text {

// A text cut in three: to learn from, to choose the best epoch on, to be measured once.
struct Parts {
  std::vector<std::string> train, dev, held_out;  // tokens
};
struct SplitOptions {
  double held_out = 0;      // share at the end of the text
  double dev_share = 0.05;  // share before that
};
// The tokens of a file, which must be UTF-8 and have two. Throws reel::FileError.
std::vector<std::string> read_tokens(const std::filesystem::path& path, const Settings& settings);
// Throws reel::FileError, naming the source, if a part that is wanted would have less than two
// tokens.
Parts cut(std::vector<std::string> tokens, const SplitOptions& options, const std::string& source);

struct TrainOptions : apps::TrainingOptions {  // the batch is the number of lanes
  TrainOptions() {
    epochs = 20;
    batch_size = 32;
    learning_rate = 3e-3;
    schedule = "cosine";
    clip = 1;
  }
  std::size_t window = 64;  // steps of truncated BPTT
};

// Nats per token (the perplexity is its exponential) over a text read in so many lanes, each of
// which starts with no context.
double measure(const LanguageModel& lm, const std::vector<std::int64_t>& tokens, std::size_t lanes);

struct Adapting {
  double rate = 0;          // of Adam
  std::size_t window = 20;  // steps
};
// The same in one lane, while the model goes on learning from what it has read: each window is
// measured, then learned from (dynamic evaluation, Krause et al. 2018).
double measure_adapting(LanguageModel& lm, const std::vector<std::int64_t>& tokens,
                        const Adapting& options);

// -log p of each token but the first, with the token, scaled for a page: from 1, expected, by 0, as
// expected as the average of them, to -1.
std::vector<std::pair<std::string, double>> surprises(const LanguageModel& lm,
                                                      const std::vector<std::int64_t>& tokens);

// Trains in place, prints a line per epoch and adds to the report; with dev tokens the model ends
// as it was after the epoch that predicted them best. False if Ctrl-C ended it early.
bool train(LanguageModel& lm, const std::vector<std::int64_t>& tokens,
           const std::vector<std::int64_t>& dev, const TrainOptions& options, apps::Report& report);

}  // namespace text
