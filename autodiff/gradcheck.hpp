// Checking derivatives against finite differences: for reel's ops and for yours.
#pragma once

#include <reel/autodiff/var.hpp>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace reel::inline REEL_PRECISION {

struct GradcheckOptions {
  int orders = 2;  // 1: gradient; 2: the gradient of the gradient too
  // Step of the finite differences, and the error allowed, relative to 1 + |numeric|.
  double step = sizeof(real) == 8 ? 1e-3 : 2e-2;
  double tolerance = sizeof(real) == 8 ? 1e-8 : 1e-2;
  std::uint64_t seed = 1;
};

struct GradcheckResult {
  bool ok = true;
  std::string message;  // what differed: which input, order, both values
  double worst = 0;     // largest error met
  explicit operator bool() const { return ok; }
};

// Compares the derivatives of f at `inputs`, as backward and gradients compute them, with finite
// differences (five points, error of order step^4) along random directions, weighting f's outputs
// at random, so that neither symmetry nor cancellation hides an error. f may also depend on
// `parameters`; their values are restored afterwards, their gradients cleared. Meant for reel64: in
// float only coarse errors show.
GradcheckResult gradcheck(const std::function<Var(std::span<const Var>)>& f,
                          std::vector<Array> inputs, const std::vector<Parameter*>& parameters = {},
                          const GradcheckOptions& options = {});

}  // namespace reel::inline REEL_PRECISION
