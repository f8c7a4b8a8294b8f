// The translator: byte pairs of two languages and an encoder-decoder with attention between them.
#pragma once

#include <reel/data/byte_pairs.hpp>
#include <reel/layers/decoding.hpp>
#include <reel/layers/encoder_decoder.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace translate {

struct Settings {
  std::size_t subwords = 4000;  // tokens of each language at most
  std::size_t embedding_size = 256, hidden_size = 256;
  std::string attention = "additive";  // or general
  reel::real dropout = 0.2;            // of embeddings and attentional vectors
};

using Network = reel::EncoderDecoder<reel::Gru>;
using Tokens = std::vector<std::int64_t>;

// How a translation is looked for.
struct Search {
  std::size_t beam = 5;    // width; 1: greedy
  std::size_t n_best = 1;  // at most beam
  double alpha = 1;        // of the division by length^alpha
  bool sampled = false;    // drawn instead, as `how` says
  reel::SampleOptions how = {};
  std::uint64_t seed = 1;
};
struct Translation {
  std::string text;
  double score;
};

// All that translating needs.
struct Translator {
  Settings settings;
  reel::BytePairs source, target;
  Network network;

  // The end token stands behind both.
  Tokens encode_source(const std::string& text) const;
  Tokens encode_target(const std::string& text) const;
  // For each text the best translations, best first. An empty text translates to itself.
  std::vector<std::vector<Translation>> translate(const std::vector<std::string>& texts,
                                                  const Search& search) const;
  // What each token of a translation attended to [target tokens, source tokens].
  struct Alignment {
    std::vector<std::string> source, target;  // tokens
    reel::Array weights;
  };
  Alignment align(const std::string& text, const std::string& translation) const;

 private:
  std::vector<std::vector<reel::Hypothesis>> decode(const reel::Indices& tokens,
                                                    const std::vector<std::size_t>& lengths,
                                                    const Search& search) const;
};

Translator make_translator(const Settings& settings, reel::BytePairs source, reel::BytePairs target,
                           reel::Random& random);

// A folder, which must be there, with settings.json, source.json, target.json and, written last,
// weights.safetensors. Each file is replaced whole; load refuses files of different models. Both
// throw reel::FileError.
void save(const std::filesystem::path& folder, Translator& translator);
Translator load(const std::filesystem::path& folder);

}  // namespace translate
