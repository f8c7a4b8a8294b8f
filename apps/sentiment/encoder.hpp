// The words of a text to one vector: recurrent layers, then pooling over time.
#pragma once

#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/min_gru.hpp>
#include <reel/layers/cells/min_lstm.hpp>
#include <reel/layers/cells/rnn.hpp>
#include <reel/layers/cells/sru.hpp>
#include <reel/layers/pooling.hpp>
#include <reel/layers/stack.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sentiment {

struct EncoderSettings {
  std::string cell = "lstm";  // rnn, lstm, gru, sru, min-gru or min-lstm
  bool bidirectional = false;
  std::size_t layers = 1;
  std::size_t hidden_size = 128;  // of each direction
  std::string pooling = "last";   // one of kPoolings
  reel::real dropout = 0.5;       // between layers
};
constexpr std::size_t kMostLayers = 16;
inline const std::vector<std::string> kPoolings = {"last", "mean", "max", "attention"};

class Encoder {
 public:
  Encoder(std::size_t input, const EncoderSettings& settings, reel::Random& random);

  // words [T, B, input] -> [B, width()]; random: of dropout, while training.
  reel::Var operator()(const reel::Var& words, std::span<const std::size_t> lengths,
                       reel::Random* random) const;
  std::size_t width() const;

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& layers) { visit("recurrent", layers); }, self.layers_);
    if (self.attention_) visit("attention", *self.attention_);
  }

 private:
  template <class... Cells>
  using AnyStack = std::variant<reel::Stack<reel::Recurrent<Cells>>...,
                                reel::Stack<reel::Bidirectional<Cells>>...>;
  using Layers = AnyStack<reel::Rnn, reel::Lstm, reel::Gru, reel::Sru, reel::MinGru, reel::MinLstm>;
  static Layers make_layers(std::size_t input, const EncoderSettings& settings,
                            reel::Random& random);

  Layers layers_;
  std::string pooling_;
  std::optional<reel::AttentionPooling> attention_;
};

}  // namespace sentiment
