#include "model.hpp"

#include <reel/data/text.hpp>

#include <algorithm>
#include <cmath>

#include "../common/settings.hpp"

namespace sentiment {

using namespace reel;
using apps::get_choice, apps::get_size;
namespace fs = std::filesystem;

namespace {
constexpr double kEmbeddingDeviation = 0.05;
constexpr std::size_t kPredictBatch = 64;
constexpr const char* kVocabulary = "vocabulary.json";

apps::Companions companions(const Vocabulary& vocabulary) {
  return {{kVocabulary, vocabulary.to_json()}};
}

// 1 for each word of a text, at its index [B, vocabulary]; hidden words are none.
Array words_of(const Batch& batch, std::size_t vocabulary_size) {
  const std::size_t texts = batch.rows.size();
  Array words = full_array({texts, vocabulary_size}, 0);
  for (std::size_t i = 0; i < batch.tokens.size(); ++i) {
    const std::int64_t word = batch.tokens.data()[i];
    if (word > Vocabulary::kUnknown) words(i % texts, static_cast<std::size_t>(word)) = 1;
  }
  return words;
}

}  // namespace

Var BagOfWords::operator()(const Batch& batch, Random*) const {
  return head(Var(words_of(batch, head.weight.shape()[1])));
}

Var Network::operator()(const Batch& batch, Random* random) const {
  const Var words = dropout(embedding(batch.tokens), random);  // [T, B, embedding]
  const Var text = encoder(words, batch.lengths, random);      // [B, width]
  return head(dropout(text, random));                          // [B, outputs]
}

Model::Model(const Settings& settings, std::size_t vocabulary_size, std::size_t classes,
             Random& random)
    : model_(make(settings, vocabulary_size, classes == 2 ? 1 : classes, random)) {}

Model::Any Model::make(const Settings& settings, std::size_t vocabulary_size, std::size_t outputs,
                       Random& random) {
  if (settings.cell == kBag) return BagOfWords{Linear(vocabulary_size, outputs, random)};
  Embedding embedding(vocabulary_size, settings.embedding_size, random, kEmbeddingDeviation,
                      Vocabulary::kPad);
  Encoder encoder(settings.embedding_size, settings, random);
  Linear head(encoder.width(), outputs, random);
  return Network{std::move(embedding), Dropout(settings.dropout), std::move(encoder),
                 std::move(head)};
}

void Model::start_from(const WordVectors& vectors, bool frozen) {
  auto* network = std::get_if<Network>(&model_);
  check<Error>(network, "a bag of words has no word vectors");
  vectors.copy_to(network->embedding.weight.mutable_value());
  network->embedding.weight.trainable = !frozen;
}

std::vector<std::int64_t> Classifier::encode(const std::string& text) const {
  std::vector<std::int64_t> words = vocabulary.encode(tokenize(text));
  if (words.size() > settings.max_length) words.resize(settings.max_length);
  return words;
}

std::vector<Prediction> Classifier::predict(
    const std::vector<std::vector<std::int64_t>>& sequences) const {
  std::vector<Prediction> predictions(sequences.size());
  for (const Batch& batch : make_batches(sequences, kPredictBatch)) {
    const Array log_odds = model(batch, nullptr).value();
    const bool two = classes.size() == 2;
    const Array p = two ? sigmoid(Var(log_odds)).value() : softmax(Var(log_odds)).value();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      auto& [label, probabilities] = predictions[batch.rows[i]];
      if (two)
        probabilities = {1 - static_cast<double>(p(i, 0)), static_cast<double>(p(i, 0))};
      else
        for (std::size_t c = 0; c < classes.size(); ++c) probabilities.push_back(p(i, c));
      const auto most = std::max_element(probabilities.begin(), probabilities.end());
      label = static_cast<std::size_t>(most - probabilities.begin());
    }
  }
  return predictions;
}

std::vector<double> Classifier::weigh(const std::vector<std::int64_t>& sequence,
                                      std::size_t label) const {
  std::vector<std::vector<std::int64_t>> changed(sequence.size() + 1, sequence);
  for (std::size_t i = 0; i < sequence.size(); ++i) changed[i][i] = Vocabulary::kUnknown;
  std::vector<double> log_odds;
  for (const Prediction& p : predict(changed)) {
    const double mine = std::clamp(p.probabilities[label], 1e-7, 1 - 1e-7);
    log_odds.push_back(std::log(mine / (1 - mine)));
  }
  std::vector<double> weights;
  for (std::size_t i = 0; i < sequence.size(); ++i)
    weights.push_back(log_odds.back() - log_odds[i]);
  return weights;
}

void save(const fs::path& folder, Classifier& classifier) {
  const Settings& s = classifier.settings;
  apps::save_model(folder,
                   {{"cell", s.cell},
                    {"bidirectional", s.bidirectional},
                    {"layers", s.layers},
                    {"pooling", s.pooling},
                    {"embedding_size", s.embedding_size},
                    {"hidden_size", s.hidden_size},
                    {"max_length", s.max_length},
                    {"dropout", s.dropout},
                    {"classes", classifier.classes}},
                   companions(classifier.vocabulary), parameters(classifier.model));
}

Classifier load(const fs::path& folder) {
  return apps::load_model(folder, "a sentiment model", [&](const nlohmann::json& json) {
    Settings s;
    get_choice(json, "cell", s.cell, kCells);
    json.at("bidirectional").get_to(s.bidirectional);
    get_size(json, "layers", s.layers, 1, kMostLayers);
    get_choice(json, "pooling", s.pooling, kPoolings);
    get_size(json, "embedding_size", s.embedding_size);
    get_size(json, "hidden_size", s.hidden_size);
    get_size(json, "max_length", s.max_length);
    json.at("dropout").get_to(s.dropout);
    const std::vector<std::string> classes = json.at("classes");
    check<Error>(classes.size() >= 2, "there must be two classes or more; found {}",
                 classes.size());
    Vocabulary vocabulary = Vocabulary::load(folder / kVocabulary);
    const apps::SavedWeights weights(folder, companions(vocabulary));
    Random random(0);
    Model model(s, vocabulary.size(), classes.size(), random);
    weights.copy_to(parameters(model));
    return Classifier{s, classes, std::move(vocabulary), std::move(model)};
  });
}

}  // namespace sentiment
