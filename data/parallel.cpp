#include <reel/data/file.hpp>
#include <reel/data/parallel.hpp>
#include <reel/data/text.hpp>

#include <cstdint>

namespace reel {

std::vector<SentencePair> read_parallel(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  std::string_view rest = bytes;
  if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  while (!rest.empty() && (rest.back() == '\n' || rest.back() == '\r' || rest.back() == ' '))
    rest.remove_suffix(1);
  check<FileError>(!rest.empty(), "{}: file must hold at least one pair; found none",
                   path.string());
  std::vector<SentencePair> pairs;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto where = [&] { return fmt::format("{}:{}", path.string(), pairs.size() + 1); };
    if (find_invalid_utf8(line) != line.npos) check_utf8<FileError>(line, where());
    const std::size_t tab = line.find('\t');
    check<FileError>(tab != line.npos, "{}: line must be source<TAB>target; found no tab",
                     tab != line.npos ? "" : where());
    const std::string_view source = line.substr(0, tab);
    std::string_view target = line.substr(tab + 1);
    target = target.substr(0, target.find('\t'));
    const bool both = !source.empty() && !target.empty();
    check<FileError>(both, "{}: line must be source<TAB>target; found an empty {}",
                     both ? "" : where(), source.empty() ? "source" : "target");
    pairs.push_back({std::string(source), std::string(target)});
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
