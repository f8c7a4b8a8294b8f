#include <reel/autodiff/error.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/trees.hpp>

#include <array>
#include <set>
#include <utility>

namespace reel {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kEscapes{{
    {"-LRB-", "("},
    {"-RRB-", ")"},
    {"-LSB-", "["},
    {"-RSB-", "]"},
    {"-LCB-", "{"},
    {"-RCB-", "}"},
    {"\\/", "/"},
    {"\\*", "*"},
}};

std::string unescape(std::string word) {
  for (const auto& [escape, meaning] : kEscapes)
    for (std::size_t at = word.find(escape); at != word.npos; at = word.find(escape, at + 1))
      word.replace(at, escape.size(), meaning);
  return word;
}

// A node: its grade, and its text once its children are read.
struct Phrase {
  char grade;
  std::string text;
};

// tree = "(" grade (word | tree tree*) ")", blanks between parts.
class TreeParser {
 public:
  explicit TreeParser(const Line& line) : line_(line) {}

  // The phrases, a node before its children.
  std::vector<Phrase> parse() {
    std::vector<std::size_t> open;  // phrases around this place
    do {
      if (const std::string_view part = next(); part == "(") {
        const std::string_view grade = next();
        require(grade.size() == 1 && grade[0] >= '0' && grade[0] <= '4', "a grade 0 .. 4", grade);
        open.push_back(phrases_.size());
        phrases_.push_back({grade[0], ""});
      } else if (part == ")") {
        require(!open.empty() && !phrases_[open.back()].text.empty(), "a word or a tree", part);
        const std::string text = phrases_[open.back()].text;
        open.pop_back();
        if (!open.empty()) append(open.back(), text);
      } else {
        require(!open.empty() && !part.empty(), "a bracket", part);
        append(open.back(), unescape(std::string(part)));
      }
    } while (!open.empty());
    const std::string_view rest = next();
    require(rest.empty(), "the end of the line", rest);
    return std::move(phrases_);
  }

 private:
  void append(std::size_t phrase, const std::string& text) {
    std::string& whole = phrases_[phrase].text;
    whole += whole.empty() ? text : " " + text;
  }
  std::string_view next() {
    const std::string_view text = line_.text;
    begin_ = std::min(text.find_first_not_of(' ', at_), text.size());
    if (begin_ == text.size()) return {};
    const bool bracket = text[begin_] == '(' || text[begin_] == ')';
    at_ = bracket ? begin_ + 1 : std::min(text.find_first_of(" ()", begin_), text.size());
    return text.substr(begin_, at_ - begin_);
  }
  void require(bool holds, std::string_view what, std::string_view found) const {
    check<FileError>(holds, "{}: tree must have {} at column {}; found {:?}", line_.where, what,
                     begin_ + 1, found);
  }

  const Line& line_;
  std::size_t begin_ = 0, at_ = 0;
  std::vector<Phrase> phrases_;
};

}  // namespace

Corpus read_trees(const std::filesystem::path& path, const TreeOptions& options,
                  const std::vector<std::string>& classes) {
  std::vector<Example> examples;
  std::set<std::pair<char, std::string>> known;
  for (const Line& line : read_lines(path)) {
    std::vector<Phrase> phrases = TreeParser(line).parse();
    if (!options.phrases) phrases.resize(1);
    for (auto& [grade, text] : phrases) {
      if (options.binary && grade == '2') continue;
      if (options.binary) grade = grade > '2' ? '1' : '0';
      if (options.phrases && !known.emplace(grade, text).second) continue;
      examples.push_back({{line.where, std::move(text)}, std::string(1, grade)});
    }
  }
  return make_corpus(std::move(examples), classes);
}

}  // namespace reel
