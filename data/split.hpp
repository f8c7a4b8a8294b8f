// Which examples to learn from and which to hold out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reel {

struct Split {
  std::vector<std::size_t> train, held_out;  // indices of examples, ascending
};

// Holds out `fraction` of the n examples of each label, rounded to the nearest number; which ones
// depends on the seed. Throws Error unless 0 <= fraction <= 1.
Split stratified_split(std::span<const std::int64_t> labels, double fraction, std::uint64_t seed);

// Cross-validation: each example is held out in one of `folds` splits, in which the n examples of a
// label are spread evenly (n / folds, rounded up or down); by which seed decides. Throws Error
// unless there are two folds or more.
std::vector<Split> stratified_folds(std::span<const std::int64_t> labels, std::size_t folds,
                                    std::uint64_t seed);

}  // namespace reel
