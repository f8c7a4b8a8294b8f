// Forecasts by a model and by plain rules, and how far they were from what came.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "linear.hpp"
#include "model.hpp"

namespace forecast {

// Values as the model sees them [H, B, K], and where the output is an interval its ends.
struct Forecasts {
  reel::Array values, low, high;  // low and high empty: points
  bool intervals() const { return low.dimension() == 3; }
};

// Something that forecasts H rows behind windows of a data set.
struct Method {
  std::string name;
  std::function<Forecasts(const Dataset&, std::span<const reel::Window>)> forecast;
};

// Rolled out if the model's step is below `horizon`: what was forecast is read as if it had come,
// covariates stay as they were. Gaussian intervals of a rollout are those of kPaths drawn futures.
constexpr std::size_t kPaths = 100;
Forecasts forecast_windows(const Forecaster& forecaster, const Dataset& data,
                           std::span<const reel::Window> windows, std::size_t horizon);
Method model_method(const Forecaster& forecaster, const std::string& name);

// The last value, again and again; the last season's, in a row.
Method repeat_last(const Settings& settings);
Method seasonal_naive(const Settings& settings, std::size_t season);
// By the weights of fit_linear.
Method linear_model(const Settings& settings, std::vector<Matrix> weights);

struct Figures {
  std::vector<reel::ForecastErrors> of_target;  // in the file's units
  std::vector<reel::ForecastErrors> of_step;    // of each of the H rows, over `unit`
  reel::ForecastErrors scaled;                  // all values, over `unit`
  reel::IntervalErrors interval;                // over `unit`
  bool intervals = false;

  double mase(
      const Scaling& scaling) const;  // mean over the targets; not finite if one has no scale
};
Figures measure(const Method& method, const Dataset& data, std::span<const reel::Window> windows,
                const Settings& settings);

// A line for each method, below a line of headings; s is the deviation of a target in the part to
// learn from.
struct Scored {
  std::string name;
  Figures figures;
};
std::vector<std::vector<std::string>> figures_table(const std::vector<Scored>& scored,
                                                    const Dataset& data);
// The same as text, in columns.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace forecast
