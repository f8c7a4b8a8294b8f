// Subword units by byte-pair encoding (Sennrich et al. 2016), over characters.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reel {

struct BytePairLimits {
  std::size_t size = 8000;    // tokens, with the four special ones and the characters
  std::size_t min_count = 2;  // rarer characters are unknown, rarer pairs are not joined
};

// Tokens that any text is cut into: characters, and what the most frequent pairs of tokens within
// the words of a text were joined to, one after the other. A word is a run of letters (with an
// apostrophe behind it: l'|amour), a run of digits, or any other character, with the blank before
// it, which is written U+2581. So what `encode` gives, `decode` gives back to the byte, as long as
// each character is known and the text has no U+2581.
class BytePairs {
 public:
  static constexpr std::int64_t kPad = 0, kUnknown = 1, kStart = 2, kEnd = 3;

  // The special tokens alone.
  BytePairs() : BytePairs({}, {}) {}
  // Learns from texts; the same texts in any order give the same tokens. Throws Error unless the
  // texts are UTF-8.
  static BytePairs learn(std::span<const std::string> texts, const BytePairLimits& limits = {});

  std::size_t size() const { return tokens_.size(); }
  // Of special ones the name: <pad>, <unk>, <s>, </s>. Throws Error if there is no such index.
  const std::string& token(std::int64_t index) const;
  // Without <s> and </s>. Throws Error unless the text is UTF-8.
  std::vector<std::int64_t> encode(std::string_view text) const;
  // <unk> reads as U+FFFD, the other special tokens as nothing. Throws Error for other indices.
  std::string decode(std::span<const std::int64_t> tokens) const;

  // {"characters": [..], "merges": [[left, right], ..]} with indices of tokens, in order.
  std::string to_json() const;
  // Reads what to_json gave. Throws FileError, naming `source`, for anything else.
  static BytePairs from_json(std::string_view json, std::string_view source);
  void save(const std::filesystem::path& path) const;
  static BytePairs load(const std::filesystem::path& path);

  bool operator==(const BytePairs& other) const {
    return tokens_ == other.tokens_ && merges_ == other.merges_;
  }

 private:
  using Pair = std::pair<std::int64_t, std::int64_t>;
  struct Merge {
    std::size_t rank;
    std::int64_t token;
  };

  BytePairs(const std::vector<std::string>& characters, const std::vector<Pair>& merges);
  void join(const Pair& pair);
  static std::uint64_t key(const Pair& pair) {
    return static_cast<std::uint64_t>(pair.first) << 32 | static_cast<std::uint64_t>(pair.second);
  }
  std::vector<std::int64_t> encode_word(std::string_view word) const;

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t> indices_;
  std::vector<Pair> merges_;
  std::unordered_map<std::uint64_t, Merge> by_pair_;
};

namespace detail {
// The words of a text as BytePairs sees them; together they are the text, behind one blank, with
// U+2581 for each blank. Throws Error unless the text is UTF-8.
std::vector<std::string> byte_pair_words(std::string_view text);
// The characters of UTF-8.
std::vector<std::string_view> characters_of(std::string_view text);
}  // namespace detail

}  // namespace reel
