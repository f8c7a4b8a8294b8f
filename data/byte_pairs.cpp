#include <utf8proc.h>
#include <reel/data/byte_pairs.hpp>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/data/text.hpp>

#include <set>

namespace reel {
namespace {

constexpr std::string_view kBlank = "\xE2\x96\x81";        // U+2581
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t kSpecial = 4;
constexpr std::size_t kMostBytes = std::size_t{1} << 26;  // of the tokens of a file
const char* const kSpecialNames[kSpecial] = {"<pad>", "<unk>", "<s>", "</s>"};

enum class Kind { kBlank, kLetter, kDigit, kApostrophe, kOther };

Kind kind_of(std::string_view character) {
  if (character == kBlank) return Kind::kBlank;
  if (character == "'" || character == "\xE2\x80\x99") return Kind::kApostrophe;
  utf8proc_int32_t point;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(character.data()),
                   static_cast<utf8proc_ssize_t>(character.size()), &point);
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Kind::kLetter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Kind::kDigit;
    case UTF8PROC_CATEGORY_ZS:
      return Kind::kBlank;
    default:
      return Kind::kOther;
  }
}

}  // namespace

std::vector<std::string_view> detail::characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin + 1;
    while (end < text.size() && (text[end] & 0xC0) == 0x80) ++end;
    characters.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return characters;
}

std::vector<std::string> detail::byte_pair_words(std::string_view text) {
  check_utf8(text, "byte pairs");
  std::string marked(kBlank);
  for (const char c : text) c == ' ' ? marked += kBlank : marked += c;
  std::vector<std::string> words;
  Kind last = Kind::kOther;
  for (const std::string_view character : characters_of(marked)) {
    const Kind kind = kind_of(character);
    const bool goes_on =
        !words.empty() &&
        ((last == Kind::kBlank && kind != Kind::kBlank) ||
         (last == Kind::kLetter && (kind == Kind::kLetter || kind == Kind::kApostrophe)) ||
         (last == Kind::kDigit && kind == Kind::kDigit));
    if (!goes_on) words.emplace_back();
    words.back() += character;
    last = kind;
  }
  return words;
}

BytePairs::BytePairs(const std::vector<std::string>& characters, const std::vector<Pair>& merges)
    : tokens_(kSpecialNames, kSpecialNames + kSpecial) {
  for (const std::string& character : characters) {
    indices_.emplace(character, tokens_.size());
    tokens_.push_back(character);
  }
  for (const Pair& pair : merges) join(pair);
}

void BytePairs::join(const Pair& pair) {
  const std::string joined = token(pair.first) + token(pair.second);
  const auto [at, is_new] = indices_.emplace(joined, tokens_.size());
  if (is_new) tokens_.push_back(joined);
  by_pair_.emplace(key(pair), Merge{merges_.size(), at->second});
  merges_.push_back(pair);
}

const std::string& BytePairs::token(std::int64_t index) const {
  check<Error>(index >= 0 && index < static_cast<std::int64_t>(size()),
               "byte pairs: the index of a token must lie in 0 .. {}; got {}", size() - 1, index);
  return tokens_[static_cast<std::size_t>(index)];
}

std::vector<std::int64_t> BytePairs::encode_word(std::string_view word) const {
  std::vector<std::int64_t> tokens;
  for (const std::string_view character : detail::characters_of(word)) {
    const auto found = indices_.find(std::string(character));
    tokens.push_back(found == indices_.end() ? kUnknown : found->second);
  }
  for (;;) {
    const Merge* first = nullptr;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto found = by_pair_.find(key({tokens[i], tokens[i + 1]}));
      if (found == by_pair_.end() || (first && found->second.rank >= first->rank)) continue;
      first = &found->second;
      at = i;
    }
    if (!first) return tokens;
    tokens[at] = first->token;
    tokens.erase(tokens.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

std::vector<std::int64_t> BytePairs::encode(std::string_view text) const {
  std::vector<std::int64_t> tokens;
  if (text.empty()) return tokens;
  for (const std::string& word : detail::byte_pair_words(text)) {
    const std::vector<std::int64_t> part = encode_word(word);
    tokens.insert(tokens.end(), part.begin(), part.end());
  }
  return tokens;
}

std::string BytePairs::decode(std::span<const std::int64_t> tokens) const {
  std::string marked, text;
  for (const std::int64_t index : tokens) {
    const std::string& piece = token(index);
    if (index == kUnknown) marked += kReplacement;
    if (index >= static_cast<std::int64_t>(kSpecial)) marked += piece;
  }
  for (std::size_t at = 0; at < marked.size();) {
    const bool blank = marked.compare(at, kBlank.size(), kBlank) == 0;
    if (blank && at > 0) text += ' ';
    if (!blank) text += marked[at];
    at += blank ? kBlank.size() : 1;
  }
  return text;
}

std::string BytePairs::to_json() const {
  nlohmann::ordered_json characters = nlohmann::ordered_json::array();
  nlohmann::ordered_json merges = nlohmann::ordered_json::array();
  for (std::size_t i = kSpecial; i < tokens_.size(); ++i)
    if (detail::characters_of(tokens_[i]).size() == 1) characters.push_back(tokens_[i]);
  for (const auto& [left, right] : merges_) merges.push_back({left, right});
  return nlohmann::ordered_json{{"characters", characters}, {"merges", merges}}.dump() + "\n";
}

BytePairs BytePairs::from_json(std::string_view text, std::string_view source) {
  const nlohmann::json json = parse_json(text, source);
  try {
    const auto characters = json.at("characters").get<std::vector<std::string>>();
    std::set<std::string_view> seen;
    for (const std::string& character : characters)
      check<FileError>(
          detail::characters_of(character).size() == 1 && seen.insert(character).second,
          "{}: characters must be single and distinct; found {:?}", source, character);
    BytePairs pairs(characters, {});
    std::size_t bytes = 0;
    for (const nlohmann::json& merge : json.at("merges")) {
      check<FileError>(merge.is_array() && merge.size() == 2 && merge[0].is_number_unsigned() &&
                           merge[1].is_number_unsigned(),
                       "{}: merge {} must be two indices of tokens; found {}", source,
                       pairs.merges_.size(), merge.dump());
      const auto pair = merge.get<Pair>();
      for (const std::int64_t part : {pair.first, pair.second})
        check<FileError>(part >= static_cast<std::int64_t>(kSpecial) &&
                             part < static_cast<std::int64_t>(pairs.size()),
                         "{}: merge {} must join tokens that are there; found {}", source,
                         pairs.merges_.size(), part);
      bytes += pairs.token(pair.first).size() + pairs.token(pair.second).size();
      check<FileError>(bytes <= kMostBytes,
                       "{}: tokens must take at most {} bytes in all; found more", source,
                       kMostBytes);
      pairs.join(pair);
    }
    return pairs;
  } catch (const nlohmann::json::exception& e) {
    throw FileError(fmt::format("{}: must be {{\"characters\": [..], \"merges\": [[..]]}}; {}",
                                source, e.what()));
  }
}

void BytePairs::save(const std::filesystem::path& path) const {
  write_file_atomically(path, to_json());
}
BytePairs BytePairs::load(const std::filesystem::path& path) {
  return from_json(read_file(path), path.string());
}

}  // namespace reel
