#include "networks.hpp"

#include <algorithm>
#include <cmath>

namespace memory {

using namespace reel;

namespace {

std::span<real> block(Parameter& bias, std::size_t index, std::size_t hidden) {
  return {bias.mutable_value().data() + index * hidden, hidden};
}

// Biases of the gate that keeps and, where it is another one, of the gate that lets in.
void set_biases(const Start& start, std::span<real> keep, std::span<real> let_in, Random& random) {
  if (start.forget_bias) std::ranges::fill(keep, static_cast<real>(*start.forget_bias));
  if (start.chrono == 0) return;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    keep[i] = static_cast<real>(
        std::log(random.uniform(1, std::max(2.0, static_cast<double>(start.chrono) - 1))));
    if (!let_in.empty()) let_in[i] = -keep[i];
  }
}

}  // namespace

Layer make_layer(const Start& start, std::size_t input, Random& random) {
  const std::size_t hidden = start.hidden_size;
  const Init init = start.orthogonal ? Init::kOrthogonal : Init::kPyTorch;
  if (start.cell == "rnn") {
    Rnn cell(input, hidden, random, Activation::kTanh, init);
    cell.weight_hh.mutable_value() *= static_cast<real>(start.radius);
    return Recurrent<Rnn>(std::move(cell));
  }
  if (start.cell == "lstm") {
    Lstm cell(input, hidden, random, init);
    set_biases(start, block(cell.bias_ih, 1, hidden), block(cell.bias_ih, 0, hidden), random);
    return Recurrent<Lstm>(std::move(cell));
  }
  if (start.cell == "gru") {
    Gru cell(input, hidden, random, init);
    set_biases(start, block(cell.bias_ih, 1, hidden), {}, random);
    return Recurrent<Gru>(std::move(cell));
  }
  check<Error>(start.cell == "sru", "memory: the cell must be rnn, lstm, gru or sru; got {}",
               start.cell);
  Sru cell(input, hidden, random);
  set_biases(start, block(cell.bias, 0, hidden), {}, random);
  return Recurrent<Sru>(std::move(cell));
}

Var Network::at_the_end(const Var& x) const {
  return head(
      std::visit([&](const auto& one) { return one(x, {.all_outputs = false}).last(); }, layer));
}

Var Network::at_each_step(const Var& x) const {
  return head(std::visit([&](const auto& one) { return one(x).outputs; }, layer));
}

}  // namespace memory
