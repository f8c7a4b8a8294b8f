#include <reel/data/spellings.hpp>

#include <algorithm>
#include <unordered_map>

namespace reel::inline REEL_PRECISION {

Spellings spell(const Indices& tokens, std::span<const std::size_t> lengths,
                std::span<const std::vector<std::int64_t>> words) {
  const Shape shape = shape_of(tokens);
  check(shape.size() == 2 && lengths.size() == shape[1],
        "spell: tokens must be [T, B] with a length for each of B rows; got {}, {} lengths", shape,
        lengths.size());
  Spellings spellings;
  spellings.positions = Indices(tokens.shape(), -1);
  std::unordered_map<std::int64_t, std::int64_t> columns;
  std::vector<std::int64_t> distinct;
  for (std::size_t b = 0; b < shape[1]; ++b) {
    check(lengths[b] <= shape[0], "spell: a length must lie in 0 .. {}; got {}", shape[0],
          lengths[b]);
    for (std::size_t t = 0; t < lengths[b]; ++t) {
      const std::int64_t token = tokens(t, b);
      check<Error>(token >= 0 && token < static_cast<std::int64_t>(words.size()),
                   "spell: a token must be one of {} words; got {}", words.size(), token);
      const auto [at, is_new] =
          columns.try_emplace(token, static_cast<std::int64_t>(distinct.size()));
      if (is_new) distinct.push_back(token);
      spellings.positions(t, b) = at->second;
    }
  }
  std::size_t longest = 1;
  for (const std::int64_t token : distinct) {
    spellings.lengths.push_back(words[static_cast<std::size_t>(token)].size());
    longest = std::max(longest, spellings.lengths.back());
  }
  spellings.characters = Indices(Indices::shape_type{longest, distinct.size()}, 0);
  for (std::size_t w = 0; w < distinct.size(); ++w)
    for (std::size_t c = 0; c < spellings.lengths[w]; ++c)
      spellings.characters(c, w) = words[static_cast<std::size_t>(distinct[w])][c];
  return spellings;
}

}  // namespace reel::inline REEL_PRECISION
