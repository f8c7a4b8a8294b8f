#include "model.hpp"

#include "../common/settings.hpp"

namespace names {

using namespace reel;
using apps::get_size;
namespace fs = std::filesystem;

namespace {
constexpr double kEmbeddingDeviation = 0.3;
constexpr const char* kLetters = "letters.json";

apps::Companions companions(const Vocabulary& letters) { return {{kLetters, letters.to_json()}}; }

std::variant<Writer, Listener> make(const Settings& s, std::size_t letters, std::size_t languages,
                                    Random& random) {
  const std::size_t in = s.embedding_size, hidden = s.hidden_size;
  Embedding letter_vectors(letters, in, random, kEmbeddingDeviation);
  if (s.task == "generate")
    return Writer{std::move(letter_vectors), Embedding(languages, in, random, kEmbeddingDeviation),
                  Recurrent(Lstm(2 * in, hidden, random)), Linear(hidden, letters, random),
                  Dropout(s.dropout)};
  check<Error>(s.task == "classify", "task: must be generate or classify; got {}", s.task);
  return Listener{std::move(letter_vectors),
                  Bidirectional<Lstm>(Lstm(in, hidden, random), Lstm(in, hidden, random)),
                  Linear(2 * hidden, languages, random), Dropout(s.dropout)};
}
}  // namespace

Var Writer::operator()(const Indices& tokens, std::span<const std::size_t> lengths,
                       const Indices& of_rows, Random* random) const {
  Indices of_all = Indices::from_shape(tokens.shape());
  for (std::size_t i = 0; i < of_all.size(); ++i)
    of_all.data()[i] = of_rows.data()[i % of_rows.size()];
  const Var x = dropout(concat({letters(tokens), languages(of_all)}, -1), random);
  return head(dropout(recurrent(x, {.lengths = lengths}).outputs, random));
}

auto Writer::step(const Indices& tokens, const Indices& of_rows, const State& state) const
    -> std::pair<Var, State> {
  const Var x = concat({letters(tokens), languages(of_rows)}, -1);
  auto [h, next] = recurrent.step(x, state);
  return {head(h), std::move(next)};
}

Var Listener::operator()(const Indices& tokens, std::span<const std::size_t> lengths,
                         Random* random) const {
  const Var x = dropout(letters(tokens), random);
  const Var last = recurrent(x, {.lengths = lengths, .all_outputs = false}).last();
  return head(dropout(last, random));
}

Network::Network(const Settings& settings, std::size_t letters, std::size_t languages,
                 Random& random)
    : either(make(settings, letters, languages, random)) {}

std::vector<std::int64_t> Model::encode(const std::string& name) const {
  return letters.encode(characters(kEdge + name + kEdge));
}

Array Model::probabilities(const Batch& batch) const {
  const auto* listener = std::get_if<Listener>(&network.either);
  check<Error>(listener, "this model generates names; for the other task train --task classify");
  return softmax((*listener)(batch.tokens, batch.lengths, nullptr)).value();
}

void save(const fs::path& folder, Model& model) {
  const Settings& s = model.settings;
  apps::save_model(folder,
                   {{"task", s.task},
                    {"embedding_size", s.embedding_size},
                    {"hidden_size", s.hidden_size},
                    {"dropout", s.dropout},
                    {"languages", model.languages}},
                   companions(model.letters), parameters(model.network));
}

Model load(const fs::path& folder) {
  return apps::load_model(folder, "a model of names", [&](const nlohmann::json& json) {
    Settings s;
    json.at("task").get_to(s.task);
    get_size(json, "embedding_size", s.embedding_size);
    get_size(json, "hidden_size", s.hidden_size);
    json.at("dropout").get_to(s.dropout);
    std::vector<std::string> languages = json.at("languages");
    check<Error>(!languages.empty(), "there must be a language; found none");
    Vocabulary letters = Vocabulary::load(folder / kLetters);
    const apps::SavedWeights weights(folder, companions(letters));
    Random random(0);
    Network network(s, letters.size(), languages.size(), random);
    Model model{s, std::move(languages), std::move(letters), std::move(network)};
    weights.copy_to(parameters(model.network));
    return model;
  });
}

}  // namespace names
