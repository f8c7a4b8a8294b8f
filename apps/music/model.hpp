// The music model: the keys of one step -> recurrent layers -> linear -> a probability for each key
// of the next.
#pragma once

#include <reel/data/piano_roll.hpp>
#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/linear.hpp>
#include <reel/layers/stack.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace music {

constexpr std::size_t kLargestSize = 1 << 16, kMostLayers = 16;

struct Settings {
  std::string cell = "lstm";  // lstm or gru
  std::size_t hidden_size = 320;
  std::size_t layers = 1;
  reel::real dropout = reel::real(0.3);  // of what the layers give
};

// Piano rolls as the model sees them.
struct Batch {
  reel::Array heard;                 // [T, B, keys] before each step
  reel::Array keys;                  // [T, B, keys] in it
  std::vector<std::size_t> lengths;  // [B]
  std::size_t steps() const;         // of all rolls
};
Batch make_batch(std::span<const reel::PianoRoll* const> rolls);

class Model {
 public:
  Model(const Settings& settings, reel::Random& random);

  // The log odds of each key, in one row for each step of each roll that is not padding
  // [steps, keys], and the keys that sound there. random: of dropout, while training.
  struct Result {
    reel::Var logits;
    reel::Array keys;
  };
  Result operator()(const Batch& batch, reel::Random* random) const;

  // Lets training begin with each key as probable as its share of the pieces' steps, each piece
  // moved by up to so many semitones: a bias is slow to learn that most keys are hardly played.
  void start_from(const std::vector<reel::PianoRoll>& pieces, int transpose);

  // Goes on after `start` for so many steps, key by key drawn with probability
  // sigmoid(logit / temperature). Returns start and what follows.
  reel::PianoRoll generate(reel::PianoRoll start, std::size_t steps, double temperature,
                           reel::Random& random) const;

  static void fields(auto& self, auto&& visit) {
    std::visit([&](auto& layers) { visit("recurrent", layers); }, self.layers_);
    visit("head", self.head_);
  }

 private:
  using Layers = std::variant<reel::Stack<reel::Recurrent<reel::Lstm>>,
                              reel::Stack<reel::Recurrent<reel::Gru>>>;
  static Layers make_layers(const Settings& settings, reel::Random& random);

  reel::Dropout dropout_;
  Layers layers_;
  reel::Linear head_;
};

// Mean over rows of the sum over keys of -log p(key): nats per step.
reel::Var nll(const Model::Result& result);

// A folder, which must be there, with settings.json and, written last, weights.safetensors. Each
// file is replaced whole; load refuses files of different models. Both throw reel::FileError.
void save(const std::filesystem::path& folder, const Settings& settings, Model& model);
Model load(const std::filesystem::path& folder);

}  // namespace music
