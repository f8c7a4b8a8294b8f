// The folder of a tagger.
#include <fmt/format.h>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/optim/weights.hpp>

#include <nlohmann/json.hpp>

#include "../common/settings.hpp"
#include "model.hpp"

namespace tag {

using namespace reel;
using apps::get_size;
namespace fs = std::filesystem;

namespace {

constexpr const char* kVocabularies[] = {"words.json", "shapes.json", "characters.json"};

// Of settings and vocabularies.
std::string fingerprint(std::string text, const Tagger& tagger) {
  for (const Vocabulary* v : {&tagger.words, &tagger.shapes, &tagger.characters})
    text += v->to_json();
  return apps::fingerprint(text);
}

void get_choice(const nlohmann::json& json, const char* key,
                const std::vector<std::string>& choices, std::string& value) {
  json.at(key).get_to(value);
  check<FileError>(std::find(choices.begin(), choices.end(), value) != choices.end(),
                   "{} must be one of {}; found {:?}", key, fmt::join(choices, ", "), value);
}

void get_settings(const nlohmann::json& json, Settings& s, std::vector<std::string>& tags) {
  get_choice(json, "column", {"upos", "xpos"}, s.column);
  get_choice(json, "characters", {"lstm", "convolution", "none"}, s.characters);
  get_size(json, "embedding_size", s.embedding_size);
  get_size(json, "shape_size", s.shape_size, 0);
  get_size(json, "character_size", s.character_size);
  get_size(json, "composed_size", s.composed_size);
  get_size(json, "hidden_size", s.hidden_size);
  get_size(json, "layers", s.layers);
  get_size(json, "longest_word", s.longest_word);
  json.at("crf").get_to(s.crf);
  json.at("dropout").get_to(s.dropout);
  json.at("tags").get_to(tags);
  check<FileError>(!tags.empty(), "there must be tags; found none");
}

}  // namespace

void save(const fs::path& folder, Tagger& tagger) {
  const Settings& s = tagger.settings;
  const nlohmann::ordered_json json = {{"column", s.column},
                                       {"characters", s.characters},
                                       {"embedding_size", s.embedding_size},
                                       {"shape_size", s.shape_size},
                                       {"character_size", s.character_size},
                                       {"composed_size", s.composed_size},
                                       {"hidden_size", s.hidden_size},
                                       {"layers", s.layers},
                                       {"longest_word", s.longest_word},
                                       {"crf", s.crf},
                                       {"dropout", s.dropout},
                                       {"tags", tagger.tags}};
  const std::string text = json.dump(2) + "\n";
  write_file_atomically(folder / "settings.json", text);
  tagger.words.save(folder / kVocabularies[0]);
  tagger.shapes.save(folder / kVocabularies[1]);
  tagger.characters.save(folder / kVocabularies[2]);
  Safetensors file;
  file.arrays = export_weights(parameters(tagger.model));
  file.metadata["vocabulary"] = fingerprint(text, tagger);
  save_safetensors(folder / "weights.safetensors", file);
}

Tagger load(const fs::path& folder) {
  const std::string source = folder / "settings.json";
  const std::string text = read_file(source);
  const nlohmann::json json = parse_json(text, source);
  Settings s;
  std::vector<std::string> tags;
  try {
    get_settings(json, s, tags);
  } catch (const FileError& e) {
    throw FileError(source + ": " + e.what());
  } catch (const nlohmann::json::exception& e) {
    throw FileError(source + ": these are no settings of a tagger; " + e.what());
  }
  Vocabulary words = Vocabulary::load(folder / kVocabularies[0]);
  Vocabulary shapes = Vocabulary::load(folder / kVocabularies[1]);
  Vocabulary characters = Vocabulary::load(folder / kVocabularies[2]);
  Random random(0);
  Model model(s, {words.size(), shapes.size(), characters.size(), tags.size()}, random);
  Tagger tagger{s,
                std::move(tags),
                std::move(words),
                std::move(shapes),
                std::move(characters),
                std::move(model)};
  const std::string weights = folder / "weights.safetensors";
  Safetensors file = load_safetensors(weights);
  check<FileError>(file.metadata["vocabulary"] == fingerprint(text, tagger),
                   "{}: settings.json and the vocabularies beside it are of another model; found "
                   "{} words",
                   weights, tagger.words.size());
  import_weights(parameters(tagger.model), file.arrays, weights);
  return tagger;
}

}  // namespace tag
