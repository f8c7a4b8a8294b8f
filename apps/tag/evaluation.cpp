#include "evaluation.hpp"

#include <fmt/format.h>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../common/bundled.hpp"

namespace tag {

using namespace reel;
namespace fs = std::filesystem;

Sentences read_treebank(const std::string& file, const std::string& part,
                        const std::string& column) {
  const fs::path path =
      file.empty() ? apps::bundled("tag/ewt") / (part + ".conllu") : fs::path(file);
  return tagged_sentences(read_conllu(path), conllu_column(column), path.string());
}

Evaluation evaluate(std::span<const TaggedSentence> sentences,
                    std::span<const std::vector<std::string>> predicted, const Vocabulary& known) {
  Evaluation e;
  std::map<std::string, Evaluation::Tag> tags;
  std::map<std::pair<std::string, std::string>, std::size_t> confusions;
  for (std::size_t s = 0; s < sentences.size(); ++s)
    for (std::size_t i = 0; i < sentences[s].words.size(); ++i) {
      const std::string &tag = sentences[s].tags[i], &guess = predicted[s][i];
      const bool right = tag == guess;
      const bool is_known = known.index(fold_case(sentences[s].words[i])) != Vocabulary::kUnknown;
      for (Count* count : {&e.all, is_known ? &e.known : &e.unknown}) {
        ++count->words;
        count->right += right;
      }
      ++tags[tag].words;
      ++tags[guess].predicted;
      tags[tag].right += right;
      if (!right) ++confusions[{tag, guess}];
    }
  for (auto& [name, tag] : tags) {
    tag.name = name;
    e.tags.push_back(tag);
  }
  for (const auto& [pair, count] : confusions)
    e.confusions.push_back({pair.first, pair.second, count});
  std::stable_sort(e.confusions.begin(), e.confusions.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return e;
}

std::string summary(const Evaluation& e) {
  return fmt::format("{} words  accuracy {:.4f}  known words {:.4f}  {} unknown {:.4f}",
                     e.all.words, e.all.accuracy(), e.known.accuracy(), e.unknown.words,
                     e.unknown.accuracy());
}

std::string describe(const Evaluation& e) {
  constexpr std::size_t kMost = 10;
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? std::string("-")
                      : fmt::format("{:.4f}", static_cast<double>(part) / double(whole));
  };
  std::string text =
      fmt::format("{:<8} {:>7} {:>9} {:>9}\n", "tag", "words", "accuracy", "precision");
  for (const Evaluation::Tag& tag : e.tags)
    text += fmt::format("{:<8} {:>7} {:>9} {:>9}\n", tag.name, tag.words,
                        share(tag.right, tag.words), share(tag.right, tag.predicted));
  text += "\nmost frequent confusions\n";
  for (std::size_t i = 0; i < std::min(kMost, e.confusions.size()); ++i)
    text += fmt::format("{:<8} taken for {:<8} {:>5}\n", e.confusions[i].tag,
                        e.confusions[i].predicted, e.confusions[i].count);
  return text;
}

MostFrequentTag::MostFrequentTag(std::span<const TaggedSentence> sentences) {
  std::map<std::string, std::map<std::string, std::size_t>> counts;
  for (const TaggedSentence& sentence : sentences)
    for (std::size_t i = 0; i < sentence.words.size(); ++i) {
      ++counts[sentence.words[i]][sentence.tags[i]];
      ++counts[""][sentence.tags[i]];
    }
  for (const auto& [word, tags] : counts)
    tags_[word] = std::max_element(tags.begin(), tags.end(), [](const auto& a, const auto& b) {
                    return a.second < b.second;
                  })->first;
}

std::vector<std::vector<std::string>> MostFrequentTag::predict(
    std::span<const TaggedSentence> sentences) const {
  std::vector<std::vector<std::string>> all;
  for (const TaggedSentence& sentence : sentences) {
    auto& tags = all.emplace_back();
    for (const std::string& word : sentence.words) {
      const auto at = tags_.find(word);
      tags.push_back(at == tags_.end() ? tags_.at("") : at->second);
    }
  }
  return all;
}

void MostFrequentTag::save(const std::filesystem::path& path) const {
  write_file_atomically(path, nlohmann::json(tags_).dump(0) + "\n");
}

MostFrequentTag MostFrequentTag::load(const std::filesystem::path& path) {
  const nlohmann::json json = parse_json(read_file(path), path.string());
  MostFrequentTag baseline;
  try {
    json.get_to(baseline.tags_);
  } catch (const nlohmann::json::exception& e) {
    throw FileError(path.string() + ": there must be a tag for each word; " + e.what());
  }
  check<FileError>(baseline.tags_.contains(""), "{}: there must be a tag for unknown words",
                   path.string());
  return baseline;
}

}  // namespace tag
