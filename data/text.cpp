#include <utf8proc.h>
#include <reel/data/text.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace reel {
namespace {

using CodePoint = utf8proc_int32_t;

const utf8proc_uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const utf8proc_uint8_t*>(text.data());
}

// NFC without ignorable code points, perhaps case-folded.
std::vector<CodePoint> normalize(std::string_view text, bool fold) {
  const auto options = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_IGNORE | (fold ? UTF8PROC_CASEFOLD : 0));
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const utf8proc_ssize_t count = utf8proc_decompose(bytes_of(text), size, nullptr, 0, options);
  check<Error>(count >= 0, "tokenize: text must be foldable; found: {}", utf8proc_errmsg(count));
  std::vector<CodePoint> points(static_cast<std::size_t>(count));
  utf8proc_decompose(bytes_of(text), size, points.data(), count, options);
  points.resize(static_cast<std::size_t>(utf8proc_normalize_utf32(points.data(), count, options)));
  return points;
}

bool is_unspaced(CodePoint point) {
  struct Range {
    CodePoint first, last;
  };
  static constexpr std::array kRanges{
      Range{0x0E01, 0x0EFF},    // Thai, Lao
      Range{0x1000, 0x109F},    // Myanmar
      Range{0x1780, 0x17FF},    // Khmer
      Range{0x3005, 0x3007},    // Han iteration mark and zero
      Range{0x3041, 0x309F},    // Hiragana
      Range{0x3400, 0x4DBF},    // Han, extension A
      Range{0x4E00, 0x9FFF},    // Han
      Range{0xA9E0, 0xA9FF},    // Myanmar, extension B
      Range{0xAA60, 0xAA7F},    // Myanmar, extension A
      Range{0xF900, 0xFAFF},    // Han, compatibility
      Range{0x20000, 0x3FFFF},  // Han, planes 2 and 3
  };
  return std::any_of(kRanges.begin(), kRanges.end(), [point](const Range& range) {
    return range.first <= point && point <= range.last;
  });
}

enum class Kind { kSpace, kWord, kMark, kSingle };

Kind kind_of(CodePoint point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
      return Kind::kSpace;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Kind::kMark;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return Kind::kSingle;
    default:
      return is_unspaced(point) ? Kind::kSingle : Kind::kWord;
  }
}

// What stands for a code point in a word's shape; 0: a mark, which belongs to what it follows.
char shape_of(CodePoint point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
      return 'A';
    case UTF8PROC_CATEGORY_LL:
      return 'a';
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return 'o';
    case UTF8PROC_CATEGORY_ND:
      return '0';
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return 0;
    default:
      return '*';
  }
}

bool is_apostrophe(CodePoint point) {
  return point == '\'' || point == 0x2018 || point == 0x2019 || point == 0x02BC;
}

void append(std::string& token, CodePoint point) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const utf8proc_ssize_t size = utf8proc_encode_char(point, bytes.data());
  token.append(bytes.begin(), bytes.begin() + size);
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    CodePoint point;
    const auto left = static_cast<utf8proc_ssize_t>(text.size() - at);
    const utf8proc_ssize_t size = utf8proc_iterate(bytes_of(text) + at, left, &point);
    if (size <= 0) return at;
    at += static_cast<std::size_t>(size);
  }
  return text.npos;
}

std::string fold_case(std::string_view utf8) {
  check_utf8(utf8, "fold_case");
  std::string folded;
  for (const CodePoint point : normalize(utf8, true)) append(folded, point);
  return folded;
}

std::string word_shape(std::string_view utf8) {
  check_utf8(utf8, "word_shape");
  std::string shape;
  for (const CodePoint point : normalize(utf8, false))
    if (const char c = shape_of(point); c != 0 && (shape.empty() || shape.back() != c)) shape += c;
  return shape;
}

std::vector<std::string> tokenize(std::string_view utf8, const TokenizeOptions& options) {
  check_utf8(utf8, "tokenize");
  std::vector<CodePoint> text = normalize(utf8, options.fold_case);
  std::replace_if(text.begin(), text.end(), is_apostrophe, '\'');
  std::vector<std::string> tokens;
  Kind open = Kind::kSpace;  // what the last token ends in; after a space it takes nothing more
  for (std::size_t i = 0; i < text.size(); ++i) {
    Kind kind = kind_of(text[i]);
    const bool before_word = i + 1 < text.size() && kind_of(text[i + 1]) == Kind::kWord;
    if (text[i] == '\'' && open == Kind::kWord && before_word) kind = Kind::kWord;
    if (kind == Kind::kMark) kind = open == Kind::kSpace ? Kind::kWord : Kind::kMark;
    if (kind == Kind::kSingle || (kind == Kind::kWord && open != Kind::kWord))
      tokens.emplace_back();
    if (kind != Kind::kSpace) append(tokens.back(), text[i]);
    if (kind != Kind::kMark) open = kind;
  }
  return tokens;
}

std::vector<std::string> tokenize_lines(std::string_view utf8) {
  std::vector<std::string> tokens;
  for (std::size_t begin = 0; begin < utf8.size();) {
    const std::size_t end = std::min(utf8.find('\n', begin), utf8.size());
    std::ranges::move(tokenize(utf8.substr(begin, end - begin)), std::back_inserter(tokens));
    if (end < utf8.size()) tokens.emplace_back("\n");
    begin = end + 1;
  }
  return tokens;
}

std::vector<std::string> characters(std::string_view utf8) {
  check_utf8(utf8, "characters");
  std::vector<std::string> points;
  for (const char byte : utf8) {
    const bool continues = (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
    if (!continues) points.emplace_back();
    points.back() += byte;
  }
  return points;
}

}  // namespace reel
