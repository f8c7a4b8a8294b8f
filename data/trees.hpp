// Labelled trees, as the Stanford Sentiment Treebank has them (Socher et al. 2013).
#pragma once

#include <reel/data/corpus.hpp>

namespace reel {

struct TreeOptions {
  bool phrases = true;  // every phrase is a text, words too; false: whole sentences only
  bool binary = false;  // grades 0, 1 are class "0", 3, 4 are "1"; neutral ones, 2, are left out
};

// A bracketed tree on each line, such as (3 (2 It) (4 (2 's) (4 great))); the labels are the
// grades 0 .. 4. The text of a phrase is its words, joined by spaces, with the treebank's escapes
// undone: -LRB- and the like are brackets again, \/ and \* lose their backslash. Among phrases, a
// text that comes again with the same label is left out. Texts are in order of the lines, a
// sentence before its phrases. `classes` and errors as in read_tsv; a line that is no such tree is
// an error.
Corpus read_trees(const std::filesystem::path& path, const TreeOptions& options = {},
                  const std::vector<std::string>& classes = {});

}  // namespace reel
