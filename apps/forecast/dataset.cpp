#include "dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace forecast {

using namespace reel;

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

Columns transformed(const Table& table, const Source& source) {
  Columns columns = table.columns;
  if (!source.logarithm) return columns;
  for (std::size_t k = 0; k < source.targets.size(); ++k)
    for (double& value : columns[k]) {
      check<Error>(!(value <= 0), "--log: values of {} must be positive; found {}",
                   source.targets[k], value);
      value = std::log(value);
    }
  return columns;
}

// Columns side by side [rows, columns].
Array join(const std::vector<const std::vector<double>*>& columns) {
  const std::size_t rows = columns[0]->size();
  Array all = empty_array({rows, columns.size()});
  for (std::size_t c = 0; c < columns.size(); ++c)
    for (std::size_t r = 0; r < rows; ++r) all(r, c) = static_cast<real>((*columns[c])[r]);
  return all;
}

void extend(Table& table, std::size_t ahead) {
  if (ahead == 0) return;
  if (!table.times.empty()) {
    const TimeStep step = infer_step(table.times);
    const Time last = table.times.back();
    for (std::size_t i = 1; i <= ahead; ++i)
      table.times.push_back(advance(last, step, static_cast<std::int64_t>(i)));
  }
  table.rows += ahead;
  for (std::vector<double>& column : table.columns) column.resize(table.rows, kGap);
}

}  // namespace

Parts cut(const std::vector<double>& sizes, std::size_t rows) {
  check<Error>(sizes.size() == 3, "--split: must be three numbers; got {}", sizes.size());
  const double sum = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  check<Error>(sum > 0 && std::all_of(sizes.begin(), sizes.end(), [](double s) { return s >= 0; }),
               "--split: sizes must not be negative, nor all 0");
  const bool shares = sum < 1 + 1e-9;
  check<Error>(shares || std::all_of(sizes.begin(), sizes.end(),
                                     [](double size) { return size == std::floor(size); }),
               "--split: shares must add up to at most 1; got {}, whose sum is {}",
               fmt::join(sizes, ", "), sum);
  const double unit = shares ? static_cast<double>(rows) : 1;
  std::array<std::size_t, 3> ends{};
  double end = 0;
  for (std::size_t i = 0; i < 3; ++i)
    ends[i] = static_cast<std::size_t>(std::llround((end += sizes[i]) * unit));
  check<Error>(ends[2] <= rows, "--split: there must be {} rows; found {}", ends[2], rows);
  return {{0, ends[0]}, {ends[0], ends[1]}, {ends[1], ends[2]}};
}

double Dataset::original(double value, std::size_t target) const {
  const double scaled = scaling.columns.invert(value, target);
  return source.logarithm ? std::exp(scaled) : scaled;
}

std::string Dataset::time_of(std::size_t row) const {
  if (table.times.empty()) return std::to_string(row + 1);
  const auto midnight = [](Time time) { return time % 86400 == 0; };
  return format_time(table.times[row],
                     std::all_of(table.times.begin(), table.times.end(), midnight));
}

Table read_source(const std::filesystem::path& path, Source& source) {
  std::vector<std::string> skipped;
  if (source.targets.empty()) {
    const Table all = read_table(path, {{}, source.date});
    skipped = all.skipped;
    for (const std::string& name : all.names)
      if (std::find(source.covariates.begin(), source.covariates.end(), name) ==
          source.covariates.end())
        source.targets.push_back(name);
  }
  std::vector<std::string> names = source.targets;
  names.insert(names.end(), source.covariates.begin(), source.covariates.end());
  Table table = read_table(path, {names, source.date});
  table.skipped = std::move(skipped);
  try {
    table = with_missing_rows(std::move(table));
  } catch (const Error& e) {
    throw FileError(path.string() + ": " + e.what());
  }
  check<FileError>(!source.calendar || table.times.size() > 1,
                   "{}: --calendar needs a column of dates; found none", path.string());
  return table;
}

std::string describe_columns(const Table& table, const Source& source) {
  constexpr std::int64_t kDay = 86400;
  std::string text = fmt::format("targets {}", fmt::join(source.targets, ", "));
  if (!source.covariates.empty())
    text += fmt::format("; covariates {}", fmt::join(source.covariates, ", "));
  if (!table.skipped.empty())
    text += fmt::format("; not numbers, so left out: {}", fmt::join(table.skipped, ", "));
  if (table.times.size() < 2) return text + "; no dates";
  const TimeStep step = infer_step(table.times);
  const std::string length = step.workdays      ? "workday"
                             : step.months != 0 ? fmt::format("{} month(s)", step.months)
                             : step.seconds % kDay == 0
                                 ? fmt::format("{} day(s)", step.seconds / kDay)
                                 : fmt::format("{} seconds", step.seconds);
  return text +
         fmt::format("; from {} on, a row each {}", format_time(table.times[0], false), length);
}

std::size_t guess_season(std::span<const Time> times) {
  constexpr std::int64_t kDay = 86400;
  if (times.size() < 2) return 1;
  const TimeStep step = infer_step(times);
  if (step.months != 0)
    return static_cast<std::size_t>(std::max<std::int64_t>(12 / step.months, 1));
  if (step.seconds < kDay) return static_cast<std::size_t>(kDay / step.seconds);
  if (step.workdays) return 5;
  return step.seconds == kDay ? 7 : 1;
}

bool has_gaps(const Table& table, const RowRange& rows) {
  return std::any_of(table.columns.begin(), table.columns.end(), [&](const auto& column) {
    const auto part = std::span(column).subspan(rows.begin, rows.end - rows.begin);
    return std::any_of(part.begin(), part.end(), [](double value) { return std::isnan(value); });
  });
}

Scaling fit_scaling(const Table& table, const Source& source, const RowRange& train) {
  Scaling scaling;
  scaling.columns = Standardizer::fit(transformed(table, source), train.begin, train.end);
  scaling.unit = Standardizer::fit(table.columns, train.begin, train.end).deviation;
  scaling.unit.resize(source.targets.size());
  for (std::size_t k = 0; k < source.targets.size(); ++k) {
    const auto rows = std::span(table.columns[k]).subspan(train.begin, train.end - train.begin);
    const double scale = naive_scale(rows, source.season);
    scaling.naive.push_back(std::isnan(scale) ? 0 : scale);
  }
  return scaling;
}

Dataset make_dataset(Table table, const Source& source, const Scaling& scaling, std::size_t ahead) {
  Dataset data{source, scaling, std::move(table), 0, {}, 0};
  data.known = data.table.rows;
  extend(data.table, ahead);
  const Columns scaled = scaling.columns.apply(transformed(data.table, source));
  Columns filled, flags;
  for (const std::vector<double>& column : scaled) {
    filled.push_back(fill_forward(column));
    flags.push_back(observed(column));
  }
  CalendarFeatures calendar;
  if (source.calendar) calendar = calendar_features(data.table.times, infer_step(data.table.times));

  data.calendar_width = calendar.columns.size();
  std::vector<const std::vector<double>*> inputs, truth;
  for (const auto& column : filled) inputs.push_back(&column);
  for (const auto& column : flags)
    if (source.gap_flags) inputs.push_back(&column);
  for (const auto& column : calendar.columns) inputs.push_back(&column);
  for (std::size_t k = 0; k < source.targets.size(); ++k) truth.push_back(&scaled[k]);
  data.series.push_back({join(inputs), join(truth)});
  return data;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

}  // namespace forecast
