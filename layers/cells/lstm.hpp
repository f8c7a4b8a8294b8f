// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000).
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// i, f, g, o = W_ih x + W_hh h + b
// c' = sigmoid(f) c + sigmoid(i) tanh(g)
// h' = sigmoid(o) tanh(c')
// 8d^2 + 4d numbers for input = hidden = d: one bias, since a second would only add to it.
struct Lstm {
  struct State {
    Var h, c;  // [batch, hidden]
  };

  Parameter weight_ih;  // [4 hidden, input], gates i, f, g, o
  Parameter weight_hh;  // [4 hidden, hidden]
  Parameter bias_ih;    // [4 hidden]

  Lstm(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal);

  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, weight_hh.shape()[1]});
    return {zero, zero};
  }
  Var project(const Var& x) const { return affine(x, weight_ih, bias_ih); }
  State step(Var x, const State& s) const {
    auto [i, f, g, o] = split<4>(affine(s.h, weight_hh, std::move(x)));
    const auto gates = [](auto i, auto f, auto g, auto o, auto c) {
      auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
      return std::tuple{sigmoid(o) * tanh(next), next};
    };
    auto [h, c] = pointwise("lstm", gates, i, f, g, o, s.c);
    return {h, c};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias_ih", self.bias_ih);
  }
};

}  // namespace reel::inline REEL_PRECISION
