// Cells as a user of the library writes them, to be measured against the built-in ones.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>

namespace bench {

// Weights of four gates.
struct FourGates {
  reel::Parameter weight_ih, weight_hh, bias_ih;

  FourGates(std::size_t input, std::size_t hidden, reel::Random& random)
      : weight_ih(reel::glorot(hidden, input, random, 4)),
        weight_hh(reel::orthogonal(hidden, random, 4)),
        bias_ih(reel::full_array({4 * hidden}, 0)) {}

  reel::Var project(const reel::Var& x) const { return affine(x, weight_ih, bias_ih); }
  reel::Var zero_state(std::size_t batch) const {
    return reel::zeros({batch, weight_hh.shape()[1]});
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias_ih", self.bias_ih);
  }
};

// An LSTM with its own fused function.
struct CustomLstm : FourGates {
  struct State {
    reel::Var h, c;
  };
  using FourGates::FourGates;

  State initial_state(std::size_t batch) const { return {zero_state(batch), zero_state(batch)}; }
  State step(reel::Var x, const State& s) const {
    const auto gates = [](auto i, auto f, auto g, auto o, auto c) {
      auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
      return std::tuple{sigmoid(o) * tanh(next), next};
    };
    auto [i, f, g, o] = reel::split<4>(affine(s.h, weight_hh, std::move(x)));
    auto [h, c] = reel::pointwise(gates, i, f, g, o, s.c);
    return {h, c};
  }
};

// An LSTM in plain ops.
struct PlainLstm : FourGates {
  struct State {
    reel::Var h, c;
  };
  using FourGates::FourGates;

  State initial_state(std::size_t batch) const { return {zero_state(batch), zero_state(batch)}; }
  State step(reel::Var x, const State& s) const {
    auto [i, f, g, o] = reel::split<4>(affine(s.h, weight_hh, std::move(x)));
    const reel::Var c = sigmoid(f) * s.c + sigmoid(i) * tanh(g);
    return {sigmoid(o) * tanh(c), c};
  }
};

// A GRU with a second reset gate, on the input's part of the candidate: in no library, with the
// products of an LSTM.
struct TwoResetGru : FourGates {
  struct State {
    reel::Var h;
  };
  using FourGates::FourGates;

  State initial_state(std::size_t batch) const { return {zero_state(batch)}; }
  State step(const reel::Var& x, const State& s) const {
    const auto gates = [](auto xr, auto xq, auto xz, auto xn, auto hr, auto hq, auto hz, auto hn,
                          auto h) {
      auto n = tanh(sigmoid(xq + hq) * xn + sigmoid(xr + hr) * hn);
      auto z = sigmoid(xz + hz);
      return (1 - z) * n + z * h;
    };
    auto [xr, xq, xz, xn] = reel::split<4>(x);
    auto [hr, hq, hz, hn] = reel::split<4>(affine(s.h, weight_hh));
    return {reel::pointwise(gates, xr, xq, xz, xn, hr, hq, hz, hn, s.h)};
  }
};

}  // namespace bench
