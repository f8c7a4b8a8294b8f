#include <reel/layers/character_words.hpp>
#include <reel/layers/pooling.hpp>
#include <reel/layers/schedule.hpp>

#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

double deviation(std::size_t size) { return 1 / std::sqrt(static_cast<double>(size)); }

void check_characters(const char* layer, const Indices& characters,
                      std::span<const std::size_t> lengths) {
  const Shape shape = shape_of(characters);
  check(shape.size() == 2, "{}: characters must be [C, W]; got {}", layer, shape);
  check_lengths(shape[0], shape[1], lengths);
}

// Past a word's end -1, which reads as zeros.
Indices within(const Indices& characters, std::span<const std::size_t> lengths) {
  Indices kept = characters;
  for (std::size_t w = 0; w < lengths.size(); ++w)
    for (std::size_t c = lengths[w]; c < characters.shape()[0]; ++c) kept(c, w) = -1;
  return kept;
}

}  // namespace

CharacterLstm::CharacterLstm(std::size_t characters, std::size_t character_size, std::size_t hidden,
                             Random& random)
    : embedding(characters, character_size, random, deviation(character_size)), recurrent([&] {
        Lstm forward(character_size, hidden, random), backward(character_size, hidden, random);
        return Bidirectional<Lstm>(std::move(forward), std::move(backward));
      }()) {}

Var CharacterLstm::operator()(const Indices& characters,
                              std::span<const std::size_t> lengths) const {
  check_characters("character_lstm", characters, lengths);
  const Var letters = embedding(within(characters, lengths));  // [C, W, character_size]
  return recurrent(letters, {.lengths = lengths, .all_outputs = false}).last();
}

CharacterConvolution::CharacterConvolution(std::size_t characters, std::size_t character_size,
                                           std::size_t width, std::size_t width_of_window,
                                           Random& random)
    : embedding(characters, character_size, random, deviation(character_size)),
      filters(width_of_window * character_size, width, random),
      window(width_of_window) {
  check<Error>(window % 2 == 1, "character_convolution: the window must be odd; got {}", window);
}

Var CharacterConvolution::operator()(const Indices& characters,
                                     std::span<const std::size_t> lengths) const {
  check_characters("character_convolution", characters, lengths);
  const std::size_t steps = characters.shape()[0], words = characters.shape()[1];
  const Indices inside = within(characters, lengths);
  // Each character with its neighbours.
  Indices windows(Indices::shape_type{steps, words, window}, -1);
  for (std::size_t c = 0; c < steps; ++c)
    for (std::size_t i = 0; i < window; ++i) {
      const std::size_t at = c + i;  // window / 2 too far right
      if (at < window / 2 || at - window / 2 >= steps) continue;
      for (std::size_t w = 0; w < words; ++w) windows(c, w, i) = inside(at - window / 2, w);
    }
  const auto extent = [](std::size_t n) { return static_cast<std::ptrdiff_t>(n); };
  const std::size_t size = window * embedding.weight.shape()[1];
  const Var seen = reshape(embedding(windows), {extent(steps), extent(words), extent(size)});
  return max_over_time(relu(filters(seen)), lengths);
}

}  // namespace reel::inline REEL_PRECISION
