// Independently recurrent cell (Li et al. 2018): each unit sees only its own past.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/activation.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// h' = f(W x + u h + b), u h element by element, f = relu, tanh or any function. d^2 + 2d numbers
// for input = hidden = d. u starts uniform in [0, 1], so that units remember for different spans;
// the paper keeps |u| below 2^(1/T) during training, which is left to the user.
struct IndRnn {
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;  // [hidden, input]
  Parameter weight_hh;  // [hidden]
  Parameter bias;       // [hidden]
  Activation activation;

  IndRnn(std::size_t input, std::size_t hidden, Random& random, Activation f = Activation::kRelu,
         Init init = Init::kOrthogonal)
      : activation(std::move(f)) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(1);
    weight_hh = Parameter(uniform({hidden}, 0, 1, random));
    bias = start.bias(1);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.size()})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(const Var& x, const State&, const Var& h) const {
    return {activation(x + weight_hh * h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(IndRnn);

}  // namespace reel::inline REEL_PRECISION
