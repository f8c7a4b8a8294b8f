// The tokens that a model knows, and their indices.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace reel {

struct VocabularyLimits {
  std::size_t min_count = 1;                                       // rarer tokens are left out
  std::size_t max_size = std::numeric_limits<std::size_t>::max();  // with <pad> and <unk>
};

// A list of distinct tokens: <pad> is 0, <unk> is 1 and stands for all that are not listed.
class Vocabulary {
 public:
  static constexpr std::int64_t kPad = 0;
  static constexpr std::int64_t kUnknown = 1;

  // <pad> and <unk> alone.
  Vocabulary();
  // The tokens of the texts, most frequent first, equally frequent ones in order of their bytes.
  // <pad> and <unk> in a text are not counted. Throws Error if max_size has no room for these two.
  explicit Vocabulary(std::span<const std::vector<std::string>> texts,
                      VocabularyLimits limits = {});

  std::size_t size() const { return tokens_.size(); }
  // kUnknown if the token is not listed.
  std::int64_t index(std::string_view token) const;
  // Throws Error if there is no such index.
  const std::string& token(std::int64_t index) const;
  std::vector<std::int64_t> encode(std::span<const std::string> tokens) const;

  // A JSON list of the tokens in order of their indices, one on a line.
  std::string to_json() const;
  // Reads what to_json gave. Throws FileError, naming `source`, for anything else.
  static Vocabulary from_json(std::string_view json, std::string_view source);
  void save(const std::filesystem::path& path) const;
  static Vocabulary load(const std::filesystem::path& path);

  bool operator==(const Vocabulary& other) const { return tokens_ == other.tokens_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  // False if the token is listed already.
  bool add(const std::string& token);

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> indices_;
};

}  // namespace reel
