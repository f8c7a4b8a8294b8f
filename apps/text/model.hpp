// The language model: words or characters -> embedding -> recurrent layers -> what comes next.
#pragma once

#include <reel/reel.hpp>

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace text {

struct Settings {
  std::string level = "character";   // or word
  std::string cell = "lstm";         // lstm, gru, sru or min-gru
  std::string output = "linear";     // linear, tied to the embedding, or adaptive (softmax)
  std::vector<std::size_t> cutoffs;  // of the adaptive softmax; none: of its size
  std::size_t embedding_size = 64;
  std::size_t hidden_size = 256;
  std::size_t layers = 1;
  reel::real dropout = 0.2;       // of what one layer gives to the next, and of the outputs
  reel::real input_dropout = 0;   // of the embeddings, one mask for all steps of a window
  reel::real weight_dropout = 0;  // of the weights from state to state (DropConnect)
};

// min-gru was min_gru once: in older settings, and in commands.
inline std::string current_cell(const std::string& name) {
  return name == "min_gru" ? "min-gru" : name;
}

// What the words are as input and as output.
struct LinearWords {
  reel::Embedding encoder;
  reel::Linear decoder;
  reel::Var loss(const reel::Var& h, const reel::Indices& targets) const {
    return cross_entropy(decoder(h), targets);
  }
  reel::Var log_probabilities(const reel::Var& h) const { return log_softmax(decoder(h)); }
  static void fields(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("decoder", self.decoder);
  }
};
struct TiedWords {
  reel::TiedEmbedding encoder;
  reel::Var loss(const reel::Var& h, const reel::Indices& targets) const {
    return cross_entropy(encoder.logits(h), targets);
  }
  reel::Var log_probabilities(const reel::Var& h) const { return log_softmax(encoder.logits(h)); }
  static void fields(auto& self, auto&& visit) { self.encoder.fields(self.encoder, visit); }
};
struct AdaptiveWords {
  reel::Embedding encoder;
  reel::AdaptiveSoftmax decoder;
  reel::Var loss(const reel::Var& h, const reel::Indices& targets) const {
    return decoder.loss(h, targets);
  }
  reel::Var log_probabilities(const reel::Var& h) const { return decoder.log_probabilities(h); }
  static void fields(auto& self, auto&& visit) {
    visit("encoder", self.encoder);
    visit("decoder", self.decoder);
  }
};

class Model {
 public:
  // The state of all layers, part by part; empty: where a text begins.
  using State = std::vector<reel::Var>;

  Model(const Settings& settings, std::size_t vocabulary_size, reel::Random& random);

  // Tokens [T, B] -> [T, B, width], going on from a state and leaving the one after them there.
  // random: of dropout, while training; null: inference.
  reel::Var operator()(const reel::Indices& tokens, State& state, reel::Random* random) const;
  // Mean of -log p(target) over the targets that are not Lanes::kNone: h [T, B, width].
  reel::Var loss(const reel::Var& h, const reel::Indices& targets) const;
  // Of each token: h [.., width] -> [.., vocabulary].
  reel::Var log_probabilities(const reel::Var& h) const;

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& words) { words.fields(words, visit); }, self.words_);
    std::visit([&](auto& layers) { visit("recurrent", layers); }, self.layers_);
  }

 private:
  template <class C>
  using Layers = reel::Stack<reel::Recurrent<C>>;
  using Words = std::variant<LinearWords, TiedWords, AdaptiveWords>;
  using AnyLayers =
      std::variant<Layers<reel::Lstm>, Layers<reel::Gru>, Layers<reel::Sru>, Layers<reel::MinGru>>;
  static Words make_words(const Settings& settings, std::size_t count, reel::Random& random);
  static AnyLayers make_layers(const Settings& settings, reel::Random& random);

  Words words_;
  AnyLayers layers_;
  reel::Dropout dropout_;
};

// All that is needed to measure and write text.
struct LanguageModel {
  Settings settings;
  reel::Vocabulary vocabulary;
  Model model;

  // Words or characters, as the settings say.
  std::vector<std::int64_t> encode(const std::string& text) const;
};
std::vector<std::string> split_text(const std::string& text, const Settings& settings);

// A folder, which must be there, with settings.json, vocabulary.json and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, LanguageModel& language_model);
LanguageModel load(const std::filesystem::path& folder);

}  // namespace text
