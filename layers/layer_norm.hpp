// Layer normalisation (Ba et al. 2016).
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// x [.., size] -> [.., size]: mean 0 and variance 1 over the last axis, then times weight plus
// bias, which start as 1 and 0.
struct LayerNorm {
  Parameter weight;  // [size]
  Parameter bias;    // [size]
  real eps;          // added to the variance

  explicit LayerNorm(std::size_t size, real e = real(1e-5))
      : weight(full_array({size}, 1)), bias(full_array({size}, 0)), eps(e) {}

  Var operator()(const Var& x) const {
    const Scope scope(layer_path(weight, "layer_norm"));
    return layer_norm(x, weight, bias, eps);
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

}  // namespace reel::inline REEL_PRECISION
