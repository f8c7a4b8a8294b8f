// The simple recurrent cell (Elman 1990).
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/activation.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// h' = f(W_ih x + W_hh h + b), f = tanh, relu or any function. 2d^2 + d numbers for
// input = hidden = d.
struct Rnn {
  using Activation = reel::Activation;
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;  // [hidden, input]
  Parameter weight_hh;  // [hidden, hidden]
  Parameter bias_ih;    // [hidden]
  Activation activation;

  Rnn(std::size_t input, std::size_t hidden, Random& random, Activation f = Activation::kTanh,
      Init init = Init::kOrthogonal)
      : activation(std::move(f)) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(1);
    weight_hh = start.weight_hh(1);
    bias_ih = start.bias(1);
    bias_ih.merged_bias = true;
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias_ih); }
  State step(Var x, const State&, const Var& h) const {
    return {activation(affine(h, weight_hh, std::move(x)))};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias_ih", self.bias_ih);
  }
};

REEL_LAYERS_OF(Rnn);

}  // namespace reel::inline REEL_PRECISION
