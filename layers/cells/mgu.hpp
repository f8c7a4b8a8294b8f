// Minimal gated unit (Zhou et al. 2016): a GRU with one gate.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// f = sigmoid(W_if x + W_hf h + b_f)
// n = tanh(W_in x + W_hn (f h) + b_n)
// h' = (1 - f) h + f n
// 4d^2 + 2d numbers for input = hidden = d.
struct Mgu {
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;    // [2 hidden, input], f, n
  Parameter weight_hh;    // [hidden, hidden], f
  Parameter weight_hh_n;  // [hidden, hidden]
  Parameter bias;         // [2 hidden]

  Mgu(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(2);
    weight_hh = start.weight_hh(1);
    weight_hh_n = start.weight_hh(1);
    bias = start.bias(2);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(const Var& x, const State& s, const Var& h) const {
    auto [xf, xn] = split<2>(x);
    const Var f = sigmoid(affine(h, weight_hh, xf));
    const Var n = affine(f * h, weight_hh_n, xn);
    const auto next = [](auto f, auto n, auto h) { return h + f * (tanh(n) - h); };
    return {pointwise("mgu", next, f, n, s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("weight_hh_n", self.weight_hh_n);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(Mgu);

}  // namespace reel::inline REEL_PRECISION
