// The sentiment model: embedding -> recurrent layer -> linear -> sigmoid.
#pragma once

#include <reel/reel.hpp>

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace sentiment {

constexpr std::size_t kLargestSize = std::size_t{1} << 20;

struct Settings {
  std::string cell = "lstm";  // rnn, lstm or gru
  std::size_t embedding_size = 100;
  std::size_t hidden_size = 128;
  std::size_t max_length = 50;  // longer texts are cut
  reel::real dropout = 0.5;     // of word vectors and of the last state
};

// Maps a batch of texts to one logit each: log odds of the second class.
class Model {
 public:
  Model(const Settings& settings, std::size_t vocabulary_size, reel::Random& random);

  // [B]; random: of dropout, while training; null: inference.
  reel::Var operator()(const reel::Batch& batch, reel::Random* random) const;

  static void fields(auto& self, auto&& visit) {
    visit("embedding", self.embedding_);
    std::visit([&](auto& layer) { visit("recurrent", layer); }, self.recurrent_);
    visit("head", self.head_);
  }

 private:
  using Layer = std::variant<reel::Recurrent<reel::Rnn>, reel::Recurrent<reel::Lstm>,
                             reel::Recurrent<reel::Gru>>;
  static Layer make_layer(const Settings& settings, reel::Random& random);

  reel::Embedding embedding_;
  reel::Dropout dropout_;
  Layer recurrent_;
  reel::Linear head_;
};

// All that a prediction needs.
struct Classifier {
  Settings settings;
  std::vector<std::string> classes;  // two
  reel::Vocabulary vocabulary;
  Model model;

  // One sequence of word indices for each text, cut at max_length.
  std::vector<std::int64_t> encode(const std::string& text) const;
  // For each sequence, the probability of the second class.
  std::vector<double> predict(const std::vector<std::vector<std::int64_t>>& sequences) const;
};

// A folder, which must be there, with settings.json, vocabulary.json and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, Classifier& classifier);
Classifier load(const std::filesystem::path& folder);

}  // namespace sentiment
