#include <reel/autodiff/error.hpp>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/data/text.hpp>
#include <reel/data/vocabulary.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace reel {
namespace {
constexpr std::string_view kSpecials[] = {"<pad>", "<unk>"};
}

Vocabulary::Vocabulary() {
  for (std::string_view special : kSpecials) add(std::string(special));
}

Vocabulary::Vocabulary(std::span<const std::vector<std::string>> texts, VocabularyLimits limits)
    : Vocabulary() {
  check<Error>(limits.max_size >= size(),
               "vocabulary: max_size must have room for <pad> and <unk>; got {}", limits.max_size);
  std::map<std::string, std::size_t> counts;
  for (const auto& text : texts)
    for (const std::string& token : text) ++counts[token];
  for (std::string_view special : kSpecials) counts.erase(std::string(special));

  std::vector<std::pair<std::string, std::size_t>> ranking(counts.begin(), counts.end());
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [token, count] : ranking)
    if (count >= limits.min_count && size() < limits.max_size) add(token);
}

bool Vocabulary::add(const std::string& token) {
  const bool is_new = indices_.emplace(token, static_cast<std::int64_t>(size())).second;
  if (is_new) tokens_.push_back(token);
  return is_new;
}

std::int64_t Vocabulary::index(std::string_view token) const {
  const auto found = indices_.find(token);
  return found == indices_.end() ? kUnknown : found->second;
}

const std::string& Vocabulary::token(std::int64_t index) const {
  check<Error>(index >= 0 && std::cmp_less(index, size()),
               "vocabulary: index must be in 0 .. {}; got {}", size() - 1, index);
  return tokens_[static_cast<std::size_t>(index)];
}

std::vector<std::int64_t> Vocabulary::encode(std::span<const std::string> tokens) const {
  std::vector<std::int64_t> indices(tokens.size());
  std::transform(tokens.begin(), tokens.end(), indices.begin(),
                 [this](const std::string& token) { return index(token); });
  return indices;
}

std::string Vocabulary::to_json() const {
  for (const std::string& token : tokens_) check_utf8(token, "vocabulary");
  return nlohmann::json(tokens_).dump(0) + '\n';
}

Vocabulary Vocabulary::from_json(std::string_view json, std::string_view source) {
  const nlohmann::json list = parse_json(json, source);
  check<FileError>(list.is_array(), "{}: vocabulary must be a JSON list; found {}", source,
                   list.type_name());
  Vocabulary vocabulary;
  for (std::size_t i = 0; i < list.size(); ++i) {
    check<FileError>(list[i].is_string(), "{}: token {} must be a string; found {}", source, i,
                     list[i].type_name());
    const auto& token = list[i].get_ref<const std::string&>();
    if (i < std::size(kSpecials))
      check<FileError>(token == kSpecials[i], "{}: token {} must be {}; found {:?}", source, i,
                       kSpecials[i], token);
    else
      check<FileError>(vocabulary.add(token), "{}: tokens must differ; found {:?} at {} and {}",
                       source, token, vocabulary.index(token), i);
  }
  check<FileError>(list.size() >= std::size(kSpecials),
                   "{}: vocabulary must begin with <pad>, <unk>; found a list of {}", source,
                   list.size());
  return vocabulary;
}

void Vocabulary::save(const std::filesystem::path& path) const {
  write_file_atomically(path, to_json());
}

Vocabulary Vocabulary::load(const std::filesystem::path& path) {
  return from_json(read_file(path), path.string());
}

}  // namespace reel
