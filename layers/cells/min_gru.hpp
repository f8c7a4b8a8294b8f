// Minimal GRU (Feng et al. 2024, "Were RNNs All We Needed?"), in its plain form.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// z, n = W x + b
// h' = (1 - sigmoid(z)) h + sigmoid(z) n
// 2d^2 + 2d numbers for input = hidden = d. No gate sees the state, so that all products are
// hoisted. The paper's form for a parallel scan, in logarithms with n > 0, is another function.
struct MinGru {
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;  // [2 hidden, input], z, n
  Parameter bias;       // [2 hidden]

  MinGru(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(2);
    bias = start.bias(2);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, bias.size() / 2})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(const Var& x, const State& s) const {
    auto [z, n] = split<2>(x);
    const auto next = [](auto z, auto n, auto h) { return h + sigmoid(z) * (n - h); };
    return {pointwise("min_gru", next, z, n, s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(MinGru);

}  // namespace reel::inline REEL_PRECISION
