// The tagger: vectors of words, shapes and characters -> bidirectional LSTM -> linear [-> CRF].
#pragma once

#include <reel/data/conllu.hpp>
#include <reel/data/spellings.hpp>
#include <reel/data/vocabulary.hpp>
#include <reel/layers/character_words.hpp>
#include <reel/layers/crf.hpp>
#include <reel/layers/stack.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tag {

struct Settings {
  std::string column = "upos";      // what is tagged: upos or xpos
  std::string characters = "lstm";  // how words are composed: lstm, convolution or none
  std::size_t embedding_size = 100;
  std::size_t shape_size = 10;      // of the vector of a word's shape; 0: none
  std::size_t character_size = 32;  // of a character's vector
  std::size_t composed_size = 100;  // of the vector composed of characters
  std::size_t hidden_size = 150;    // of each direction
  std::size_t layers = 1;           // of the bidirectional LSTM
  std::size_t longest_word = 40;    // characters read of a word
  bool crf = false;
  reel::real dropout = 0.5;  // of what enters the LSTM and of what leaves it
};

// A part of some sentences, for the model.
struct Input {
  reel::Indices words, shapes;       // [T, B]
  reel::Spellings spellings;         // without characters: empty
  std::vector<std::size_t> lengths;  // [B]
};

class Model {
 public:
  struct Sizes {
    std::size_t words, shapes, characters, tags;
  };
  Model(const Settings& settings, const Sizes& sizes, reel::Random& random);

  // Scores of the tags [T, B, tags]; random: of dropout, while training; null: inference.
  reel::Var operator()(const Input& input, reel::Random* random) const;
  // Mean over the words of -log p(tag), or of the sentence's with a CRF.
  reel::Var loss(const Input& input, const reel::Indices& tags, reel::Random* random) const;
  // The likeliest tags of each row.
  std::vector<std::vector<std::int64_t>> predict(const Input& input) const;

  static void fields(auto& self, auto&& visit) {
    visit("words", self.words_);
    if (self.shapes_) visit("shapes", *self.shapes_);
    if (self.lstm_) visit("characters", *self.lstm_);
    if (self.convolution_) visit("characters", *self.convolution_);
    visit("recurrent", self.recurrent_);
    visit("head", self.head_);
    if (self.crf_) visit("crf", *self.crf_);
  }

 private:
  std::size_t input_size() const;

  reel::Embedding words_;
  std::optional<reel::Embedding> shapes_;
  std::optional<reel::CharacterLstm> lstm_;
  std::optional<reel::CharacterConvolution> convolution_;
  reel::Dropout dropout_;
  reel::Stack<reel::Bidirectional<reel::Lstm>> recurrent_;
  reel::Linear head_;
  std::optional<reel::Crf> crf_;
};

// Sentences as the model reads them.
struct Encoded {
  std::vector<std::vector<std::int64_t>> words, shapes;
  std::vector<std::vector<std::int64_t>> forms;      // which of the spellings
  std::vector<std::vector<std::int64_t>> tags;       // -1: not one of the tagger's
  std::vector<std::vector<std::int64_t>> spellings;  // of each different word
  std::vector<std::size_t> lengths;

  // Those of these sentences.
  Input input(std::span<const std::size_t> rows) const;
  reel::Indices tags_of(std::span<const std::size_t> rows) const;  // [T, B]
};

// All that tagging needs.
struct Tagger {
  Settings settings;
  std::vector<std::string> tags;
  reel::Vocabulary words, shapes, characters;  // words are case-folded
  Model model;

  Encoded encode(std::span<const reel::TaggedSentence> sentences) const;
  // The tags of each sentence.
  std::vector<std::vector<std::string>> predict(const Encoded& sentences) const;
  // Puts the tags in their column.
  void tag(reel::ConlluSentence& sentence) const;
};

// An untrained one that knows the words, shapes, characters and tags of these sentences.
Tagger make_tagger(const Settings& settings, std::span<const reel::TaggedSentence> sentences,
                   std::uint64_t seed);

// A folder, which must be there, with settings.json, the vocabularies and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, Tagger& tagger);
Tagger load(const std::filesystem::path& folder);

}  // namespace tag
