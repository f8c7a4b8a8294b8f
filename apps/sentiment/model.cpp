#include "model.hpp"

#include <reel/data/json.hpp>

#include <nlohmann/json.hpp>

namespace sentiment {

using namespace reel;
namespace fs = std::filesystem;

namespace {
constexpr double kEmbeddingDeviation = 0.05;
constexpr std::size_t kPredictBatch = 64;

// Of settings and words (FNV-1a), so that weights are never used with others.
std::string fingerprint(const std::string& settings, const Vocabulary& vocabulary) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : settings + vocabulary.to_json())
    hash = (hash ^ byte) * 0x100000001b3;
  return fmt::format("{:016x}", hash);
}

// A size in the settings: a positive number that is no mistake.
void get_size(const nlohmann::json& json, const char* key, std::size_t& size) {
  const auto& value = json.at(key);
  check<FileError>(value.is_number_unsigned() && value > 0 && value <= kLargestSize,
                   "{} must lie in 1 .. {}; found {}", key, kLargestSize, value.dump());
  value.get_to(size);
}
}  // namespace

Model::Model(const Settings& settings, std::size_t vocabulary_size, Random& random)
    : embedding_(vocabulary_size, settings.embedding_size, random, kEmbeddingDeviation,
                 Vocabulary::kPad),
      dropout_(settings.dropout),
      recurrent_(make_layer(settings, random)),
      head_(settings.hidden_size, 1, random) {}

Model::Layer Model::make_layer(const Settings& settings, Random& random) {
  const std::size_t in = settings.embedding_size, hidden = settings.hidden_size;
  if (settings.cell == "rnn") return Recurrent(Rnn(in, hidden, random));
  if (settings.cell == "lstm") return Recurrent(Lstm(in, hidden, random));
  if (settings.cell == "gru") return Recurrent(Gru(in, hidden, random));
  throw Error("cell: must be rnn, lstm or gru; got " + settings.cell);
}

Var Model::operator()(const Batch& batch, Random* random) const {
  const Var words = dropout_(embedding_(batch.tokens), random);  // [T, B, embedding]
  const Var last = std::visit(
      [&](const auto& layer) {
        return layer(words, {.lengths = batch.lengths, .all_outputs = false}).last();
      },
      recurrent_);                                      // [B, hidden]
  return reshape(head_(dropout_(last, random)), {-1});  // [B]
}

std::vector<std::int64_t> Classifier::encode(const std::string& text) const {
  std::vector<std::int64_t> words = vocabulary.encode(tokenize(text));
  if (words.size() > settings.max_length) words.resize(settings.max_length);
  return words;
}

std::vector<double> Classifier::predict(
    const std::vector<std::vector<std::int64_t>>& sequences) const {
  std::vector<double> probabilities(sequences.size());
  for (const Batch& batch : make_batches(sequences, kPredictBatch)) {
    const Array p = sigmoid(model(batch, nullptr)).value();
    for (std::size_t i = 0; i < batch.rows.size(); ++i) probabilities[batch.rows[i]] = p(i);
  }
  return probabilities;
}

void save(const fs::path& folder, Classifier& classifier) {
  const Settings& s = classifier.settings;
  const nlohmann::ordered_json json = {{"cell", s.cell},
                                       {"embedding_size", s.embedding_size},
                                       {"hidden_size", s.hidden_size},
                                       {"max_length", s.max_length},
                                       {"dropout", s.dropout},
                                       {"classes", classifier.classes}};
  const std::string text = json.dump(2) + "\n";
  write_file_atomically(folder / "settings.json", text);
  classifier.vocabulary.save(folder / "vocabulary.json");
  Safetensors file;
  file.arrays = export_weights(parameters(classifier.model));
  file.metadata["vocabulary"] = fingerprint(text, classifier.vocabulary);
  save_safetensors(folder / "weights.safetensors", file);
}

Classifier load(const fs::path& folder) {
  const std::string source = folder / "settings.json";
  const std::string text = read_file(source);
  const nlohmann::json json = parse_json(text, source);
  Settings s;
  std::vector<std::string> classes;
  try {
    json.at("cell").get_to(s.cell);
    get_size(json, "embedding_size", s.embedding_size);
    get_size(json, "hidden_size", s.hidden_size);
    get_size(json, "max_length", s.max_length);
    json.at("dropout").get_to(s.dropout);
    json.at("classes").get_to(classes);
  } catch (const FileError& e) {
    throw FileError(source + ": " + e.what());
  } catch (const nlohmann::json::exception& e) {
    throw FileError(source + ": these are no settings of a sentiment model; " + e.what());
  }
  check<FileError>(classes.size() == 2, "{}: there must be two classes; found {}", source,
                   classes.size());
  Vocabulary vocabulary = Vocabulary::load(folder / "vocabulary.json");
  const std::string weights = folder / "weights.safetensors";
  Safetensors file = load_safetensors(weights);
  check<FileError>(
      file.metadata["vocabulary"] == fingerprint(text, vocabulary),
      "{}: settings.json and vocabulary.json beside it are of another model; found {} words",
      weights, vocabulary.size());
  Random random(0);
  const std::size_t size = vocabulary.size();
  Classifier classifier{s, classes, std::move(vocabulary), Model(s, size, random)};
  import_weights(parameters(classifier.model), file.arrays, weights);
  return classifier;
}

}  // namespace sentiment
