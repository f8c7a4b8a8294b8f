// How far back a gradient reaches: its norm at every state on the way.
#pragma once

#include "networks.hpp"

namespace memory {

struct GradientOptions {
  std::size_t steps = 200;
  std::size_t batch_size = 8;
  double input_scale = 1;  // deviation of the normal inputs
  std::uint64_t seed = 1;
};

// The norm of dL/ds_t for t = 1 .. steps, where s_t is the state after step t, all parts of it (h,
// and c if there is one), and L a random projection of the last output; divided by its value at
// the last step.
std::vector<double> gradient_norms(const Start& start, const GradientOptions& options);

// The factor by which the norm changes per step back in time, of the straight line fitted to its
// logarithm.
double factor_per_step(const std::vector<double>& norms);

}  // namespace memory
