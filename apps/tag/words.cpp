#include "words.hpp"

#include <reel/data/text.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace tag {
namespace {

bool is_number(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// How many tokens from here on are, in turn, one letter and a point.
std::size_t count_initials(const std::vector<std::string>& tokens, std::size_t from) {
  std::size_t i = from;
  for (; i < tokens.size(); ++i) {
    const bool letter =
        tokens[i].size() == 1 && std::isalpha(static_cast<unsigned char>(tokens[i][0]));
    if ((i - from) % 2 == 0 ? !letter : tokens[i] != ".") break;
  }
  return i - from;
}

// Where a clitic begins; the word's size if it has none.
std::size_t clitic(const std::string& word) {
  constexpr std::array<std::string_view, 7> kClitics = {"n't", "'s", "'re", "'ve",
                                                        "'ll", "'d", "'m"};
  const std::string folded = reel::fold_case(word);
  for (const std::string_view c : kClitics)
    if (folded.size() == word.size() && word.size() > c.size() && folded.ends_with(c))
      return word.size() - c.size();
  return word.size();
}

}  // namespace

std::vector<std::string> split_at_spaces(std::string_view line) {
  constexpr std::string_view kSpace = " \t\r\f\v";
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(kSpace);
    if (begin == line.npos) return words;
    line.remove_prefix(begin);
    words.emplace_back(line.substr(0, line.find_first_of(kSpace)));
    line.remove_prefix(words.back().size());
  }
}

std::vector<std::string> split_words(std::string_view line) {
  std::vector<std::string> words;
  for (const std::string& chunk : split_at_spaces(line)) {
    if (chunk.find("://") != chunk.npos || chunk.find('@', 1) != chunk.npos) {
      words.push_back(chunk);
      continue;
    }
    const std::vector<std::string> tokens = reel::tokenize(chunk, {.fold_case = false});
    const std::size_t first = words.size();  // word of this chunk
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::string& token = tokens[i];
      const bool follows = words.size() > first;
      const bool point = (token == "." || token == ",") && i + 1 < tokens.size();
      const std::size_t initials = count_initials(tokens, i);
      if (follows && reel::word_shape(token) == "*" && tokens[i - 1] == token) {
        words.back() += token;  // ...
      } else if (follows && point && is_number(tokens[i - 1]) && is_number(tokens[i + 1])) {
        words.back() += token + tokens[i + 1];  // 1,000
        ++i;
      } else if (initials > 2) {
        words.emplace_back();  // U.S.
        for (std::size_t end = i + initials; i < end; ++i) words.back() += tokens[i];
        --i;
      } else {
        const std::size_t cut = clitic(token);
        words.push_back(token.substr(0, cut));
        if (cut < token.size()) words.push_back(token.substr(cut));
      }
    }
  }
  return words;
}

std::string words_and_tags(const reel::ConlluSentence& sentence, reel::ConlluColumn column) {
  std::string text;
  for (const std::size_t i : sentence.words())
    text += sentence.rows[i][reel::ConlluColumn::kForm] + "\t" + sentence.rows[i][column] + "\n";
  return text + "\n";
}

}  // namespace tag
