// The sentiment models: embedding -> encoder -> linear, and a bag of words -> linear.
#pragma once

#include <reel/data/batches.hpp>
#include <reel/data/vocabulary.hpp>
#include <reel/data/word_vectors.hpp>
#include <reel/layers/embedding.hpp>

#include <filesystem>

#include "encoder.hpp"

namespace sentiment {

// A bag is no cell: the model sees which words a text has, and not their order.
inline const std::string kBag = "bag";
inline const std::vector<std::string> kCells = {"bag", "rnn",     "lstm",    "gru",
                                                "sru", "min-gru", "min-lstm"};

struct Settings : EncoderSettings {
  std::size_t embedding_size = 100;
  std::size_t max_length = 50;  // longer texts are cut
};

// Logistic regression on which words a text has, in whatever order.
struct BagOfWords {
  reel::Linear head;

  reel::Var operator()(const reel::Batch& batch, reel::Random* random) const;
  static void fields(auto& self, auto&& visit) { visit("head", self.head); }
};

struct Network {
  reel::Embedding embedding;
  reel::Dropout dropout;
  Encoder encoder;
  reel::Linear head;

  reel::Var operator()(const reel::Batch& batch, reel::Random* random) const;
  static void fields(auto& self, auto&& visit) {
    visit("embedding", self.embedding);
    Encoder::fields(self.encoder, visit);
    visit("head", self.head);
  }
};

// Maps a batch of texts to logits [B, 1], log odds of the second of two classes, or
// [B, classes] if there are more. random: of dropout, while training; null: inference.
class Model {
 public:
  Model(const Settings& settings, std::size_t vocabulary_size, std::size_t classes,
        reel::Random& random);

  reel::Var operator()(const reel::Batch& batch, reel::Random* random) const {
    return std::visit([&](const auto& model) { return model(batch, random); }, model_);
  }
  // Starts the embedding from word vectors of its width, and trains it or not.
  void start_from(const reel::WordVectors& vectors, bool frozen);

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& model) { model.fields(model, visit); }, self.model_);
  }

 private:
  using Any = std::variant<Network, BagOfWords>;
  static Any make(const Settings& settings, std::size_t vocabulary_size, std::size_t outputs,
                  reel::Random& random);
  Any model_;
};

struct Prediction {
  std::size_t label;                  // the most probable class
  std::vector<double> probabilities;  // of each class
};

// All that a prediction needs.
struct Classifier {
  Settings settings;
  std::vector<std::string> classes;  // two or more
  reel::Vocabulary vocabulary;
  Model model;

  // One sequence of word indices for each text, cut at max_length.
  std::vector<std::int64_t> encode(const std::string& text) const;
  // For each sequence.
  std::vector<Prediction> predict(const std::vector<std::vector<std::int64_t>>& sequences) const;
  // For each word of a sequence, how much it adds to the log odds of a class: the log odds with it
  // less those with <unk> in its place.
  std::vector<double> weigh(const std::vector<std::int64_t>& sequence, std::size_t label) const;
};

// A folder, which must be there, with settings.json, vocabulary.json and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, Classifier& classifier);
Classifier load(const std::filesystem::path& folder);

}  // namespace sentiment
