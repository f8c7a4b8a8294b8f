// Parallel text: sentences and their translations.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct SentencePair {
  std::string source, target;
  bool operator==(const SentencePair&) const = default;
};

// Lines `source<TAB>target`, in UTF-8, with or without a byte order mark, with LF or CRLF; further
// columns, such as an attribution, are left out, and blank lines at the end do not count. Throws
// FileError naming file and line: a missing file or one without pairs, invalid UTF-8, a line
// without a tab or with an empty side.
std::vector<SentencePair> read_parallel(const std::filesystem::path& path);

// A number in [0, 1) that depends on the text alone (FNV-1a, mixed as in MurmurHash3), evenly
// spread over texts. To split pairs by it keeps all pairs of one source on one side.
double hash_share(std::string_view text);

}  // namespace reel
