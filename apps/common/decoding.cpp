#include "decoding.hpp"

#include <reel/data/vocabulary.hpp>

#include <limits>

#include "run.hpp"

namespace apps {

using namespace reel;

void Decoding::add_options(CLI::App& command) {
  add_choice(command, "--decoder", decoder, {"greedy", "sample", "beam"},
             "how the next token is chosen");
  command.add_option("--seed", seed, "of the sampling")->capture_default_str();
  add_number(command, "--temperature", sampling.temperature, 1e-3, 1e3,
             "of the sampling: low is likely, high is wild");
  add_size(command, "--top-k", sampling.top_k, "sample from the likeliest k; 0: all", 0);
  add_number(command, "--top-p", sampling.top_p, 1e-6, 1.0,
             "sample from the likeliest that have this probability together");
  add_number(command, "--beam", beam.width, std::size_t{1}, std::size_t{1} << 10,
             "sequences that a beam follows");
}

std::vector<std::vector<Hypothesis>> Decoding::operator()(StepFunction& function,
                                                          const DecodeOptions& options) const {
  if (decoder == "beam") return beam_search(function, options, beam);
  Random random(seed);
  std::vector<std::vector<Hypothesis>> all;
  for (Hypothesis& one : decoder == "greedy" ? greedy(function, options)
                                             : sample(function, options, sampling, random))
    all.push_back({std::move(one)});
  return all;
}

Var without_specials(const Var& scores) {
  Array kept = scores.value();
  for (std::size_t row = 0; row < kept.shape(0); ++row)
    for (const std::int64_t never : {Vocabulary::kPad, Vocabulary::kUnknown})
      kept(row, static_cast<std::size_t>(never)) = -std::numeric_limits<real>::infinity();
  return Var(std::move(kept));
}

}  // namespace apps
