// BLEU (Papineni et al. 2002) as sacreBLEU defines it (Post 2018).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

// The words of a line as the script mteval-v13a splits them: case kept, Western punctuation apart.
// Throws Error unless the line is UTF-8.
std::vector<std::string> tokenize_13a(std::string_view line);

struct Bleu {
  double score = 0;                    // 0 .. 100
  std::array<double, 4> precisions{};  // of 1-grams to 4-grams, in percent, smoothed
  double brevity_penalty = 0;
  std::size_t hypothesis_words = 0, reference_words = 0;
};

// Of a corpus: hypotheses, and for each of them its references, one or more. sacreBLEU's defaults:
// 13a words in their case, up to 4-grams, matches clipped by the reference that has most, the
// reference length nearest to the hypothesis, exponential smoothing of precisions that are 0.
// Throws Error unless there is a hypothesis and each has a reference.
Bleu corpus_bleu(std::span<const std::string> hypotheses,
                 std::span<const std::vector<std::string>> references);

}  // namespace reel
