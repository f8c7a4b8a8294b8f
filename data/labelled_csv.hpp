// Labelled texts out of tables.
#pragma once

#include <reel/data/corpus.hpp>

namespace reel {

struct CsvColumns {
  std::string text = "text", label = "label";
};

// A header, then a record for each text, fields separated by commas and quoted where they hold
// commas, quotes or ends of lines (RFC 4180); the columns are found by their names. A label that is
// a list in brackets, as texts with several labels have it, counts as its first element, [0 2] as
// 0, and an empty list as "none". `classes` and errors as in read_tsv; a missing column, a record
// with more or fewer fields than the header and a broken quotation are errors.
Corpus read_csv_texts(const std::filesystem::path& path, const CsvColumns& columns = {},
                      const std::vector<std::string>& classes = {});

}  // namespace reel
