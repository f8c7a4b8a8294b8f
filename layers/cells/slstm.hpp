// sLSTM (Beck et al. 2024, xLSTM): an exponential input gate, normalised and stabilised.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// i, f, z, o = W_ih x + W_hh h + b
// m' = max(log F + m, i), F = sigmoid(f) or exp(f)
// I = exp(i - m'), G = exp(log F + m - m')
// c' = G c + I tanh(z)
// n' = G n + I
// h' = sigmoid(o) c' / n'
// 8d^2 + 4d numbers for input = hidden = d. c and n stand for c exp(m) and n exp(m); n = 0, as at
// the start, says that nothing is kept: then m' = i, whatever m is, and G = 0. A learned start
// therefore moves h alone.
struct Slstm {
  struct State {
    Var h, c, n, m;  // [batch, hidden]
  };
  enum class Forget { kSigmoid, kExp };

  Parameter weight_ih;  // [4 hidden, input], gates i, f, z, o
  Parameter weight_hh;  // [4 hidden, hidden]
  Parameter bias;       // [4 hidden]
  Forget forget;

  Slstm(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal)
      : Slstm(input, hidden, random, Forget::kSigmoid, init) {}
  Slstm(std::size_t input, std::size_t hidden, Random& random, Forget f,
        Init init = Init::kOrthogonal)
      : forget(f) {
    detail::CellStart start(input, hidden, random, init);
    weight_ih = start.weight_ih(4);
    weight_hh = start.weight_hh(4);
    bias = start.bias(4, 1);
  }

  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, weight_hh.shape()[1]});
    return {zero, zero, zero, zero};
  }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(Var x, const State& s, const Var& h) const {
    auto [i, f, z, o] = split<4>(affine(h, weight_hh, std::move(x)));
    const auto gates = [](auto i, auto log_f, auto m, auto n) {
      auto top = where(n == 0, i, max(log_f + m, i));
      return std::tuple{exp(i - top), where(n == 0, 0 * n, exp(log_f + m - top)), top};
    };
    const auto next = [](auto in, auto keep, auto z, auto o, auto c, auto n) {
      auto cell = keep * c + in * tanh(z);
      auto normalizer = keep * n + in;
      return std::tuple{sigmoid(o) * cell / normalizer, cell, normalizer};
    };
    const Var log_f = forget == Forget::kExp ? f : -softplus(-f);
    auto [in, keep, m] = pointwise("slstm", gates, i, log_f, s.m, s.n);
    auto [output, c, n] = pointwise("slstm", next, in, keep, z, o, s.c, s.n);
    return {output, c, n, m};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(Slstm);

}  // namespace reel::inline REEL_PRECISION
