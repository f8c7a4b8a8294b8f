// Linear-chain conditional random field (Lafferty et al. 2001): an output layer for tagging.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/layers/module.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// Over K tags the probability of y_1 .. y_n is exp(s(y)) / sum over all y of exp(s(y)), with
//   s(y) = start[y_1] + sum_t emission_t[y_t] + sum_t transition[y_t, y_t+1] + end[y_n].
// Emissions are [T, B, K], such as a linear layer gives; `lengths` [B] says how many of the T a row
// has, none given: all. What lies past a row's end is not read, NaN included. A row of length zero
// has one path, the empty one, of score 0. Wrong shapes and tags throw ShapeError.
struct Crf {
  Parameter transitions;        // [K, K], from, to
  Parameter start_transitions;  // [K]
  Parameter end_transitions;    // [K]

  // All zeros: tags are independent until something is learned.
  explicit Crf(std::size_t tags);

  // -log p(tags) of each row [B]; tags [T, B], from 0 to K - 1, not read past a row's end.
  Var negative_log_likelihood(const Var& emissions, const Indices& tags,
                              std::span<const std::size_t> lengths = {}) const;
  // log of the sum of exp(s(y)) over all paths, and s(tags), of each row [B].
  Var log_partition(const Var& emissions, std::span<const std::size_t> lengths = {}) const;
  Var score(const Var& emissions, const Indices& tags,
            std::span<const std::size_t> lengths = {}) const;

  struct Path {
    std::vector<std::int64_t> tags;  // [length]
    real score;                      // s(tags)
  };
  // The best path of each row (Viterbi 1967); of equal ones that with the smaller last tag.
  std::vector<Path> decode(const Array& emissions, std::span<const std::size_t> lengths = {}) const;

  static void fields(auto& self, auto&& visit) {
    visit("transitions", self.transitions);
    visit("start_transitions", self.start_transitions);
    visit("end_transitions", self.end_transitions);
  }
};

}  // namespace reel::inline REEL_PRECISION
