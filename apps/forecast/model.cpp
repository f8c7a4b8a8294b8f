#include "model.hpp"

#include "../common/settings.hpp"

namespace forecast {

using namespace reel;
using apps::get_choice;
namespace fs = std::filesystem;

namespace {

// Calls visit(name, field) for all that settings.json holds of these.
void fields(auto& f, auto&& visit) {
  visit("targets", f.source.targets);
  visit("covariates", f.source.covariates);
  visit("date", f.source.date);
  visit("calendar", f.source.calendar);
  visit("logarithm", f.source.logarithm);
  visit("gap_flags", f.source.gap_flags);
  visit("season", f.source.season);
  visit("mean", f.scaling.columns.mean);
  visit("deviation", f.scaling.columns.deviation);
  visit("unit", f.scaling.unit);
  visit("naive", f.scaling.naive);
  visit("split", f.split);
  visit("width", f.width);
  visit("input_length", f.settings.input_length);
  visit("horizon", f.settings.horizon);
  visit("step", f.settings.step);
  visit("base", f.settings.base);
  visit("output", f.settings.output);
  visit("interval", f.settings.interval);
  visit("cell", f.settings.cell);
  visit("layers", f.settings.layers);
  visit("hidden_size", f.settings.hidden_size);
  visit("patch", f.settings.patch);
  visit("shared", f.settings.shared);
  visit("linear", f.settings.linear);
  visit("dropout", f.settings.dropout);
}

// What is read before there is a network.
struct Saved {
  Source source;
  Settings settings;
  Scaling scaling;
  std::vector<double> split;
  std::size_t width = 0;
};

// Throws Error unless a network can be made of them.
void check_saved(const Saved& p) {
  const auto in_range = [&](const char* name, std::size_t value, std::size_t low = 1) {
    check<Error>(value >= low && value <= apps::kMostSize, "{} must lie in {} .. {}; found {}",
                 name, low, apps::kMostSize, value);
  };
  const Settings& s = p.settings;
  in_range("input_length", s.input_length), in_range("horizon", s.horizon);
  in_range("step", s.step), in_range("layers", s.layers), in_range("patch", s.patch);
  in_range("hidden_size", s.hidden_size), in_range("season", p.source.season);
  in_range("targets", p.source.targets.size()), in_range("split", p.split.size(), 3);
  const std::size_t columns = p.source.targets.size() + p.source.covariates.size();
  in_range("width", p.width, columns);
  const bool fits =
      p.scaling.columns.mean.size() == columns && p.scaling.columns.deviation.size() == columns &&
      p.scaling.unit.size() == p.source.targets.size() &&
      p.scaling.naive.size() == p.source.targets.size() && s.interval > 0 && s.interval < 1;
  check<Error>(fits, "these are no settings of a forecasting model");
  s.check(p.source);
}

}  // namespace

void save(const fs::path& folder, Forecaster& forecaster) {
  nlohmann::ordered_json json;
  fields(forecaster, [&](const char* name, const auto& field) { json[name] = field; });
  apps::save_model(folder, json, {}, parameters(forecaster.network));
}

Forecaster load(const fs::path& folder) {
  return apps::load_model(folder, "a forecasting model", [&](const nlohmann::json& json) {
    Saved p;
    fields(p, [&](const char* name, auto& field) { json.at(name).get_to(field); });
    get_choice(json, "base", p.settings.base, {"last", "season", "none"});
    get_choice(json, "linear", p.settings.linear, {"fit", "learn", "none"});
    get_choice(json, "output", p.settings.output, {"point", "quantile", "gaussian"});
    check_saved(p);
    const apps::SavedWeights weights(folder, {});
    Random random(0);
    Network network(p.settings, p.source.season, p.width, p.source.targets.size(), random);
    weights.copy_to(parameters(network));
    return Forecaster{p.source, p.settings, p.scaling, p.split, p.width, std::move(network)};
  });
}

}  // namespace forecast
