// Texts with classes, out of files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct LabelledText {
  std::int64_t label;  // index into Corpus::classes
  std::string text;
};

struct Corpus {
  std::vector<std::string> classes;
  std::vector<LabelledText> texts;  // in order of the files and their lines
};

// In both readers the files are UTF-8, with or without a byte order mark, with LF or CRLF, and
// blank lines at the end do not count. `classes` says which labels are legal, in order; left
// empty, it is those found, sorted by their bytes. All errors are FileErrors that name file and
// line: a missing file, one without examples, invalid UTF-8, a label that is not among `classes`.

// Lines `label<TAB>text`; the text may be empty or hold more tabs. A line without a tab and an
// empty label are errors.
Corpus read_tsv(const std::filesystem::path& path, const std::vector<std::string>& classes = {});

// One file for each class, one text on a line. The classes are named by the stems of the files
// (neg.txt, pos.txt) if these differ and are legal, else by the extensions (rt-polarity.neg,
// rt-polarity.pos). Files that neither names, and blank lines between texts, are errors.
Corpus read_class_files(const std::vector<std::filesystem::path>& paths,
                        const std::vector<std::string>& classes = {});

// The label of each text.
std::vector<std::int64_t> labels_of(const Corpus& corpus);

}  // namespace reel
