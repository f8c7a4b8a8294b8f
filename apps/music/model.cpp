#include "model.hpp"

#include <reel/layers/loss.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "../common/settings.hpp"

namespace music {

using namespace reel;
using apps::get_size;
namespace fs = std::filesystem;

std::size_t Batch::steps() const {
  return std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
}

Batch make_batch(std::span<const PianoRoll* const> rolls) {
  Batch batch{keys_of(rolls, 1), keys_of(rolls), {}};
  for (const PianoRoll* roll : rolls) batch.lengths.push_back(roll->size());
  return batch;
}

Model::Model(const Settings& settings, Random& random)
    : dropout_(settings.dropout),
      layers_(make_layers(settings, random)),
      head_(settings.hidden_size, kPianoKeys, random) {}

Model::Layers Model::make_layers(const Settings& settings, Random& random) {
  const std::vector<std::size_t> sizes(settings.layers, settings.hidden_size);
  const StackConfig config{.dropout = settings.dropout};
  if (settings.cell == "lstm") return make_stack<Lstm>(kPianoKeys, sizes, random, config);
  if (settings.cell == "gru") return make_stack<Gru>(kPianoKeys, sizes, random, config);
  throw Error("cell: must be lstm or gru; got " + settings.cell);
}

Model::Result Model::operator()(const Batch& batch, Random* random) const {
  const std::size_t rolls = batch.lengths.size();
  std::vector<std::int64_t> rows;  // of [T B] that are no padding
  for (std::size_t t = 0; t < batch.keys.shape(0); ++t)
    for (std::size_t b = 0; b < rolls; ++b)
      if (t < batch.lengths[b]) rows.push_back(static_cast<std::int64_t>(t * rolls + b));
  Indices at = Indices::from_shape({rows.size()});
  std::copy(rows.begin(), rows.end(), at.begin());
  const auto without_padding = [&](const Var& x) {
    return gather(reshape(x, {-1, static_cast<std::ptrdiff_t>(x.size(2))}), at);
  };
  const Var outputs = std::visit(
      [&](const auto& layers) {
        return layers(Var(batch.heard), {.lengths = batch.lengths, .random = random}).outputs;
      },
      layers_);  // [T, B, hidden]
  return {head_(dropout_(without_padding(outputs), random)),
          without_padding(Var(batch.keys)).value()};
}

void Model::start_from(const std::vector<PianoRoll>& pieces, int transpose) {
  std::vector<double> sounding(kPianoKeys, 0.5);
  double steps = 1;
  for (const PianoRoll& piece : pieces) {
    const auto [lowest, highest] = transposition_range(piece);
    for (int by = std::max(lowest, -transpose); by <= std::min(highest, transpose); ++by) {
      steps += static_cast<double>(piece.size());
      for (const auto& step : piece)
        for (const int pitch : step)
          ++sounding[static_cast<std::size_t>(pitch + by - kLowestPitch)];
    }
  }
  Array& bias = head_.bias.mutable_value();
  for (std::size_t key = 0; key < kPianoKeys; ++key)
    bias(key) = static_cast<real>(std::log(sounding[key] / (steps - sounding[key])));
}

Var nll(const Model::Result& result) {
  return bce_with_logits(result.logits, result.keys) * static_cast<real>(kPianoKeys);
}

PianoRoll Model::generate(PianoRoll roll, std::size_t steps, double temperature,
                          Random& random) const {
  std::visit(
      [&](const auto& layers) {
        auto state = layers.initial_state(1);
        const std::size_t end = roll.size() + steps;
        Array heard = full_array({1, kPianoKeys}, 0);
        for (std::size_t t = 0; t < end; ++t) {
          auto [output, next] = layers.step(Var(heard), state);
          state = std::move(next);
          if (t == roll.size()) {
            const Array logits = head_(output).value();
            roll.emplace_back();
            for (std::size_t key = 0; key < kPianoKeys; ++key) {
              const double p =
                  1 / (1 + std::exp(-static_cast<double>(logits(0, key)) / temperature));
              if (random.uniform() < p) roll[t].push_back(kLowestPitch + static_cast<int>(key));
            }
          }
          heard.fill(0);
          for (const int pitch : roll[t])
            heard(0, static_cast<std::size_t>(pitch - kLowestPitch)) = 1;
        }
      },
      layers_);
  return roll;
}

void save(const fs::path& folder, const Settings& s, Model& model) {
  apps::save_model(folder,
                   {{"cell", s.cell},
                    {"hidden_size", s.hidden_size},
                    {"layers", s.layers},
                    {"dropout", s.dropout}},
                   {}, parameters(model));
}

Model load(const fs::path& folder) {
  return apps::load_model(folder, "a music model", [&](const nlohmann::json& json) {
    Settings s;
    json.at("cell").get_to(s.cell);
    get_size(json, "hidden_size", s.hidden_size, 1, kLargestSize);
    get_size(json, "layers", s.layers, 1, kMostLayers);
    json.at("dropout").get_to(s.dropout);
    const apps::SavedWeights weights(folder, {});
    Random random(0);
    Model model(s, random);
    weights.copy_to(parameters(model));
    return model;
  });
}

}  // namespace music
