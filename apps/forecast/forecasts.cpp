#include "forecasts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace forecast {

using namespace reel;

namespace {

constexpr std::size_t kBatch = 256;

// x such that a share p of the standard normal distribution lies below it, by bisection.
double normal_quantile(double p) {
  double low = -10, high = 10;
  while (high - low > 1e-9) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < p ? low : high) = middle;
  }
  return low;
}

// The inputs of a window [T, B, F] moved on by the rows that were forecast, values [n, B, K]: their
// other columns are those of the data for what is known ahead, else as in the last row.
Array moved_on(const Array& inputs, const Array& values, const Dataset& data,
               std::span<const Window> windows, std::size_t first) {
  const std::size_t length = inputs.shape()[0], batch = inputs.shape()[1], width = data.width();
  const std::size_t n = values.shape()[0], targets = data.targets();
  const std::size_t known_ahead = width - data.calendar_width;
  Array next = empty_array(shape_of(inputs));
  for (std::size_t t = 0; t < length; ++t)
    for (std::size_t b = 0; b < batch; ++b)
      for (std::size_t f = 0; f < width; ++f) {
        const std::size_t from = t + n;
        if (from < length)
          next(t, b, f) = inputs(from, b, f);
        else if (f < targets)
          next(t, b, f) = values(from - length, b, f);
        else if (f >= known_ahead)
          next(t, b, f) = data.series[0].inputs(windows[b].begin + first + from, f);
        else
          next(t, b, f) = inputs(length - 1, b, f);
      }
  return next;
}

// One of the numbers that a network says of each value: output [step, B, K, numbers].
Array part(const Var& output, std::size_t number) {
  return index(output, 3, static_cast<std::ptrdiff_t>(number)).value();
}

// Calls keep(output, values, row) for each stretch of rows; the values that come of an output are
// read by the next stretch as if they had come true.
template <class Choose, class Keep>
void roll(const Forecaster& forecaster, const Dataset& data, std::span<const Window> windows,
          std::size_t horizon, Choose&& choose, Keep&& keep) {
  Array inputs =
      make_windows(data.series, windows, {forecaster.settings.input_length, horizon}).inputs;
  for (std::size_t at = 0; at < horizon; at += forecaster.settings.step) {
    const Var output = forecaster.network(Var(inputs), nullptr);
    const Array values = choose(output);
    keep(output, values, at);
    if (at + forecaster.settings.step < horizon)
      inputs = moved_on(inputs, values, data, windows, at);
  }
}

// Writes `some` [n, B, K] into rows at, at + 1, .. of `all`, as far as these reach.
void write_rows(Array& all, const Array& some, std::size_t at) {
  const std::size_t row = all.shape()[1] * all.shape()[2];
  const std::size_t rows = std::min(some.shape()[0], all.shape()[0] - at);
  std::copy_n(some.data(), rows * row, all.data() + at * row);
}

// The intervals of rows at, at + 1, ..: as wide as the Gaussian says, or from the least to the
// greatest quantile, since these may cross.
void write_interval(Forecasts& all, const Settings& settings, const Var& output,
                    const Array& values, std::size_t at) {
  Array low = values, high = values;
  if (settings.output == "gaussian") {
    const auto bound = static_cast<real>(normal_quantile((1 + settings.interval) / 2));
    const Array deviation = part(output, 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      low.data()[i] -= bound * deviation.data()[i];
      high.data()[i] += bound * deviation.data()[i];
    }
  } else {
    for (const Array& other : {part(output, 0), part(output, 2)})
      for (std::size_t i = 0; i < values.size(); ++i) {
        low.data()[i] = std::min(low.data()[i], other.data()[i]);
        high.data()[i] = std::max(high.data()[i], other.data()[i]);
      }
  }
  write_rows(all.low, low, at);
  write_rows(all.high, high, at);
}

// Intervals of a rollout of Gaussians: the spread of kPaths futures that are drawn from them.
void draw_intervals(const Forecaster& forecaster, const Dataset& data,
                    std::span<const Window> windows, Forecasts& all) {
  Random random(1);
  const std::size_t horizon = all.values.shape()[0], targets = data.targets();
  const double tail = (1 - forecaster.settings.interval) / 2;
  for (std::size_t b = 0; b < windows.size(); ++b) {
    const std::vector<Window> paths(kPaths, windows[b]);
    Array drawn = empty_array({horizon, kPaths, targets});
    const auto draw = [&](const Var& output) {
      Array values = part(output, 0);
      const Array deviation = part(output, 1);
      for (std::size_t i = 0; i < values.size(); ++i)
        values.data()[i] += deviation.data()[i] * static_cast<real>(random.normal());
      return values;
    };
    roll(forecaster, data, paths, horizon, draw,
         [&](const Var&, const Array& values, std::size_t at) { write_rows(drawn, values, at); });
    for (std::size_t h = 0; h < horizon; ++h)
      for (std::size_t k = 0; k < targets; ++k) {
        std::vector<real> sorted;
        for (std::size_t p = 0; p < kPaths; ++p) sorted.push_back(drawn(h, p, k));
        std::sort(sorted.begin(), sorted.end());
        const auto last = static_cast<double>(kPaths - 1);
        all.low(h, b, k) = sorted[static_cast<std::size_t>(std::lround(tail * last))];
        all.high(h, b, k) = sorted[static_cast<std::size_t>(std::lround((1 - tail) * last))];
      }
  }
}

}  // namespace

