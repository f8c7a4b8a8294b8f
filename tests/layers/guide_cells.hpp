// The cells of docs/custom-cells.md, which quotes what stands between the marks.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/init.hpp>

namespace example {

using namespace reel;

// [ten lines]
struct TenLines {
  using State = Var;  // h [batch, hidden]
  Parameter w, u;     // [2 hidden, in], [2 hidden, hidden]
  Var initial_state(std::size_t batch) const { return zeros({batch, u.shape()[1]}); }
  Var step(const Var& x, const Var& h) const {
    auto [z, n] = split<2>(affine(h, u, affine(x, w)));
    return h + sigmoid(z) * (tanh(n) - h);
  }
  static void fields(auto& self, auto&& visit) { visit("w", self.w), visit("u", self.u); }
};
// [/ten lines]

// [gated unit]
// z, n = W_ih x + W_hh h + b
// h' = h + sigmoid(z) (tanh(n) - h)
struct GatedUnit {
  struct State {
    Var h;  // [batch, hidden]
  };
  Parameter weight_ih, weight_hh, bias;  // gates z, n

  GatedUnit(std::size_t in, std::size_t hidden, Random& random)
      : weight_ih(glorot(hidden, in, random, 2)),
        weight_hh(orthogonal(hidden, random, 2)),
        bias(full_array({2 * hidden}, 0)) {}

  State initial_state(std::size_t batch) const { return {zeros({batch, weight_hh.shape()[1]})}; }
  Var project(const Var& x) const { return affine(x, weight_ih, bias); }
  State step(Var x, const State& s, const Var& h) const {
    auto [z, n] = split<2>(affine(h, weight_hh, std::move(x)));
    return {s.h + sigmoid(z) * (tanh(n) - s.h)};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias", self.bias);
  }
};
// [/gated unit]

}  // namespace example
