#include "commands.hpp"

#include <fmt/format.h>
#include <reel/layers/module.hpp>

#include <algorithm>

#include "../common/bundled.hpp"
#include "../common/run.hpp"
#include "pictures.hpp"

namespace forecast {

using namespace reel;
namespace fs = std::filesystem;

namespace {

// A data set cut into parts.
struct Prepared {
  Dataset data;
  Parts parts;
};

fs::path bundled() { return apps::bundled("forecast/series") / "co2-concentration.csv"; }

// The calendar's columns depend on how far apart rows are.
void check_width(const Forecaster& forecaster, const Dataset& data, const fs::path& path) {
  check<FileError>(data.width() == forecaster.width,
                   "{}: must give {} input columns, those of the calendar included, as what the "
                   "model learned from; found {}",
                   path.string(), forecaster.width, data.width());
}

Prepared open(const Forecaster& forecaster, const UseRequest& request) {
  Source source = forecaster.source;
  const fs::path path = request.data.empty() ? bundled() : request.data;
  Table table = read_source(path, source);
  const std::vector<double>& split = request.split.empty() ? forecaster.split : request.split;
  const Parts parts = cut(split, table.rows);
  Dataset data = make_dataset(std::move(table), source, forecaster.scaling);
  check_width(forecaster, data, path);
  return {std::move(data), parts};
}

// The model first, then the plain rules.
std::vector<Method> methods(const Forecaster& forecaster, const Prepared& prepared) {
  const Settings& settings = forecaster.settings;
  const WindowOptions shape{settings.input_length, settings.horizon};
  std::vector<Method> all = {model_method(forecaster, settings.cell)};
  if (!find_windows(prepared.data.series, shape, prepared.parts.train).empty())
    all.push_back(linear_model(
        settings, fit_linear(prepared.data, shape, prepared.parts.train, prepared.parts.dev)));
  all.push_back(repeat_last(settings));
  if (forecaster.source.season > 1)
    all.push_back(seasonal_naive(settings, forecaster.source.season));
  return all;
}

std::vector<Window> test_windows(const Forecaster& forecaster, const Prepared& prepared,
                                 std::size_t stride = 1) {
  const Settings& settings = forecaster.settings;
  std::vector<Window> windows = find_windows(
      prepared.data.series, {settings.input_length, settings.horizon, stride}, prepared.parts.test);
  const RowRange& part = prepared.parts.test;
  std::size_t gaps = 0;
  for (std::size_t row = part.begin; row < part.end; ++row)
    gaps += has_gaps(prepared.data.table, {row, row + 1});
  check<Error>(!windows.empty(),
               "there must be {} rows without gaps to measure on, behind {} known ones; found {} "
               "rows, {} of them with gaps{}",
               settings.horizon, settings.input_length, part.end - part.begin, gaps,
               gaps > 0 ? " (dates that are left out are gaps)" : "");
  return windows;
}

std::vector<Scored> score(const std::vector<Method>& all, const Prepared& prepared,
                          std::span<const Window> windows, const Settings& settings) {
  std::vector<Scored> scored;
  for (const Method& method : all)
    scored.push_back({method.name, measure(method, prepared.data, windows, settings)});
  return scored;
}

// Prints the figures of the test part; with the first, the middle and the last forecast they go
// onto the page, if one is wanted.
void measure_and_show(const Forecaster& forecaster, const Prepared& prepared, apps::Report& report,
                      const std::string& page) {
  const std::vector<Window> windows = test_windows(forecaster, prepared);
  const std::vector<Method> all = methods(forecaster, prepared);
  const Settings& settings = forecaster.settings;
  const auto scored = score(all, prepared, windows, settings);
  const std::string title =
      fmt::format("Test: {} windows, {} rows ahead", windows.size(), settings.horizon);
  fmt::print("{}\n{}", title, aligned(figures_table(scored, prepared.data)));
  if (page.empty()) return;
  report.heading(title);
  show_figures(report, scored, prepared.data);
  for (const std::size_t i : {std::size_t{0}, windows.size() / 2, windows.size() - 1})
    show_forecast(report, all, prepared.data, windows[i], settings);
}

}  // namespace

int run_train(TrainRequest request, const CLI::App& command) {
  Settings& settings = request.settings;
  Source& source = request.source;
  if (settings.step == 0) settings.step = settings.horizon;
  if (request.data.empty()) {
    request.data = bundled();
    if (source.targets.empty()) source.targets = {"CO2"};
  }
  Table table = read_source(request.data, source);
  if (source.season == 0) source.season = guess_season(table.times);
  settings.check(source);
  const Parts parts = cut(request.split, table.rows);
  source.gap_flags = has_gaps(table, parts.train);
  const std::string columns = describe_columns(table, source);
  const Scaling scaling = fit_scaling(table, source, parts.train);
  Prepared prepared{make_dataset(std::move(table), source, scaling), parts};

  Random random(request.options.seed);
  const std::size_t width = prepared.data.width();
  Forecaster forecaster{
      source,  settings,
      scaling, request.split,
      width,   Network(settings, source.season, width, source.targets.size(), random)};
  fmt::print(
      "{}: {} rows, {} to learn from, {} to choose the epoch on, {} to measure on; season "
      "{}\n{}\n{}",
      request.data.filename().string(), prepared.data.known, parts.train.end,
      parts.dev.end - parts.dev.begin, parts.test.end - parts.test.begin, source.season, columns,
      describe(forecaster.network));
  const bool measured = parts.test.end > parts.test.begin;
  if (measured) test_windows(forecaster, prepared);  // fails now rather than after the training
  request.options.prepare(command);
  if (settings.linear == "fit")
    forecaster.network.start_linear(
        fit_linear(prepared.data, {settings.input_length, settings.step}, parts.train, parts.dev));
  apps::Report report("reel-forecast: " + request.data.filename().string());
  const bool complete = train(forecaster, prepared.data, parts, request.options, report);
  save(request.options.folder, forecaster);
  request.options.model_saved(complete);
  if (complete && measured) measure_and_show(forecaster, prepared, report, request.options.report);
  if (!request.options.report.empty()) report.write(request.options.report);
  return complete ? 0 : apps::kInterrupted;
}

int run_eval(const UseRequest& request) {
  apps::check_report(request.report);
  const Forecaster forecaster = load(request.model);
  const Prepared prepared = open(forecaster, request);
  apps::Report report("reel-forecast: measures");
  measure_and_show(forecaster, prepared, report, request.report);
  if (!request.report.empty()) report.write(request.report);
  return 0;
}

int run_backtest(const UseRequest& request) {
  apps::check_report(request.report);
  const Forecaster forecaster = load(request.model);
  const Prepared prepared = open(forecaster, request);
  const Settings& settings = forecaster.settings;
  const std::size_t every = request.every == 0 ? settings.horizon : request.every;
  const std::vector<Window> windows = test_windows(forecaster, prepared, every);
  const std::vector<Method> all = methods(forecaster, prepared);

  std::vector<std::vector<std::string>> rows = {{"MAE/s from"}};
  for (const Method& method : all) rows[0].push_back(method.name);
  for (const Window& window : windows) {
    rows.push_back({prepared.data.time_of(window.begin + settings.input_length)});
    for (const Method& method : all)
      rows.back().push_back(fmt::format(
          "{:.4f}", measure(method, prepared.data, {&window, 1}, settings).scaled.mae()));
  }
  fmt::print("{}\n", aligned(rows));

  const auto scored = score(all, prepared, windows, settings);
  rows.resize(1);
  rows[0][0] = "MAE/s ahead";
  for (std::size_t h = 0; h < settings.horizon; ++h) {
    rows.push_back({std::to_string(h + 1)});
    for (const Scored& s : scored)
      rows.back().push_back(fmt::format("{:.4f}", s.figures.of_step[h].mae()));
  }
  fmt::print("{}\n{} origins, {} rows apart\n{}", aligned(rows), windows.size(), every,
             aligned(figures_table(scored, prepared.data)));
  if (!request.report.empty()) {
    apps::Report report("reel-forecast: backtest");
    show_figures(report, scored, prepared.data);
    for (std::size_t i = 0; i < std::min(windows.size(), kMostCharts); ++i)
      show_forecast(report, all, prepared.data, windows[i], settings);
    report.write(request.report);
  }
  return 0;
}

int run_predict(const UseRequest& request) {
  apps::check_report(request.report);
  const Forecaster forecaster = load(request.model);
  const Settings& settings = forecaster.settings;
  Source source = forecaster.source;
  const std::size_t horizon = request.rows == 0 ? settings.horizon : request.rows;
  check<Error>(horizon <= settings.step || settings.output != "quantile",
               "--rows: a model of quantiles forecasts {} rows; got {}", settings.step, horizon);
  const fs::path path = request.data.empty() ? bundled() : request.data;
  const Dataset data = make_dataset(read_source(path, source), source, forecaster.scaling, horizon);
  check_width(forecaster, data, path);
  check<FileError>(data.known >= settings.input_length,
                   "{}: there must be {} rows to forecast from; found {}", path.string(),
                   settings.input_length, data.known);
  const Window window{0, data.known - settings.input_length};
  const Forecasts f = forecast_windows(forecaster, data, {&window, 1}, horizon);

  std::string header = data.table.times.empty() ? "row" : "date";
  for (const std::string& name : source.targets) {
    header += "," + csv_field(name);
    if (f.intervals()) header += "," + csv_field(name + " low") + "," + csv_field(name + " high");
  }
  fmt::print("{}\n", header);
  for (std::size_t h = 0; h < horizon; ++h) {
    std::string line = data.time_of(data.known + h);
    for (std::size_t k = 0; k < data.targets(); ++k) {
      const auto print = [&](const Array& values) {
        line += fmt::format(",{:.6g}", data.original(static_cast<double>(values(h, 0, k)), k));
      };
      print(f.values);
      if (f.intervals()) print(f.low), print(f.high);
    }
    fmt::print("{}\n", line);
  }
  if (!request.report.empty()) {
    apps::Report report("reel-forecast: " + path.filename().string());
    const Method given{settings.cell, [&](auto&&...) { return f; }};
    show_forecast(report, {given}, data, window, settings);
    report.write(request.report);
  }
  return 0;
}

}  // namespace forecast
