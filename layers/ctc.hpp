// Connectionist temporal classification (Graves et al. 2006): labels for a sequence whose steps
// nobody aligned with them.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

using Labels = std::vector<std::int64_t>;

// Each step gives one of K symbols, one of which is the blank; a path of symbols stands for the
// labels that are left when repetitions are merged and then blanks removed. Logits are [T, B, K],
// made probabilities by softmax; `lengths` [B] says how many of the T a row has, none given: all.
// What lies past a row's end is not read, NaN included.

struct CtcOptions {
  std::int64_t blank = 0;
  // A row with no path, being too short for its labels or since all of them have probability 0,
  // loses infinity; true: nothing. Either way it has no gradient.
  bool zero_infinity = false;
};
// -log p(targets[b]) of each row [B]. Targets may be empty. Throws ShapeError unless there is one
// target for each row, of labels from 0 to K - 1 that are not the blank.
Var ctc_loss(const Var& logits, std::span<const std::size_t> lengths,
             std::span<const Labels> targets, const CtcOptions& options = {});

struct CtcHypothesis {
  Labels labels;
  double log_probability;
};
// Of each row the labels of the likeliest path, with the probability of that path.
std::vector<CtcHypothesis> ctc_greedy(const Array& logits, std::span<const std::size_t> lengths,
                                      std::int64_t blank = 0);

struct CtcBeamOptions {
  std::int64_t blank = 0;
  std::size_t beam_width = 16;
  std::size_t n_best = 1;  // at most this many for each row
};
// Prefix beam search: of each row the likeliest labels, best first, with the probability of those
// of their paths that stayed among the beam_width likeliest prefixes; it is exact if all did. Of
// equally likely prefixes the one found first stays.
std::vector<std::vector<CtcHypothesis>> ctc_beam_search(const Array& logits,
                                                        std::span<const std::size_t> lengths,
                                                        const CtcBeamOptions& options = {});

}  // namespace reel::inline REEL_PRECISION
