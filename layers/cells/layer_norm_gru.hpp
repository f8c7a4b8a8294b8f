// GRU with layer normalisation (Ba et al. 2016).
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// LN normalises r and z together, n alone; each LN has a gain.
// r, z = LN(W_ih x) + LN(W_hh h) + b
// n = tanh(LN(W_in x) + b_in + sigmoid(r) (LN(W_hn h) + b_hn))
// h' = (1 - sigmoid(z)) n + sigmoid(z) h, z the other way round than in the paper, as in Gru.
// 6d^2 + 10d numbers for input = hidden = d.
struct LayerNormGru {
  struct State {
    Var h;  // [batch, hidden]
  };
  struct Projected {
    Var gates;  // [rows, 2 hidden]
    Var n;      // [rows, hidden]
  };

  Parameter weight_ih;         // [3 hidden, input], gates r, z, n
  Parameter weight_hh;         // [3 hidden, hidden]
  Parameter gain_ih, gain_hh;  // [2 hidden]
  Parameter gain_in, gain_hn;  // [hidden]
  Parameter bias;              // [2 hidden]
  Parameter bias_in, bias_hn;  // [hidden]

  LayerNormGru(std::size_t input, std::size_t hidden, Random& random,
               Init init = Init::kOrthogonal) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(3);
    weight_hh = start.weight_hh(3);
    gain_ih = start.ones(2);
    gain_hh = start.ones(2);
    gain_in = start.ones(1);
    gain_hn = start.ones(1);
    bias = start.bias(2);
    bias_in = start.bias(1);
    bias_hn = start.bias(1);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Projected project(const Var& x) const {
    const auto [gates, n] = gates_and_candidate(affine(x, weight_ih));
    return {layer_norm(gates, gain_ih, bias), layer_norm(n, gain_in, bias_in)};
  }
  State step(Projected x, const State& s, const Var& h) const {
    const auto [gates, n] = gates_and_candidate(affine(h, weight_hh));
    auto [r, z] = split<2>(layer_norm(gates, gain_hh, std::move(x.gates)));
    const auto next = [](auto r, auto z, auto xn, auto hn, auto h) {
      auto n = tanh(xn + sigmoid(r) * hn);
      return n + sigmoid(z) * (h - n);
    };
    return {pointwise("layer_norm_gru", next, r, z, x.n, layer_norm(n, gain_hn, bias_hn), s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("gain_ih", self.gain_ih);
    visit("gain_hh", self.gain_hh);
    visit("gain_in", self.gain_in);
    visit("gain_hn", self.gain_hn);
    visit("bias", self.bias);
    visit("bias_in", self.bias_in);
    visit("bias_hn", self.bias_hn);
  }

 private:
  std::array<Var, 2> gates_and_candidate(const Var& x) const {
    const std::size_t hidden = weight_hh.shape()[1];
    std::array<Var, 2> parts;
    detail::split_into(parts, x, std::array{2 * hidden, hidden}, -1);
    return parts;
  }
};

REEL_LAYERS_OF(LayerNormGru);

}  // namespace reel::inline REEL_PRECISION
