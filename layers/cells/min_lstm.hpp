// Minimal LSTM (Feng et al. 2024, "Were RNNs All We Needed?"), in its plain form.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// i, f, g = W x + b
// h' = (sigmoid(f) h + sigmoid(i) g) / (sigmoid(f) + sigmoid(i))
// 3d^2 + 3d numbers for input = hidden = d. No gate sees the state, so that all products are
// hoisted. The paper's form for a parallel scan, in logarithms with g > 0, is another function.
struct MinLstm {
  struct State {
    Var h;  // [batch, hidden]
  };

  Parameter weight_ih;  // [3 hidden, input], i, f, g
  Parameter bias;       // [3 hidden]

  MinLstm(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(3);
    bias = start.bias(3, 1);
  }

  State initial_state(std::size_t batch) const { return {zeros({batch, bias.size() / 3})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  // The share of g, sigmoid(i) / (sigmoid(f) + sigmoid(i)), is computed as the sigmoid of
  // log sigmoid(i) - log sigmoid(f), which cannot divide by zero.
  State step(const Var& x, const State& s) const {
    auto [i, f, g] = split<3>(x);
    const auto next = [](auto i, auto f, auto g, auto h) {
      return h + sigmoid(softplus(-f) - softplus(-i)) * (g - h);
    };
    return {pointwise("min_lstm", next, i, f, g, s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(MinLstm);

}  // namespace reel::inline REEL_PRECISION
