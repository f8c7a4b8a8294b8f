#include <reel/autodiff/error.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/data/split.hpp>

#include <cmath>
#include <map>

namespace reel {

Split stratified_split(std::span<const std::int64_t> labels, double fraction, std::uint64_t seed) {
  check<Error>(fraction >= 0 && fraction <= 1,
               "stratified_split: fraction must be in 0 .. 1; got {}", fraction);
  std::map<std::int64_t, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < labels.size(); ++i) strata[labels[i]].push_back(i);

  Random random(seed);
  std::vector<bool> is_held_out(labels.size());
  for (auto& [label, examples] : strata) {
    random.shuffle(examples);
    const auto share = std::llround(fraction * static_cast<double>(examples.size()));
    for (std::size_t i = 0; i < static_cast<std::size_t>(share); ++i)
      is_held_out[examples[i]] = true;
  }

  Split split;
  for (std::size_t i = 0; i < labels.size(); ++i)
    (is_held_out[i] ? split.held_out : split.train).push_back(i);
  return split;
}

}  // namespace reel
