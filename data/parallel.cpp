#include <reel/autodiff/error.hpp>
#include <reel/data/corpus_parts.hpp>
#include <reel/data/parallel.hpp>

#include <algorithm>
#include <cstdint>

namespace reel {

std::vector<SentencePair> read_parallel(const std::filesystem::path& path) {
  std::vector<SentencePair> pairs;
  for (Line& line : read_lines(path, "pair")) {
    const std::size_t tab = line.text.find('\t');
    check<FileError>(tab != line.text.npos, "{}: line must be source<TAB>target; found no tab",
                     line.where);
    std::string target = line.text.substr(tab + 1);
    target.resize(std::min(target.find('\t'), target.size()));
    line.text.resize(tab);
    check<FileError>(!line.text.empty() && !target.empty(),
                     "{}: line must be source<TAB>target; found an empty {}", line.where,
                     line.text.empty() ? "source" : "target");
    pairs.push_back({std::move(line.text), std::move(target)});
  }
  return pairs;
}

double hash_share(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return static_cast<double>((hash ^ (hash >> 33)) >> 11) * 0x1.0p-53;
}

}  // namespace reel
