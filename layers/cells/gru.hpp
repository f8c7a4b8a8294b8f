// Gated recurrent unit (Cho et al. 2014), reset gate after the product as in cuDNN and PyTorch.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
// n = tanh(W_in x + b_in + r (W_hn h + b_hn))
// h' = (1 - z) n + z h
// 6d^2 + 6d numbers for input = hidden = d: two biases, which differ inside the reset gate.
struct Gru {
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;  // [3 hidden, input], gates r, z, n
  Parameter weight_hh;  // [3 hidden, hidden]
  Parameter bias_ih;    // [3 hidden]
  Parameter bias_hh;    // [3 hidden]

  Gru(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal);

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias_ih); }
  State step(const Var& x, const State& s) const {
    auto [xr, xz, xn] = split<3>(x);
    auto [hr, hz, hn] = split<3>(affine(s.h, weight_hh, bias_hh));
    const auto gates = [](auto xr, auto xz, auto xn, auto hr, auto hz, auto hn, auto h) {
      auto r = sigmoid(xr + hr);
      auto z = sigmoid(xz + hz);
      auto n = tanh(xn + r * hn);
      return (1 - z) * n + z * h;
    };
    return {pointwise("gru", gates, xr, xz, xn, hr, hz, hn, s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias_ih", self.bias_ih);
    visit("bias_hh", self.bias_hh);
  }
};

}  // namespace reel::inline REEL_PRECISION
