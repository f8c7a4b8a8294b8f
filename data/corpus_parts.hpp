// What the readers of labelled texts share. For sources only.
#pragma once

#include <reel/data/corpus.hpp>

namespace reel {

struct Line {
  std::string where;  // path:line
  std::string text;
};

// The lines of a file up to the last that is not blank: valid UTF-8, at least one.
std::vector<Line> read_lines(const std::filesystem::path& path);

struct Example {
  Line line;
  std::string label;
};
// Turns the labels into indices of classes.
Corpus make_corpus(std::vector<Example> examples, std::vector<std::string> classes);

}  // namespace reel
