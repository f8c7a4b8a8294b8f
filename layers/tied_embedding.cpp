#include <reel/layers/tied_embedding.hpp>

namespace reel::inline REEL_PRECISION {

TiedEmbedding::TiedEmbedding(std::size_t count, std::size_t width, Random& random, double deviation)
    : encoder(count, width, random, deviation), bias(full_array({count}, 0)) {}

Var TiedEmbedding::logits(const Var& h) const {
  const Scope scope(layer_path(bias, "decoder"));
  return affine(h, encoder.weight, bias);
}

}  // namespace reel::inline REEL_PRECISION
