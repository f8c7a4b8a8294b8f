#include "model.hpp"

#include <reel/data/batches.hpp>

#include "../common/settings.hpp"

namespace translate {

using namespace reel;
using apps::get_size;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kBatch = 32;  // texts that are translated together
constexpr const char* kSource = "source.json";
constexpr const char* kTarget = "target.json";

std::size_t longest_translation(std::size_t source_tokens) { return 2 * source_tokens + 10; }

apps::Companions companions(const BytePairs& source, const BytePairs& target) {
  return {{kSource, source.to_json()}, {kTarget, target.to_json()}};
}

AttentionScore score_of(const std::string& name) {
  if (name == "general") return AttentionScore::kGeneral;
  if (name == "additive") return AttentionScore::kAdditive;
  throw Error("attention: must be general or additive; got " + name);
}

std::vector<std::string> names_of(const BytePairs& pairs, const Tokens& tokens) {
  std::vector<std::string> names;
  for (const std::int64_t token : tokens) names.push_back(pairs.token(token));
  return names;
}

}  // namespace

Translator make_translator(const Settings& settings, BytePairs source, BytePairs target,
                           Random& random) {
  const EncoderDecoderOptions options{.source_tokens = source.size(),
                                      .target_tokens = target.size(),
                                      .embedding_size = settings.embedding_size,
                                      .hidden_size = settings.hidden_size,
                                      .score = score_of(settings.attention),
                                      .dropout = settings.dropout};
  return {settings, std::move(source), std::move(target), Network(options, random)};
}

Tokens Translator::encode_source(const std::string& text) const {
  Tokens tokens = source.encode(text);
  tokens.push_back(BytePairs::kEnd);
  return tokens;
}
Tokens Translator::encode_target(const std::string& text) const {
  Tokens tokens = target.encode(text);
  tokens.push_back(BytePairs::kEnd);
  return tokens;
}

std::vector<std::vector<Hypothesis>> Translator::decode(const Indices& tokens,
                                                        const std::vector<std::size_t>& lengths,
                                                        const Search& search) const {
  StateSteps steps(network.encode(tokens, lengths),
                   [&](const Indices& last, const Network::State& state) {
                     auto next = network.step(last, state).state;
                     return std::pair{network.scores(next.attentional), std::move(next)};
                   });
  DecodeOptions options{
      .start = Tokens(lengths.size(), BytePairs::kStart), .end = BytePairs::kEnd, .limit = {}};
  for (const std::size_t length : lengths) options.limit.push_back(longest_translation(length));
  if (!search.sampled && search.beam > 1)
    return beam_search(steps, options,
                       {.width = search.beam, .n_best = search.n_best, .alpha = search.alpha});
  Random random(search.seed);
  std::vector<std::vector<Hypothesis>> all;
  for (Hypothesis& h :
       search.sampled ? sample(steps, options, search.how, random) : greedy(steps, options))
    all.push_back({std::move(h)});
  return all;
}

auto Translator::translate(const std::vector<std::string>& texts, const Search& search) const
    -> std::vector<std::vector<Translation>> {
  std::vector<Tokens> sequences;
  for (const std::string& text : texts) sequences.push_back(encode_source(text));
  std::vector<std::vector<Translation>> all(texts.size());
  for (const Batch& batch : make_batches(sequences, kBatch)) {
    const auto found = decode(batch.tokens, batch.lengths, search);
    for (std::size_t i = 0; i < batch.rows.size(); ++i)
      for (const Hypothesis& h : found[i])
        all[batch.rows[i]].push_back({target.decode(h.tokens), h.score});
  }
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (texts[i].empty()) all[i] = {{"", 0}};
  return all;
}

auto Translator::align(const std::string& text, const std::string& translation) const -> Alignment {
  const Tokens from = encode_source(text), to = encode_target(translation);
  const Batch batch = make_batch(std::vector<Tokens>{from}, std::vector<std::size_t>{0});
  return {names_of(source, from), names_of(target, to),
          network.alignment(network.encode(batch.tokens, batch.lengths), BytePairs::kStart, to)};
}

void save(const fs::path& folder, Translator& t) {
  apps::save_model(folder,
                   {{"subwords", t.settings.subwords},
                    {"embedding_size", t.settings.embedding_size},
                    {"hidden_size", t.settings.hidden_size},
                    {"attention", t.settings.attention},
                    {"dropout", t.settings.dropout}},
                   companions(t.source, t.target), parameters(t.network));
}

Translator load(const fs::path& folder) {
  return apps::load_model(folder, "a translator", [&](const nlohmann::json& json) {
    Settings settings;
    get_size(json, "subwords", settings.subwords);
    get_size(json, "embedding_size", settings.embedding_size);
    get_size(json, "hidden_size", settings.hidden_size);
    json.at("attention").get_to(settings.attention);
    json.at("dropout").get_to(settings.dropout);
    BytePairs source = BytePairs::load(folder / kSource);
    BytePairs target = BytePairs::load(folder / kTarget);
    const apps::SavedWeights weights(folder, companions(source, target));
    Random random(0);
    Translator t = make_translator(settings, std::move(source), std::move(target), random);
    weights.copy_to(parameters(t.network));
    return t;
  });
}

}  // namespace translate
