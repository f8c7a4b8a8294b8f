// Steps of reel and its peers in alternation, so that the machine's drift cancels.
#pragma once

#include "contestant.hpp"

namespace bench {

// Median and quartiles.
struct Sample {
  double median, low, high;
  double spread() const { return (high - low) / median; }
};
Sample summary(std::vector<double> values);

struct DuelResult {
  std::vector<Sample> ms;     // of each contestant, over all its steps
  std::vector<Sample> ratio;  // the first one's time to each one's, over the turns
  double peak_gflops;         // best of the turns
};

// In each of `turns`, every contestant runs steps for some 20 ms, at least one, and a large
// product is timed.
DuelResult duel(const std::vector<Contestant*>& contestants, std::size_t turns);

}  // namespace bench
