// Two networks over the letters of names: one writes names of a language, one tells the language.
#pragma once

#include <reel/reel.hpp>

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "../common/decoding.hpp"

namespace names {

// Stands before the first letter of a name and after the last.
constexpr const char* kEdge = "\n";

struct Settings {
  std::string task = "generate";  // or classify
  std::size_t embedding_size = 32;
  std::size_t hidden_size = 128;
  reel::real dropout = 0.3;  // of what enters the recurrent layer and what leaves it
};

// One-to-many: the language goes in with each letter, out comes what the next one may be.
struct Writer {
  using State = reel::Lstm::State;
  reel::Embedding letters, languages;
  reel::Recurrent<reel::Lstm> recurrent;
  reel::Linear head;
  reel::Dropout dropout;

  // Letters [T, B] of rows with these lengths and languages [B] -> logits [T, B, letters].
  reel::Var operator()(const reel::Indices& tokens, std::span<const std::size_t> lengths,
                       const reel::Indices& of_rows, reel::Random* random) const;
  // One letter of each row [B] -> logits [B, letters], and the state after it.
  std::pair<reel::Var, State> step(const reel::Indices& tokens, const reel::Indices& of_rows,
                                   const State& state) const;
  static void fields(auto& self, auto&& visit) {
    visit("letters", self.letters);
    visit("languages", self.languages);
    visit("recurrent", self.recurrent);
    visit("head", self.head);
  }
};

// Many-to-one: letters both ways, then the languages.
struct Listener {
  reel::Embedding letters;
  reel::Bidirectional<reel::Lstm> recurrent;
  reel::Linear head;
  reel::Dropout dropout;

  // Letters [T, B] of rows with these lengths -> logits [B, languages].
  reel::Var operator()(const reel::Indices& tokens, std::span<const std::size_t> lengths,
                       reel::Random* random) const;
  static void fields(auto& self, auto&& visit) {
    visit("letters", self.letters);
    visit("recurrent", self.recurrent);
    visit("head", self.head);
  }
};

struct Network {
  std::variant<Writer, Listener> either;
  Network(const Settings& settings, std::size_t letters, std::size_t languages,
          reel::Random& random);
  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& network) { network.fields(network, visit); }, self.either);
  }
};

// All that is needed to write names or to classify them.
struct Model {
  Settings settings;
  std::vector<std::string> languages;
  reel::Vocabulary letters;
  Network network;

  // Its letters between edges. Throws Error unless the name is UTF-8.
  std::vector<std::int64_t> encode(const std::string& name) const;
  // Of each language, for each row of a batch [B, languages]. Throws Error unless the task is to
  // classify.
  reel::Array probabilities(const reel::Batch& batch) const;
};

struct WritingOptions : apps::Decoding {
  std::string prompt;      // the names begin so
  std::size_t count = 10;  // of names; a beam gives its best, greedy has but one
};
// Names of a language. Throws Error unless the task is to generate.
std::vector<std::string> write(const Model& model, std::size_t language,
                               const WritingOptions& options);
// Rows of a table: a language, names of it.
std::vector<std::vector<std::string>> some_of_each(const Model& model);

// A folder, which must be there, with settings.json, letters.json and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, Model& model);
Model load(const std::filesystem::path& folder);

}  // namespace names
