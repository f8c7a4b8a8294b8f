// Simple recurrent unit (Lei et al. 2018).
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// w, f, r = W x + (0, b_f, b_r)
// c' = F c + (1 - F) w,           F = sigmoid(f + v_f c)
// h' = R c' + (1 - R) alpha x,    R = sigmoid(r + v_r c)
// 3d^2 + 4d numbers for input = hidden = d; otherwise a fourth block of W brings x to hidden.
// alpha = sqrt(1 + 2 exp(b_r at the start)) keeps the variance over layers. All products are
// hoisted.
struct Sru {
  struct State {
    Var h;  // [batch, hidden], only an output
    Var c;  // [batch, hidden]
  };
  struct Projected {
    Var w;      // [rows, hidden]
    Var gates;  // [rows, 2 hidden], f, r
    Var skip;   // [rows, hidden], x or what its block makes of it
  };
  struct Options {
    real highway_bias = 0;  // b_r at the start; below 0 for many layers: the input passes through
  };

  Parameter weight_ih;               // [3 hidden, input], w, f, r; [4 hidden, input] with x's block
  Parameter peephole_f, peephole_r;  // v [hidden]
  Parameter bias;                    // [2 hidden]
  real alpha;

  Sru(std::size_t input, std::size_t hidden, Random& random)
      : Sru(input, hidden, random, Options{}) {}
  Sru(std::size_t input, std::size_t hidden, Random& random, const Options& options)
      : alpha(std::sqrt(1 + 2 * std::exp(options.highway_bias))) {
    detail::check_sizes(input, hidden);
    // Variance 1 / input.
    const double bound = std::sqrt(3 / static_cast<double>(input));
    const auto draw = [&](const Shape& shape, double most) {
      return Parameter(uniform(shape, -most, most, random));
    };
    weight_ih = draw({(input == hidden ? 3 : 4) * hidden, input}, bound);
    peephole_f = draw({hidden}, bound);
    peephole_r = draw({hidden}, bound);
    Array start = full_array({2 * hidden}, 0);
    std::fill_n(start.data() + hidden, hidden, options.highway_bias);
    bias = Parameter(std::move(start));
  }

  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, peephole_f.size()});
    return {zero, zero};
  }
  Projected project(const Var& x) const {
    const std::size_t hidden = peephole_f.size(), rest = weight_ih.shape()[0] - 3 * hidden;
    std::array<Var, 3> blocks;
    detail::split_into(blocks, weight_ih, std::array{hidden, 2 * hidden, rest}, 0);
    return {affine(x, blocks[0]), affine(x, blocks[1], bias), rest > 0 ? affine(x, blocks[2]) : x};
  }
  State step(const Projected& x, const State& s) const {
    const auto next = [scale = alpha](auto w, auto f, auto r, auto x, auto c, auto vf, auto vr) {
      auto cell = w + sigmoid(f + vf * c) * (c - w);
      auto skip = scale * x;
      return std::tuple{skip + sigmoid(r + vr * c) * (cell - skip), cell};
    };
    auto [f, r] = split<2>(x.gates);
    auto [h, c] = pointwise("sru", next, x.w, f, r, x.skip, s.c, peephole_f, peephole_r);
    return {h, c};
  }
  static void fields(auto& self, auto&& visit) {
    visit("weight_ih", self.weight_ih);
    visit("peephole_f", self.peephole_f);
    visit("peephole_r", self.peephole_r);
    visit("bias", self.bias);
  }
};

REEL_LAYERS_OF(Sru);

}  // namespace reel::inline REEL_PRECISION
