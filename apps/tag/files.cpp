// The folder of a tagger.
#include "../common/settings.hpp"
#include "model.hpp"

namespace tag {

using namespace reel;
using apps::get_choice, apps::get_size;
namespace fs = std::filesystem;

namespace {

constexpr const char* kWords = "words.json";
constexpr const char* kShapes = "shapes.json";
constexpr const char* kCharacters = "characters.json";

apps::Companions companions(const Vocabulary& words, const Vocabulary& shapes,
                            const Vocabulary& characters) {
  return {
      {kWords, words.to_json()}, {kShapes, shapes.to_json()}, {kCharacters, characters.to_json()}};
}

}  // namespace

void save(const fs::path& folder, Tagger& tagger) {
  const Settings& s = tagger.settings;
  apps::save_model(folder,
                   {{"column", s.column},
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
                    {"tags", tagger.tags}},
                   companions(tagger.words, tagger.shapes, tagger.characters),
                   parameters(tagger.model));
}

Tagger load(const fs::path& folder) {
  return apps::load_model(folder, "a tagger", [&](const nlohmann::json& json) {
    Settings s;
    get_choice(json, "column", s.column, {"upos", "xpos"});
    get_choice(json, "characters", s.characters, {"lstm", "convolution", "none"});
    get_size(json, "embedding_size", s.embedding_size);
    get_size(json, "shape_size", s.shape_size, 0);
    get_size(json, "character_size", s.character_size);
    get_size(json, "composed_size", s.composed_size);
    get_size(json, "hidden_size", s.hidden_size);
    get_size(json, "layers", s.layers);
    get_size(json, "longest_word", s.longest_word);
    json.at("crf").get_to(s.crf);
    json.at("dropout").get_to(s.dropout);
    std::vector<std::string> tags = json.at("tags");
    check<Error>(!tags.empty(), "there must be tags; found none");
    Vocabulary words = Vocabulary::load(folder / kWords);
    Vocabulary shapes = Vocabulary::load(folder / kShapes);
    Vocabulary characters = Vocabulary::load(folder / kCharacters);
    const apps::SavedWeights weights(folder, companions(words, shapes, characters));
    Random random(0);
    Model model(s, {words.size(), shapes.size(), characters.size(), tags.size()}, random);
    weights.copy_to(parameters(model));
    return Tagger{s,
                  std::move(tags),
                  std::move(words),
                  std::move(shapes),
                  std::move(characters),
                  std::move(model)};
  });
}

}  // namespace tag
