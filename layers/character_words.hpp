// Word vectors composed of characters, which know words that training never saw.
#pragma once

#include <reel/layers/bidirectional.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/embedding.hpp>
#include <reel/layers/linear.hpp>

namespace reel::inline REEL_PRECISION {

// Both take characters [C, W], one word to a column, with the length of each [W], and give one
// vector per word [W, width]. What stands past a word's end is not read; a word without characters
// has zeros (of the convolution) or the final state of no steps. For a minibatch in which words
// repeat, compose the different ones once (`spell` in data/spellings.hpp lists them) and gather:
//
//   const Var words = gather(compose(s.characters, s.lengths), s.positions);  // [T, B, width]

// The final states of an LSTM in both directions (Ling et al. 2015).
struct CharacterLstm {
  Embedding embedding;
  Bidirectional<Lstm> recurrent;

  // width: 2 hidden. Characters are rows of normal(0, 1 / sqrt(character_size)).
  CharacterLstm(std::size_t characters, std::size_t character_size, std::size_t hidden,
                Random& random);

  Var operator()(const Indices& characters, std::span<const std::size_t> lengths) const;
  std::size_t width() const { return recurrent.width(); }
  static void fields(auto& self, auto&& visit) {
    visit("embedding", self.embedding);
    visit("recurrent", self.recurrent);
  }
};

// max over t of relu(W [e_t-r, .., e_t+r] + b) (Ma & Hovy 2016; Kim 2014): a convolution over
// windows of 2r + 1 characters around each one, zeros beyond the word's ends.
struct CharacterConvolution {
  Embedding embedding;
  Linear filters;  // [width, window * character_size]
  std::size_t window;

  // Throws Error unless window, the number of characters that a filter sees, is odd.
  CharacterConvolution(std::size_t characters, std::size_t character_size, std::size_t width,
                       std::size_t window, Random& random);

  Var operator()(const Indices& characters, std::span<const std::size_t> lengths) const;
  std::size_t width() const { return filters.weight.shape()[0]; }
  static void fields(auto& self, auto&& visit) {
    visit("embedding", self.embedding);
    visit("filters", self.filters);
  }
};

}  // namespace reel::inline REEL_PRECISION