Forecasts forecast_windows(const Forecaster& forecaster, const Dataset& data,
                           std::span<const Window> windows, std::size_t horizon) {
  const Settings& settings = forecaster.settings;
  const reel::Shape shape{horizon, windows.size(), data.targets()};
  Forecasts all{empty_array(shape), {}, {}};
  if (settings.output != "point") all.low = all.high = empty_array(shape);
  const bool rolled_out = settings.step < horizon, gaussian = settings.output == "gaussian";
  roll(
      forecaster, data, windows, horizon,
      [&](const Var& output) { return part(output, settings.output == "quantile" ? 1 : 0); },
      [&](const Var& output, const Array& values, std::size_t at) {
        write_rows(all.values, values, at);
        if (all.intervals() && !(gaussian && rolled_out))
          write_interval(all, settings, output, values, at);
      });
  if (gaussian && rolled_out) draw_intervals(forecaster, data, windows, all);
  return all;
}

Method model_method(const Forecaster& forecaster, const std::string& name) {
  return {name, [&forecaster](const Dataset& data, std::span<const Window> windows) {
            return forecast_windows(forecaster, data, windows, forecaster.settings.horizon);
          }};
}

double Figures::mase(const Scaling& scaling) const {
  double sum = 0;
  for (std::size_t k = 0; k < of_target.size(); ++k) sum += of_target[k].mase(scaling.naive[k]);
  return sum / static_cast<double>(of_target.size());
}

Figures measure(const Method& method, const Dataset& data, std::span<const Window> windows,
                const Settings& settings) {
  const std::size_t targets = data.targets(), horizon = settings.horizon;
  Figures figures;
  figures.of_target.resize(targets);
  figures.of_step.resize(horizon);
  for (std::size_t begin = 0; begin < windows.size(); begin += kBatch) {
    const auto some = windows.subspan(begin, std::min(kBatch, windows.size() - begin));
    const Forecasts f = method.forecast(data, some);
    const bool intervals = figures.intervals = f.intervals();
    for (std::size_t b = 0; b < some.size(); ++b)
      for (std::size_t h = 0; h < horizon; ++h)
        for (std::size_t k = 0; k < targets; ++k) {
          const std::size_t row = some[b].begin + settings.input_length + h;
          const double truth = data.table.columns[k][row], unit = data.scaling.unit[k];
          const double value = data.original(static_cast<double>(f.values(h, b, k)), k);
          figures.of_target[k].add(value, truth);
          figures.of_step[h].add(value / unit, truth / unit);
          if (intervals)
            figures.interval.add(data.original(static_cast<double>(f.low(h, b, k)), k) / unit,
                                 data.original(static_cast<double>(f.high(h, b, k)), k) / unit,
                                 truth / unit);
        }
  }
  for (const ForecastErrors& errors : figures.of_step) figures.scaled.add(errors);
  return figures;
}

std::vector<std::vector<std::string>> figures_table(const std::vector<Scored>& scored,
                                                    const Dataset& data) {
  const bool single = data.targets() == 1;
  std::vector<std::vector<std::string>> rows = {{"", "MSE/s^2", "MAE/s", "MASE"}};
  if (single) rows[0].insert(rows[0].end(), {"MSE", "MAE", "RMSE"});
  const auto number = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.4f}", value) : "-";
  };
  bool intervals = false;
  for (const auto& [name, f] : scored) {
    std::vector<std::string>& row = rows.emplace_back();
    row = {name, number(f.scaled.mse()), number(f.scaled.mae()), number(f.mase(data.scaling))};
    if (single)
      for (const double value : {f.of_target[0].mse(), f.of_target[0].mae(), f.of_target[0].rmse()})
        row.push_back(number(value));
    intervals = intervals || f.intervals;
    if (f.intervals)
      row.insert(row.end(), {number(f.interval.coverage()), number(f.interval.width())});
  }
  if (intervals) rows[0].insert(rows[0].end(), {"inside", "width/s"});
  for (auto& row : rows) row.resize(rows[0].size());
  return rows;
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows[0].size(), 0);
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string text;
  for (const auto& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t c = 1; c < row.size(); ++c) line += fmt::format("  {:>{}}", row[c], widths[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace forecast
