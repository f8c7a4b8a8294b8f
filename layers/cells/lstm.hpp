// Long short-term memory (Hochreiter & Schmidhuber 1997; forget gate: Gers et al. 2000), and its
// variants.
#pragma once

#include <reel/layers/cell.hpp>
#include <reel/layers/cells/start.hpp>
#include <reel/layers/compiled.hpp>
#include <reel/layers/module.hpp>

namespace reel::inline REEL_PRECISION {

// i, f, g, o = W_ih x + W_hh h + b
// c' = sigmoid(f) c + sigmoid(i) tanh(g)
// h' = sigmoid(o) tanh(c')
// 8d^2 + 4d numbers for input = hidden = d: one bias, since a second would only add to it.
struct Lstm {
  struct State {
    Var h;  // [batch, hidden], or [batch, projection]
    Var c;  // [batch, hidden]
  };

  // Variants, which combine; a parameter that none of the chosen ones needs does not exist.
  struct Options {
    Init init = Init::kOrthogonal;
    // Gates see the cell: i + p_i c, f + p_f c, o + p_o c' (Gers & Schmidhuber 2000). 3d more.
    bool peepholes = false;
    // sigmoid(f) becomes 1 - sigmoid(i), without weights of its own (Greff et al. 2017): 6d^2 + 3d.
    bool coupled = false;
    // h' = W_hr (sigmoid(o) tanh(c')) has this width, at most hidden; 0: no W_hr (Sak et al. 2014).
    std::size_t projection = 0;
    // LN(W_ih x) + LN(W_hh h) + b, and tanh(LN(c')) in h', each LN with a gain (Ba et al. 2016).
    // 10d more.
    bool layer_norm = false;
  };

  Options options;
  Parameter weight_ih;                           // [4 hidden, input], gates i, f, g, o; or i, g, o
  Parameter weight_hh;                           // [4 hidden, width of h]
  Parameter bias_ih;                             // [4 hidden]
  Parameter weight_hr;                           // [projection, hidden]
  Parameter peephole_i, peephole_f, peephole_o;  // [hidden]
  Parameter gain_ih, gain_hh;                    // [4 hidden]
  Parameter gain_c, bias_c;                      // [hidden]

  Lstm(std::size_t input, std::size_t hidden, Random& random, Init init = Init::kOrthogonal)
      : Lstm(input, hidden, random, Options{.init = init}) {}
  Lstm(std::size_t input, std::size_t hidden, Random& random, const Options& chosen);

  State initial_state(std::size_t batch) const {
    const Var zero = zeros({batch, hidden()});
    return {options.projection > 0 ? zeros({batch, options.projection}) : zero, zero};
  }
  Var project(const Var& x) const {
    if (!options.layer_norm) return affine(x, weight_ih, bias_ih);
    return layer_norm(affine(x, weight_ih), gain_ih, bias_ih);
  }
  State step(Var x, const State& s, const Var& h) const {
    const Var gates = options.layer_norm ? layer_norm(affine(h, weight_hh), gain_hh, std::move(x))
                                         : affine(h, weight_hh, std::move(x));
    State next = is_plain() ? plain(gates, s.c) : variant(gates, s.c);
    if (options.projection > 0) next.h = affine(next.h, weight_hr);
    return next;
  }

  static void fields(auto& self, auto&& visit) {
    const Options& has = self.options;
    visit("weight_ih", self.weight_ih);
    visit("weight_hh", self.weight_hh);
    visit("bias_ih", self.bias_ih);
    if (has.projection > 0) visit("weight_hr", self.weight_hr);
    if (has.peepholes) visit("peephole_i", self.peephole_i);
    if (has.peepholes && !has.coupled) visit("peephole_f", self.peephole_f);
    if (has.peepholes) visit("peephole_o", self.peephole_o);
    if (!has.layer_norm) return;
    visit("gain_ih", self.gain_ih);
    visit("gain_hh", self.gain_hh);
    visit("gain_c", self.gain_c);
    visit("bias_c", self.bias_c);
  }

 private:
  std::size_t gates() const { return options.coupled ? 3 : 4; }
  std::size_t hidden() const { return weight_hh.shape()[0] / gates(); }
  bool is_plain() const { return !options.peepholes && !options.coupled && !options.layer_norm; }

  static State plain(const Var& gates, const Var& cell) {
    const auto step = [](auto i, auto f, auto g, auto o, auto c) {
      auto next = sigmoid(f) * c + sigmoid(i) * tanh(g);
      return std::tuple{sigmoid(o) * tanh(next), next};
    };
    auto [i, f, g, o] = split<4>(gates);
    auto [h, c] = pointwise("lstm", step, i, f, g, o, cell);
    return {h, c};
  }
  State variant(const Var& gates, const Var& cell) const;
};

inline Lstm::Lstm(std::size_t input, std::size_t hidden, Random& random, const Options& chosen)
    : options(chosen) {
  check<Error>(options.projection <= hidden,
               "lstm: the projection must not be wider than hidden; got {} and {}",
               options.projection, hidden);
  const std::size_t width = options.projection > 0 ? options.projection : hidden;
  detail::CellStart start(input, hidden, random, options.init);
  weight_ih = start.weight_ih(gates());
  weight_hh = start.weight_hh(gates(), width);
  bias_ih = start.bias(gates(), options.coupled ? gates() : 1);
  bias_ih.merged_bias = is_plain();
  if (options.projection > 0) weight_hr = start.weight_hr(width);
  if (options.peepholes) {
    peephole_i = start.uniform_row();
    if (!options.coupled) peephole_f = start.uniform_row();
    peephole_o = start.uniform_row();
  }
  if (options.layer_norm) {
    gain_ih = start.ones(gates());
    gain_hh = start.ones(gates());
    gain_c = start.ones(1);
    bias_c = start.bias(1);
  }
}

inline auto Lstm::variant(const Var& gates, const Var& cell) const -> State {
  const Var none = options.peepholes ? Var() : zeros({hidden()});
  const auto peephole = [&](const Parameter& p) { return options.peepholes ? Var(p) : none; };
  Var c, o;
  if (options.coupled) {
    const auto next = [](auto i, auto g, auto c, auto p) {
      return c + sigmoid(i + p * c) * (tanh(g) - c);
    };
    auto [i, g, output] = split<3>(gates);
    c = pointwise("coupled_lstm", next, i, g, cell, peephole(peephole_i));
    o = output;
  } else {
    const auto next = [](auto i, auto f, auto g, auto c, auto p, auto q) {
      return sigmoid(f + q * c) * c + sigmoid(i + p * c) * tanh(g);
    };
    auto [i, f, g, output] = split<4>(gates);
    c = pointwise("lstm", next, i, f, g, cell, peephole(peephole_i), peephole(peephole_f));
    o = output;
  }
  const Var shown = options.layer_norm ? layer_norm(c, gain_c, bias_c) : c;
  const auto output = [](auto o, auto c, auto shown, auto p) {
    return sigmoid(o + p * c) * tanh(shown);
  };
  return {pointwise("lstm", output, o, c, shown, peephole(peephole_o)), c};
}

REEL_LAYERS_OF(Lstm);

}  // namespace reel::inline REEL_PRECISION
