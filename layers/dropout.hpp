// Dropout (Srivastava et al. 2014).
#pragma once

#include <reel/autodiff/ops.hpp>

namespace reel::inline REEL_PRECISION {

// While training, zeroes each element with probability p and scales the others by 1 / (1 - p).
// There is no mode to set: training passes its random numbers, inference passes none.
struct Dropout {
  real p;  // in [0, 1)

  explicit Dropout(real probability) : p(probability) {
    check<Error>(p >= 0 && p < 1, "dropout: p must lie in [0, 1); got {}", p);
  }
  Var operator()(const Var& x, Random* random) const { return random ? dropout(x, p, *random) : x; }
  static void fields(auto&, auto&&) {}
};

}  // namespace reel::inline REEL_PRECISION
