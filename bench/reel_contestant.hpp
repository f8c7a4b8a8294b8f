// Reel as a contestant.
#pragma once

#include "contestant.hpp"

namespace bench {

struct StepCost {
  long mallocs;            // calls of malloc and its kin; -1: not counted on this platform
  std::size_t tape_bytes;  // most that the step held at a time
};

class ReelContestant : public Contestant {
 public:
  virtual StepCost cost() = 0;  // of a step, after others
};

// cell: one of cell_kinds().
std::unique_ptr<ReelContestant> make_reel(const Problem& problem, const std::string& cell);

}  // namespace bench
