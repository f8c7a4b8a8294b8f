#include "model.hpp"

#include "../common/settings.hpp"

namespace text {

using namespace reel;
using apps::get_size;
namespace fs = std::filesystem;

namespace {
constexpr double kEmbeddingDeviation = 0.1;
constexpr const char* kVocabulary = "vocabulary.json";

apps::Companions companions(const Vocabulary& vocabulary) {
  return {{kVocabulary, vocabulary.to_json()}};
}

// The width of what the last layer gives: a tied output needs the embedding's.
std::vector<std::size_t> widths(const Settings& settings) {
  std::vector<std::size_t> widths(settings.layers, settings.hidden_size);
  if (settings.output == "tied") widths.back() = settings.embedding_size;
  return widths;
}

// Clusters of the adaptive softmax for so many tokens: the most frequent ninth in the head.
std::vector<std::size_t> default_cutoffs(std::size_t count) {
  if (count < 9) return {1};
  return {count / 9, count / 3};
}

}  // namespace

Model::Model(const Settings& settings, std::size_t vocabulary_size, Random& random)
    : words_(make_words(settings, vocabulary_size, random)),
      layers_(make_layers(settings, random)),
      dropout_(settings.dropout) {}

Model::Words Model::make_words(const Settings& s, std::size_t count, Random& random) {
  const std::size_t width = widths(s).back();
  if (s.output == "tied")
    return TiedWords{TiedEmbedding(count, s.embedding_size, random, kEmbeddingDeviation)};
  Embedding encoder(count, s.embedding_size, random, kEmbeddingDeviation);
  if (s.output == "linear") return LinearWords{std::move(encoder), Linear(width, count, random)};
  check<Error>(s.output == "adaptive", "output: must be linear, tied or adaptive; got {}",
               s.output);
  const auto cutoffs = s.cutoffs.empty() ? default_cutoffs(count) : s.cutoffs;
  return AdaptiveWords{std::move(encoder),
                       AdaptiveSoftmax(width, count, random, {.cutoffs = cutoffs})};
}

Model::AnyLayers Model::make_layers(const Settings& s, Random& random) {
  const StackConfig config{.dropout = s.dropout, .recurrent = {.weights = s.weight_dropout}};
  const auto make = [&]<class C>(std::type_identity<C>) -> AnyLayers {
    auto layers = make_stack<C>(s.embedding_size, widths(s), random, config);
    layers.layers.front().dropout.inputs = s.input_dropout;
    return layers;
  };
  if (s.cell == "lstm") return make(std::type_identity<Lstm>());
  if (s.cell == "gru") return make(std::type_identity<Gru>());
  if (s.cell == "sru") return make(std::type_identity<Sru>());
  if (s.cell == "min-gru") return make(std::type_identity<MinGru>());
  throw Error("cell: must be lstm, gru, sru or min-gru; got " + s.cell);
}

Var Model::operator()(const Indices& tokens, State& state, Random* random) const {
  const Var x = std::visit([&](const auto& words) { return words.encoder(tokens); }, words_);
  const Var h = std::visit(
      [&](const auto& layers) {
        auto start = layers.initial_state(x.size(1));
        std::size_t i = 0;
        if (!state.empty()) for_each_part(start, [&](Var& part) { part = state.at(i++); });
        auto result = layers(x, {.state = std::move(start), .random = random});
        state.clear();
        for_each_part(result.state, [&](Var& part) { state.push_back(std::move(part)); });
        return result.outputs;
      },
      layers_);
  return dropout_(h, random);
}

Var Model::loss(const Var& h, const Indices& targets) const {
  return std::visit([&](const auto& words) { return words.loss(h, targets); }, words_);
}

Var Model::log_probabilities(const Var& h) const {
  return std::visit([&](const auto& words) { return words.log_probabilities(h); }, words_);
}

std::vector<std::string> split_text(const std::string& text, const Settings& settings) {
  return settings.level == "word" ? tokenize_lines(text) : characters(text);
}

std::vector<std::int64_t> LanguageModel::encode(const std::string& text) const {
  return vocabulary.encode(split_text(text, settings));
}

void save(const fs::path& folder, LanguageModel& lm) {
  const Settings& s = lm.settings;
  apps::save_model(folder,
                   {{"level", s.level},
                    {"cell", s.cell},
                    {"output", s.output},
                    {"cutoffs", s.cutoffs},
                    {"embedding_size", s.embedding_size},
                    {"hidden_size", s.hidden_size},
                    {"layers", s.layers},
                    {"dropout", s.dropout},
                    {"input_dropout", s.input_dropout},
                    {"weight_dropout", s.weight_dropout}},
                   companions(lm.vocabulary), parameters(lm.model));
}

LanguageModel load(const fs::path& folder) {
  return apps::load_model(folder, "a language model", [&](const nlohmann::json& json) {
    Settings s;
    apps::get_choice(json, "level", s.level, {"character", "word"});
    s.cell = current_cell(json.at("cell").get<std::string>());
    json.at("output").get_to(s.output);
    json.at("cutoffs").get_to(s.cutoffs);
    get_size(json, "embedding_size", s.embedding_size);
    get_size(json, "hidden_size", s.hidden_size);
    get_size(json, "layers", s.layers);
    json.at("dropout").get_to(s.dropout);
    json.at("input_dropout").get_to(s.input_dropout);
    json.at("weight_dropout").get_to(s.weight_dropout);
    Vocabulary vocabulary = Vocabulary::load(folder / kVocabulary);
    const apps::SavedWeights weights(folder, companions(vocabulary));
    Random random(0);
    const std::size_t size = vocabulary.size();
    LanguageModel lm{s, std::move(vocabulary), Model(s, size, random)};
    weights.copy_to(parameters(lm.model));
    return lm;
  });
}

}  // namespace text
