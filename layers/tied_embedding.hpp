// One table for what goes in and what comes out (Inan et al. 2017; Press & Wolf 2017).
#pragma once

#include <reel/layers/embedding.hpp>

#include <array>
#include <string_view>

namespace reel::inline REEL_PRECISION {

// An embedding whose table is the weight of the output projection too: the gradients of both uses
// add up in the one parameter, encoder.weight. PyTorch's files have it as decoder.weight too: see
// kTied and import_weights.
struct TiedEmbedding {
  static constexpr std::array<std::array<std::string_view, 2>, 1> kTied{
      {{"encoder.weight", "decoder.weight"}}};

  Embedding encoder;  // weight [count, width]
  Parameter bias;     // [count], of the output

  // Rows drawn from normal(0, deviation), zero bias.
  TiedEmbedding(std::size_t count, std::size_t width, Random& random, double deviation = 0.1);

  // Indices of any shape -> [.., width].
  Var operator()(const Indices& indices) const { return encoder(indices); }
  // h [.., width] -> [.., count]. Throws ShapeError for another width.
  Var logits(const Var& h) const;

  static void fields(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("decoder.bias", self.bias);
  }
};

}  // namespace reel::inline REEL_PRECISION
