// What the readers of corpora share. For sources only.
#pragma once

#include <reel/data/corpus.hpp>

namespace reel {

// The lines of a text, with or without a byte order mark, with LF or CRLF.
std::vector<std::string_view> lines_of(std::string_view text);

struct Line {
  std::string where;  // path:line
  std::string text;
};

// The lines of a file up to the last that is not blank: valid UTF-8, at least one (an `item`).
std::vector<Line> read_lines(const std::filesystem::path& path, std::string_view item = "example");

struct Example {
  Line line;
  std::string label;
};
// Turns the labels into indices of classes.
Corpus make_corpus(std::vector<Example> examples, std::vector<std::string> classes);

}  // namespace reel
