// The networks whose memory is measured: one recurrent layer, started in one way or another.
#pragma once

#include <reel/cells.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/recurrent.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace memory {

const std::vector<std::string> kCells = {"rnn", "lstm", "gru", "sru"};

// How a layer starts.
struct Start {
  std::string cell = "lstm";
  std::size_t hidden_size = 64;
  // Of an RNN: its orthogonal recurrent matrix is scaled to this spectral radius.
  double radius = 1;
  // Of an LSTM, the bias of its forget gate; of a GRU, that of its update gate, which keeps.
  std::optional<double> forget_bias = {};
  // Or drawn for sequences as long as this: log of uniform in [1, T - 1], and the input gate's the
  // negative of it (Tallec & Ollivier 2018, "chrono").
  std::size_t chrono = 0;
  bool orthogonal = true;  // else PyTorch's uniform start
};

using Layer = std::variant<reel::Recurrent<reel::Rnn>, reel::Recurrent<reel::Lstm>,
                           reel::Recurrent<reel::Gru>, reel::Recurrent<reel::Sru>>;

Layer make_layer(const Start& start, std::size_t input, reel::Random& random);

// layer -> linear, at each step or at the last one.
struct Network {
  Layer layer;
  reel::Linear head;

  Network(const Start& start, std::size_t input, std::size_t output, reel::Random& random)
      : layer(make_layer(start, input, random)), head(start.hidden_size, output, random) {}

  reel::Var at_the_end(const reel::Var& x) const;    // [T, B, in] -> [B, out]
  reel::Var at_each_step(const reel::Var& x) const;  // [T, B, in] -> [T, B, out]

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& layer) { visit("recurrent", layer); }, self.layer);
    visit("head", self.head);
  }
};

}  // namespace memory
