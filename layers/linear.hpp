// Linear: y = x W' + b.
#pragma once

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/scope.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// x [.., in] -> [.., out]. Glorot weights, zero bias.
struct Linear {
  Parameter weight;  // [out, in]
  Parameter bias;    // [out]

  Linear(std::size_t in, std::size_t out, Random& random)
      : weight(glorot(out, in, random)), bias(full_array({out}, 0)) {}

  Var operator()(const Var& x) const {
    const Scope scope(layer_path(weight, "linear"));
    return affine(x, weight, bias);
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight", self.weight);
    visit("bias", self.bias);
  }
};

}  // namespace reel::inline REEL_PRECISION
