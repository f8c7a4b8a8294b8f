// The custom cell of the README, which quotes what stands between the marks.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>

namespace example {

using namespace reel;

// [custom cell]
// An LSTM whose forget gate is one minus its input gate (Greff et al. 2017).
struct CoupledLstm {
  struct State {
    Var h, c;
  };
  Parameter weight_ih, weight_hh, bias;  // gates i, g, o

  CoupledLstm(std::size_t in, std::size_t hidden, Random& random)
      : weight_ih(glorot(hidden, in, random, 3)),
        weight_hh(orthogonal(hidden, random, 3)),
        bias(full_array({3 * hidden}, 0)) {}

  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, weight_hh.shape()[1]});
    return {zero, zero};
  }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(Var x, const State& s) const {
    auto [i, g, o] = split<3>(affine(s.h, weight_hh, std::move(x)));
    auto [h, c] = pointwise(
        [](auto i, auto g, auto o, auto c) {
          auto next = c + sigmoid(i) * (tanh(g) - c);
          return std::tuple{sigmoid(o) * tanh(next), next};
        },
        i, g, o, s.c);
    return {h, c};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias", self.bias);
  }
};
// [/custom cell]

}  // namespace example
