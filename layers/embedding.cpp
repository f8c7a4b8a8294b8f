#include <reel/layers/embedding.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {

Embedding::Embedding(std::size_t count, std::size_t width, Random& random, double deviation,
                     std::int64_t padding_index)
    : Embedding(normal({count, width}, deviation, random), false, padding_index) {}

Embedding::Embedding(Array vectors, bool frozen, std::int64_t padding_index)
    : weight(std::move(vectors)), padding(padding_index) {
  const Shape shape = weight.shape();
  check(shape.size() == 2, "embedding: vectors must be [count, width]; got {}", shape);
  const auto count = static_cast<std::int64_t>(shape[0]);
  check(padding >= -1 && padding < count,
        "embedding: the padding index must be a row of the {} (or -1 for none); got {}", count,
        padding);
  if (padding >= 0)
    std::fill_n(weight.mutable_value().data() + static_cast<std::size_t>(padding) * shape[1],
                shape[1], real(0));
  weight.trainable = !frozen;
}

Var Embedding::operator()(const Indices& indices) const {
  const Scope scope(layer_path(weight, "embedding"));
  if (padding < 0) return gather(weight, indices);
  Indices rows = indices;
  std::replace(rows.begin(), rows.end(), padding, std::int64_t{-1});
  return gather(weight, rows);
}

}  // namespace reel::inline REEL_PRECISION
