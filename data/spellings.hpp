// The characters of words, for embeddings that are composed of them.
#pragma once

#include <reel/autodiff/array.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// The different words of a minibatch, spelt out once.
struct Spellings {
  Indices characters;                // [C, W] one word to a column; 0, which is <pad>, past its end
  std::vector<std::size_t> lengths;  // [W]; C is the longest, at least 1
  Indices positions;                 // [T, B] which of the W a token is; -1 past a row's end
};
// tokens [T, B] say by index into `words`, which has the characters of each, what stands where;
// lengths [B] of the rows of tokens. The W words are in the order of their first mention. Throws
// Error unless each row has a length of at most T and each token is one of the words.
Spellings spell(const Indices& tokens, std::span<const std::size_t> lengths,
                std::span<const std::vector<std::int64_t>> words);

}  // namespace reel::inline REEL_PRECISION
