// Gated recurrent unit (Cho et al. 2014).
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// Reset gate after the product, as in cuDNN and PyTorch:
// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
// n = tanh(W_in x + b_in + r (W_hn h + b_hn))
// h' = (1 - z) n + z h
// 6d^2 + 6d numbers for input = hidden = d: two biases, which differ inside the reset gate.
struct Gru {
  struct State {
    Var h;  // [batch, hidden]
  };
  struct Options {
    Init init = Init::kOrthogonal;
    // As in the paper, before the product: n = tanh(W_in x + b_in + W_hn (r h)). One bias then
    // suffices: 6d^2 + 3d.
    bool reset_before = false;
  };

  Options options;
  Parameter weight_ih;    // [3 hidden, input], gates r, z, n
  Parameter weight_hh;    // [3 hidden, hidden]; [2 hidden, hidden] with reset_before
  Parameter weight_hh_n;  // [hidden, hidden], with reset_before
  Parameter bias_ih;      // [3 hidden]
  Parameter bias_hh;      // [3 hidden], without reset_before

  Gru(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal)
      : Gru(input, hidden, random, Options{.init = init}) {}
  Gru(std::size_t input, std::size_t hidden, Random& random, const Options& chosen)
      : options(chosen) {
    detail::CellStart start(input, hidden, random, options.init);
    weight_ih = start.weight_ih(3);
    weight_hh = start.weight_hh(options.reset_before ? 2 : 3);
    if (options.reset_before) weight_hh_n = start.weight_hh(1);
    bias_ih = start.bias(3);
    if (!options.reset_before) bias_hh = start.bias(3);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias_ih); }
  State step(const Var& x, const State& s, const Var& h) const {
    auto [xr, xz, xn] = split<3>(x);
    if (options.reset_before) return reset_before(xr, xz, xn, s, h);
    auto [hr, hz, hn] = split<3>(affine(h, weight_hh, bias_hh));
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
    if (self.options.reset_before) visit("weight_hh_n", self.weight_hh_n);
    visit("bias_ih", self.bias_ih);
    if (!self.options.reset_before) visit("bias_hh", self.bias_hh);
  }

 private:
  State reset_before(const Var& xr, const Var& xz, const Var& xn, const State& s,
                     const Var& h) const {
    auto [hr, hz] = split<2>(affine(h, weight_hh));
    const Var n = affine(sigmoid(xr + hr) * h, weight_hh_n, xn);
    const auto next = [](auto xz, auto hz, auto n, auto h) {
      auto z = sigmoid(xz + hz);
      return (1 - z) * tanh(n) + z * h;
    };
    return {pointwise("gru", next, xz, hz, n, s.h)};
  }
};

REEL_LAYERS_OF(Gru);

}  // namespace reel::inline REEL_PRECISION
