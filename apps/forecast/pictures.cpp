#include "pictures.hpp"

#include <algorithm>
#include <cmath>

namespace forecast {

using namespace reel;

namespace {

double place(const Dataset& data, std::size_t row) {
  return data.table.times.empty() ? static_cast<double>(row + 1)
                                  : static_cast<double>(data.table.times[row]);
}

// Rows of the file that are shown before the forecast begins at `row`.
std::size_t first_shown(const Settings& settings, std::size_t row) {
  return row - std::min(row, std::max(settings.input_length, 3 * settings.horizon));
}

apps::Series truth_of(const Dataset& data, std::size_t target, std::size_t begin, std::size_t end) {
  apps::Series line{.name = "truth"};
  for (std::size_t row = begin; row < std::min(end, data.known); ++row) {
    line.x.push_back(place(data, row));
    line.y.push_back(data.table.columns[target][row]);
  }
  return line;
}

apps::Series forecast_of(const Method& method, const Forecasts& f, const Dataset& data,
                         std::size_t target, std::size_t row) {
  apps::Series line{.name = method.name};
  for (std::size_t h = 0; h < f.values.shape()[0]; ++h) {
    line.x.push_back(place(data, row + h));
    line.y.push_back(data.original(static_cast<double>(f.values(h, 0, target)), target));
  }
  return line;
}

apps::Series interval_of(const Forecasts& f, const Dataset& data, std::size_t target,
                         std::size_t row) {
  apps::Series band{.name = "interval", .style = apps::Series::Style::kBand};
  for (std::size_t h = 0; h < f.values.shape()[0]; ++h) {
    band.x.push_back(place(data, row + h));
    band.y.push_back(data.original(static_cast<double>(f.low(h, 0, target)), target));
    band.top.push_back(data.original(static_cast<double>(f.high(h, 0, target)), target));
  }
  return band;
}

}  // namespace

void show_figures(apps::Report& report, const std::vector<Scored>& scored, const Dataset& data) {
  auto rows = figures_table(scored, data);
  const std::vector<std::string> header = rows[0];
  rows.erase(rows.begin());
  report.table(header, rows);
  report.paragraph(
      "s is the standard deviation of a target in the part to learn from; MASE is the mean "
      "absolute "
      "error over that of the seasonal-naive forecast there.");
  apps::Chart chart{.title = "Error by distance", .x_label = "rows ahead", .y_label = "MAE / s"};
  for (const auto& [name, figures] : scored) {
    apps::Series& line = chart.series.emplace_back();
    line.name = name;
    for (std::size_t h = 0; h < figures.of_step.size(); ++h) {
      line.x.push_back(static_cast<double>(h + 1));
      line.y.push_back(figures.of_step[h].mae());
    }
  }
  if (scored[0].figures.of_step.size() > 1) report.chart(chart);
}

void show_forecast(apps::Report& report, const std::vector<Method>& methods, const Dataset& data,
                   const Window& window, const Settings& settings) {
  const std::size_t row = window.begin + settings.input_length;
  std::vector<Forecasts> forecasts;
  for (const Method& method : methods) forecasts.push_back(method.forecast(data, {&window, 1}));
  const std::size_t end = row + forecasts[0].values.shape()[0];
  for (std::size_t k = 0; k < std::min(data.targets(), kMostCharts); ++k) {
    apps::Chart chart{.title = data.source.targets[k] + " from " + data.time_of(row) + " on",
                      .x_is_time = !data.table.times.empty()};
    if (forecasts[0].intervals()) chart.series.push_back(interval_of(forecasts[0], data, k, row));
    chart.series.push_back(truth_of(data, k, first_shown(settings, row), end));
    for (std::size_t m = 0; m < methods.size(); ++m)
      chart.series.push_back(forecast_of(methods[m], forecasts[m], data, k, row));
    report.chart(chart);
  }
}

}  // namespace forecast
