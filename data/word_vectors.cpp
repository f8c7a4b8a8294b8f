#include <reel/autodiff/error.hpp>
#include <reel/data/text.hpp>
#include <reel/data/word_vectors.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <optional>
#include <system_error>

namespace reel::inline REEL_PRECISION {
namespace {

constexpr std::string_view kBlank = " \t";

// Cuts the last field off a line.
std::string_view take_last(std::string_view& line) {
  const std::size_t end = line.find_last_not_of(kBlank) + 1;
  const std::size_t begin = line.substr(0, end).find_last_of(kBlank) + 1;  // npos + 1 is 0
  const std::string_view field = line.substr(begin, end - begin);
  line = line.substr(0, begin);
  return field;
}

template <class Number>
std::optional<Number> parse(std::string_view field) {
  Number number{};
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), number);
  if (error != std::errc() || end != field.data() + field.size()) return {};
  return number;
}

std::size_t count_fields(std::string_view line) {
  std::size_t count = 0;
  bool inside = false;
  for (const char c : line) {
    const bool blank = c == ' ' || c == '\t';
    count += !blank && !inside;
    inside = !blank;
  }
  return count;
}

// Lines of a file, by and by: the files are large.
class Lines {
 public:
  explicit Lines(const std::filesystem::path& path) : name_(path.string()), in_(path) {
    const bool readable = in_ && !std::filesystem::is_directory(path);
    check<FileError>(readable, "{}: must be a readable file; found: {}", name_,
                     std::generic_category().message(in_ ? EISDIR : errno));
  }
  bool next() {
    if (!std::getline(in_, line_)) {
      check<FileError>(!in_.bad(), "{}: must be a readable file; found: {}", name_,
                       std::generic_category().message(errno));
      return false;
    }
    ++number_;
    text = line_;
    if (number_ == 1 && text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return true;
  }
  bool is_first() const { return number_ == 1; }
  std::string where() const { return fmt::format("{}:{}", name_, number_); }
  const std::string& name() const { return name_; }

  std::string_view text;

 private:
  std::string name_;
  std::ifstream in_;
  std::string line_;
  std::size_t number_ = 0;
};

struct Header {
  std::size_t words, width;
};

std::optional<Header> parse_header(std::string_view line) {
  if (count_fields(line) != 2) return {};
  const auto width = parse<std::size_t>(take_last(line));
  const auto words = parse<std::size_t>(take_last(line));
  if (!words || !width || *words == 0 || *width == 0) return {};
  return Header{*words, *width};
}

// Leaves the word, without the numbers behind it.
std::string_view word_of(const Lines& lines, std::size_t width) {
  const std::size_t fields = count_fields(lines.text);
  std::string_view word = lines.text;
  bool fits = fields > width;
  if (fits) {
    for (std::size_t i = 0; i < width; ++i) take_last(word);
    word = word.substr(0, word.find_last_not_of(kBlank) + 1);
    std::string_view rest = word;
    fits = fields == width + 1 || !parse<double>(take_last(rest));
  }
  check<FileError>(fits, "{}: line must be a word and {} numbers; found {} fields", lines.where(),
                   width, fields);
  check_utf8<FileError>(word, lines.where());
  return word;
}

void read_numbers(const Lines& lines, std::size_t width, std::vector<real>& to) {
  std::string_view rest = lines.text;
  to.resize(to.size() + width);
  for (std::size_t i = 1; i <= width; ++i) {
    const std::string_view field = take_last(rest);
    const auto number = parse<double>(field);
    check_utf8<FileError>(field, lines.where());
    check<FileError>(number && std::isfinite(static_cast<real>(*number)),
                     "{}: number {} must be finite; found {:?}", lines.where(), width + 1 - i,
                     field);
    to[to.size() - i] = static_cast<real>(*number);
  }
}

}  // namespace

void WordVectors::copy_to(Array& table) const {
  const Shape shape = shape_of(table);
  const bool fits = shape.size() == 2 && shape[1] == width() &&
                    std::all_of(indices.begin(), indices.end(), [&](std::int64_t index) {
                      return static_cast<std::size_t>(index) < shape[0];
                    });
  check(fits, "word vectors: the table must be [vocabulary, {}]; got {}", width(), shape);
  for (std::size_t i = 0; i < indices.size(); ++i)
    std::copy_n(vectors.data() + i * width(), width(),
                table.data() + static_cast<std::size_t>(indices[i]) * width());
}

WordVectors read_word_vectors(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  Lines lines(path);
  std::optional<Header> header;
  std::size_t width = 0, words = 0;
  std::vector<bool> found(vocabulary.size());
  std::vector<real> numbers;
  WordVectors result;
  while (lines.next()) {
    if (lines.is_first() && (header = parse_header(lines.text))) {
      width = header->width;
      continue;
    }
    if (width == 0) {
      const std::size_t fields = count_fields(lines.text);
      check<FileError>(fields > 1, "{}: line must be a word and numbers; found {} fields",
                       lines.where(), fields);
      width = fields - 1;
    }
    ++words;
    const std::string_view word = word_of(lines, width);
    const std::int64_t index = vocabulary.index(word);
    const auto row = static_cast<std::size_t>(index);
    const bool listed = index != Vocabulary::kPad && vocabulary.token(index) == word;
    if (!listed || found[row]) continue;
    found[row] = true;
    result.indices.push_back(index);
    read_numbers(lines, width, numbers);
  }
  check<FileError>(words > 0, "{}: file must hold at least one vector; found none", lines.name());
  check<FileError>(!header || header->words == words,
                   "{}:1: the first line says how many words follow: {}; found {}", lines.name(),
                   header ? header->words : 0, words);
  result.vectors = empty_array({result.indices.size(), width});
  std::copy(numbers.begin(), numbers.end(), result.vectors.data());
  return result;
}

}  // namespace reel::inline REEL_PRECISION
