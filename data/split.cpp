#include <reel/autodiff/error.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/data/split.hpp>

#include <cmath>
#include <map>

namespace reel {
namespace {

// The examples of each label, shuffled.
std::vector<std::vector<std::size_t>> shuffled_strata(std::span<const std::int64_t> labels,
                                                      std::uint64_t seed) {
  std::map<std::int64_t, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < labels.size(); ++i) strata[labels[i]].push_back(i);
  Random random(seed);
  std::vector<std::vector<std::size_t>> all;
  for (auto& [label, examples] : strata) {
    random.shuffle(examples);
    all.push_back(std::move(examples));
  }
  return all;
}

}  // namespace

Split stratified_split(std::span<const std::int64_t> labels, double fraction, std::uint64_t seed) {
  check<Error>(fraction >= 0 && fraction <= 1,
               "stratified_split: fraction must be in 0 .. 1; got {}", fraction);
  std::vector<bool> is_held_out(labels.size());
  for (const auto& examples : shuffled_strata(labels, seed)) {
    const auto share = std::llround(fraction * static_cast<double>(examples.size()));
    for (std::size_t i = 0; i < static_cast<std::size_t>(share); ++i)
      is_held_out[examples[i]] = true;
  }

  Split split;
  for (std::size_t i = 0; i < labels.size(); ++i)
    (is_held_out[i] ? split.held_out : split.train).push_back(i);
  return split;
}

std::vector<Split> stratified_folds(std::span<const std::int64_t> labels, std::size_t folds,
                                    std::uint64_t seed) {
  check<Error>(folds >= 2, "stratified_folds: there must be two folds or more; got {}", folds);
  std::vector<std::size_t> fold_of(labels.size());
  std::size_t next = 0;  // goes on from label to label, so that folds are of one size
  for (const auto& examples : shuffled_strata(labels, seed))
    for (const std::size_t i : examples) fold_of[i] = next++ % folds;
  std::vector<Split> splits(folds);
  for (std::size_t i = 0; i < labels.size(); ++i)
    for (std::size_t fold = 0; fold < folds; ++fold)
      (fold_of[i] == fold ? splits[fold].held_out : splits[fold].train).push_back(i);
  return splits;
}

}  // namespace reel
