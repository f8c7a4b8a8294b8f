// CoNLL-U: sentences of annotated words (https://universaldependencies.org/format.html).
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

enum class ConlluColumn { kId, kForm, kLemma, kUpos, kXpos, kFeats, kHead, kDeprel, kDeps, kMisc };
// By its name in the format, in small letters: "id", "form", .., "misc". Throws Error for others.
ConlluColumn conllu_column(std::string_view name);

// A line of ten columns: a word (id 7), a multiword token (7-8) or an empty node (7.1).
struct ConlluRow {
  std::array<std::string, 10> columns;

  const std::string& operator[](ConlluColumn c) const {
    return columns[static_cast<std::size_t>(c)];
  }
  std::string& operator[](ConlluColumn c) { return columns[static_cast<std::size_t>(c)]; }
  bool is_word() const { return columns[0].find_first_of("-.") == std::string::npos; }
};

struct ConlluSentence {
  std::vector<std::string> comments;  // as they are, from their #
  std::vector<ConlluRow> rows;
  std::size_t first_line = 0;  // of the rows, in their file, counted from 1

  std::vector<std::size_t> words() const;  // the rows that are words, in order
};

// UTF-8 with or without a byte order mark, LF or CRLF; the blank line after the last sentence may
// be missing. Throws FileError "file:line: .." for invalid UTF-8, a row without ten filled
// columns, a comment after a row, a sentence without words, ids that are not in sequence: words
// 1, 2, 3, ..; a multiword token before its first word; the empty nodes i.1, i.2, .. after word i
// (0.1 before the first); and for a file without sentences.
std::vector<ConlluSentence> read_conllu(const std::filesystem::path& path);
// The same from memory; `source` names it in errors.
std::vector<ConlluSentence> parse_conllu(std::string_view text, std::string_view source);

// The lines of a sentence and the blank line after it: what parse_conllu read, byte for byte.
std::string format_conllu(const ConlluSentence& sentence);
// A sentence of these words, all other columns _. Throws Error for an empty word or one with a
// tab or the end of a line in it.
ConlluSentence make_conllu(std::span<const std::string> words);

// Words, each with a tag.
struct TaggedSentence {
  std::vector<std::string> words, tags;
};
// The words' forms and what the column says of them; multiword tokens and empty nodes do not
// count. Throws FileError, naming `source` and line, for a word whose column is _.
std::vector<TaggedSentence> tagged_sentences(std::span<const ConlluSentence> sentences,
                                             ConlluColumn column, std::string_view source);
// The different tags, sorted by their bytes.
std::vector<std::string> tags_of(std::span<const TaggedSentence> sentences);

}  // namespace reel
