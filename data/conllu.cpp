#include <fmt/format.h>
#include <reel/data/conllu.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/file.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace reel {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"id",    "form", "lemma",  "upos", "xpos",
                                                     "feats", "head", "deprel", "deps", "misc"};

// A number without sign or leading zero.
std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  if (text[0] == '0' && text.size() > 1) return {};
  return value;
}

// Reads lines into sentences.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}

  void read(std::string_view line) {
    ++line_;
    check_utf8<FileError>(line, fmt::format("{}:{}", source_, line_));
    if (line.empty())
      finish();
    else if (line[0] == '#')
      add_comment(line);
    else
      add_row(line);
  }
  std::vector<ConlluSentence> end() {
    ++line_;
    finish();
    check<FileError>(!sentences_.empty(), "{}: file must hold at least one sentence; found none",
                     source_);
    return std::move(sentences_);
  }

 private:
  template <class... Args>
  void require(bool holds, fmt::format_string<Args...> text, Args&&... args) const {
    if (!holds)
      throw FileError(
          fmt::format("{}:{}: {}", source_, line_, fmt::format(text, std::forward<Args>(args)...)));
  }

  void add_comment(std::string_view line) {
    require(sentence_.rows.empty(), "a comment must stand before the rows of its sentence");
    sentence_.comments.emplace_back(line);
  }

  void add_row(std::string_view line) {
    if (sentence_.rows.empty()) sentence_.first_line = line_;
    ConlluRow& row = sentence_.rows.emplace_back();
    std::size_t count = 1 + static_cast<std::size_t>(std::count(line.begin(), line.end(), '\t'));
    require(count == row.columns.size(), "a row must have 10 columns, parted by tabs; found {}",
            count);
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
      const std::string_view column = line.substr(0, line.find('\t'));
      require(!column.empty(), "column {} must not be empty; _ stands for nothing", kNames[i]);
      row.columns[i] = column;
      line.remove_prefix(std::min(column.size() + 1, line.size()));
    }
    check_id(row.columns[0]);
  }

  // Words, tokens and empty nodes in sequence.
  void check_id(std::string_view id) {
    const std::size_t mark = id.find_first_of("-.");
    const auto first = number(id.substr(0, mark));
    if (mark == id.npos) {
      require(first == words_ + 1, "the id of this word must be {}; found {:?}", words_ + 1, id);
      ++words_;
      empty_nodes_ = 0;
      return;
    }
    const auto second = number(id.substr(mark + 1));
    if (id[mark] == '-') {
      require(first == words_ + 1 && second && *second > *first && *first > covered_,
              "a multiword token's id must be {}-N, N the last of its words; found {:?}",
              words_ + 1, id);
      covered_ = *second;
    } else {
      require(first == words_ && second == empty_nodes_ + 1,
              "the id of this empty node must be {}.{}; found {:?}", words_, empty_nodes_ + 1, id);
      ++empty_nodes_;
    }
  }

  void finish() {
    if (sentence_.rows.empty() && sentence_.comments.empty()) return;
    require(words_ > 0, "a sentence must have words; found none before this line");
    require(covered_ <= words_,
            "the sentence must have the words up to {} of a multiword token; "
            "found {}",
            covered_, words_);
    sentences_.push_back(std::exchange(sentence_, {}));
    words_ = covered_ = empty_nodes_ = 0;
  }

  const std::string source_;
  std::size_t line_ = 0;
  ConlluSentence sentence_;
  std::size_t words_ = 0;        // of the sentence, so far
  std::size_t covered_ = 0;      // the last word of the last multiword token
  std::size_t empty_nodes_ = 0;  // after the last word
  std::vector<ConlluSentence> sentences_;
};

}  // namespace

ConlluColumn conllu_column(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  check<Error>(at != kNames.end(), "conllu_column: the name must be one of {}; got {:?}",
               fmt::join(kNames, ", "), name);
  return static_cast<ConlluColumn>(at - kNames.begin());
}

std::vector<std::size_t> ConlluSentence::words() const {
  std::vector<std::size_t> words;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].is_word()) words.push_back(i);
  return words;
}

std::vector<ConlluSentence> read_conllu(const std::filesystem::path& path) {
  return parse_conllu(read_file(path), path.string());
}

std::vector<ConlluSentence> parse_conllu(std::string_view text, std::string_view source) {
  Reader reader(source);
  for (const std::string_view line : lines_of(text)) reader.read(line);
  return reader.end();
}

std::string format_conllu(const ConlluSentence& sentence) {
  std::string text;
  for (const std::string& comment : sentence.comments) text += comment + '\n';
  for (const ConlluRow& row : sentence.rows)
    text += fmt::format("{}\n", fmt::join(row.columns, "\t"));
  return text + '\n';
}

ConlluSentence make_conllu(std::span<const std::string> words) {
  ConlluSentence sentence;
  for (const std::string& word : words) {
    check<Error>(!word.empty() && word.find_first_of("\t\r\n") == word.npos,
                 "make_conllu: a word must not be empty and have no tab and no end of a line in "
                 "it; got {:?}",
                 word);
    ConlluRow& row = sentence.rows.emplace_back();
    row.columns.fill("_");
    row[ConlluColumn::kId] = std::to_string(sentence.rows.size());
    row[ConlluColumn::kForm] = word;
  }
  return sentence;
}

std::vector<TaggedSentence> tagged_sentences(std::span<const ConlluSentence> sentences,
                                             ConlluColumn column, std::string_view source) {
  std::vector<TaggedSentence> tagged;
  tagged.reserve(sentences.size());
  for (const ConlluSentence& sentence : sentences) {
    TaggedSentence& to = tagged.emplace_back();
    for (const std::size_t i : sentence.words()) {
      const ConlluRow& row = sentence.rows[i];
      const std::size_t c = static_cast<std::size_t>(column);
      check<FileError>(row[column] != "_", "{}:{}: the word must have a tag in column {}; found _",
                       source, sentence.first_line + i, kNames[c]);
      to.words.push_back(row[ConlluColumn::kForm]);
      to.tags.push_back(row[column]);
    }
  }
  return tagged;
}

std::vector<std::string> tags_of(std::span<const TaggedSentence> sentences) {
  std::set<std::string> tags;
  for (const TaggedSentence& sentence : sentences)
    tags.insert(sentence.tags.begin(), sentence.tags.end());
  return {tags.begin(), tags.end()};
}

}  // namespace reel
