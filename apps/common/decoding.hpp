// How a model's output is turned into tokens, as a command line says.
#pragma once

#include <reel/layers/decoding.hpp>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace apps {

struct Decoding {
  std::string decoder = "sample";  // greedy, sample or beam
  reel::SampleOptions sampling;
  reel::BeamOptions beam;
  std::uint64_t seed = 1;

  // --decoder, --temperature, --top-k, --top-p, --beam, --seed.
  void add_options(CLI::App& command);
  // Hypotheses for each row; with a beam the n best, otherwise one. Beams tell no on_token.
  std::vector<std::vector<reel::Hypothesis>> operator()(reel::StepFunction& function,
                                                        const reel::DecodeOptions& options) const;
};

// Scores [n, V] in which <pad> and <unk> may not follow.
reel::Var without_specials(const reel::Var& scores);

}  // namespace apps
