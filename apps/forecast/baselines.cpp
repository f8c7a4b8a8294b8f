// Plain rules to stand beside the model.
#include <algorithm>
#include <memory>

#include "forecasts.hpp"

namespace forecast {

using namespace reel;

namespace {

// A method that writes the forecasts of one target from `row` on, the first that is not known.
using Rule = std::function<void(const Dataset&, std::size_t target, std::size_t row,
                                std::span<double> values)>;

Method by_rule(std::string name, const Settings& settings, Rule rule) {
  const std::size_t horizon = settings.horizon, length = settings.input_length;
  const auto forecast = [=](const Dataset& data, std::span<const Window> windows) {
    const std::size_t targets = data.targets();
    Forecasts all{empty_array({horizon, windows.size(), targets}), {}, {}};
    std::vector<double> values(horizon);
    for (std::size_t b = 0; b < windows.size(); ++b)
      for (std::size_t k = 0; k < targets; ++k) {
        rule(data, k, windows[b].begin + length, values);
        for (std::size_t h = 0; h < horizon; ++h)
          all.values(h, b, k) = static_cast<real>(values[h]);
      }
    return all;
  };
  return {std::move(name), forecast};
}

}  // namespace

Method repeat_last(const Settings& settings) {
  const auto rule = [](const Dataset& data, std::size_t target, std::size_t row,
                       std::span<double> values) {
    std::fill(values.begin(), values.end(), data.value(target, row - 1));
  };
  return by_rule("repeat-last", settings, rule);
}

Method seasonal_naive(const Settings& settings, std::size_t season) {
  const auto rule = [season](const Dataset& data, std::size_t target, std::size_t row,
                             std::span<double> values) {
    for (std::size_t h = 0; h < values.size(); ++h)
      values[h] = data.value(target, row < season ? row - 1 : row - season + h % season);
  };
  return by_rule("seasonal-naive", settings, rule);
}

Method linear_model(const Settings& settings, std::vector<Matrix> weights) {
  const auto shared = std::make_shared<std::vector<Matrix>>(std::move(weights));
  return by_rule(
      "linear", settings,
      [shared](const Dataset& all, std::size_t target, std::size_t row, std::span<double> values) {
        apply_linear((*shared)[target], all, target, row, values);
      });
}

}  // namespace forecast
