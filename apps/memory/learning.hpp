// Who learns what at which length.
#pragma once

#include <functional>

#include "networks.hpp"
#include "problems.hpp"

namespace memory {

struct LearningOptions {
  std::string problem = "adding";  // or copy
  std::size_t length = 100;        // steps of the adding problem; delay of the copy problem
  std::size_t most_steps = 2000;   // updates until it is given up
  std::size_t batch_size = 32;
  double learning_rate = 0.01;  // of Adam
  double clip = 1;              // bound of the gradient's norm; 0: none
  std::uint64_t seed = 1;
  std::size_t threads = 0;
};

// What became of one attempt. Scores are of fresh data: of the adding problem the mean squared
// error, of the copy problem the share of symbols that were said right.
struct Outcome {
  std::vector<double> at, scores;  // after so many updates
  bool solved = false, diverged = false;
  bool interrupted = false;
  std::size_t steps = 0;  // updates until it was solved, given up or interrupted
};

// Trains until the problem is solved (see problems.hpp) or most_steps are made. `progress` hears
// of each update.
Outcome learn(const Start& start, const LearningOptions& options,
              const std::function<void(std::size_t step, double loss)>& progress = {});

}  // namespace memory
