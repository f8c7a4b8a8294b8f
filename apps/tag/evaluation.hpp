// How well words are tagged.
#pragma once

#include <reel/data/conllu.hpp>
#include <reel/data/vocabulary.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace tag {

using Sentences = std::vector<reel::TaggedSentence>;

// A treebank in CoNLL-U; without a file, the train, dev or test part of the bundled one.
Sentences read_treebank(const std::string& file, const std::string& part,
                        const std::string& column);

struct Count {
  std::size_t words = 0, right = 0;
  double accuracy() const {
    return words == 0 ? 0 : static_cast<double>(right) / static_cast<double>(words);
  }
};
struct Evaluation {
  Count all, known, unknown;
  struct Tag {
    std::string name;
    std::size_t words = 0, predicted = 0, right = 0;
  };
  std::vector<Tag> tags;  // by name
  struct Confusion {
    std::string tag, predicted;
    std::size_t count;
  };
  std::vector<Confusion> confusions;  // most frequent first
};
// `known`: the words, case-folded, that training saw.
Evaluation evaluate(std::span<const reel::TaggedSentence> sentences,
                    std::span<const std::vector<std::string>> predicted,
                    const reel::Vocabulary& known);
// In a line, and as a table of tags, and the ten most frequent confusions.
std::string summary(const Evaluation& evaluation);
std::string describe(const Evaluation& evaluation);

// The tag that a word had most often, for an unknown word the most frequent of all: what any tagger
// must beat.
class MostFrequentTag {
 public:
  explicit MostFrequentTag(std::span<const reel::TaggedSentence> sentences);

  std::vector<std::vector<std::string>> predict(
      std::span<const reel::TaggedSentence> sentences) const;
  void save(const std::filesystem::path& path) const;
  static MostFrequentTag load(const std::filesystem::path& path);

 private:
  MostFrequentTag() = default;
  std::map<std::string, std::string> tags_;  // of words as they stand; of "": the default
};

}  // namespace tag
