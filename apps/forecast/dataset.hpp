// A table as the model sees it: on one scale, without gaps, cut into parts in order of time.
#pragma once

#include <reel/data/forecast_errors.hpp>
#include <reel/data/scaling.hpp>
#include <reel/data/table.hpp>
#include <reel/data/windows.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace forecast {

// What to forecast, and from what.
struct Source {
  std::vector<std::string> targets;     // columns; none: all columns of numbers
  std::vector<std::string> covariates;  // columns that are known up to now only
  std::vector<std::string> date;        // columns; none: the first, if it holds dates
  bool calendar = false;                // sine and cosine of the place in day, week and year
  bool logarithm = false;               // the targets' logarithms are what is learned
  bool gap_flags = false;               // say which values were filled in
  std::size_t season = 0;  // rows after which the series is like itself; 0: guess_season says
};

// The rows of the three parts.
struct Parts {
  reel::RowRange train, dev, test;
};
// From three numbers, of rows or, if they add up to at most 1, of shares of all rows. Throws
// reel::Error unless they fit and none is negative.
Parts cut(const std::vector<double>& sizes, std::size_t rows);

// How targets and covariates are brought to one scale, fitted on the part to learn from.
struct Scaling {
  reel::Standardizer columns;  // targets, then covariates; after the logarithm
  std::vector<double> unit;    // of each target: deviation of its own values
  std::vector<double> naive;   // of each target: naive_scale, for the MASE; 0: there is none
};

struct Dataset {
  Source source;
  Scaling scaling;
  reel::Table table;  // targets, then covariates, as they are in the file
  std::size_t known;  // rows of the file; those behind them are to be forecast
  // One. Inputs are targets, covariates, whether these were observed, calendar; the columns of
  // targets have gaps where the file has.
  std::vector<reel::Series> series;
  std::size_t calendar_width;  // the last columns of the inputs, which are known ahead

  std::size_t targets() const { return source.targets.size(); }
  std::size_t width() const { return series[0].inputs.shape()[1]; }
  // A target as the model sees it, gaps filled.
  double value(std::size_t target, std::size_t row) const { return series[0].inputs(row, target); }
  // In the file's units.
  double original(double value, std::size_t target) const;
  std::string time_of(std::size_t row) const;  // its date, else its number, from 1
};

// Columns of a file that `source` names; an empty list of targets becomes all columns of numbers
// but the covariates. Throws reel::FileError.
reel::Table read_source(const std::filesystem::path& path, Source& source);
// What is forecast, from what, and what the dates are found to be: one line.
std::string describe_columns(const reel::Table& table, const Source& source);
// Rows in a day, for steps below one; in a week, for days or workdays; in a year, for months; else
// 1.
std::size_t guess_season(std::span<const reel::Time> times);
bool has_gaps(const reel::Table& table, const reel::RowRange& rows);
Scaling fit_scaling(const reel::Table& table, const Source& source, const reel::RowRange& train);
// With `ahead` more rows at the end, whose values are not known.
Dataset make_dataset(reel::Table table, const Source& source, const Scaling& scaling,
                     std::size_t ahead = 0);
// In quotes if it needs them.
std::string csv_field(const std::string& text);

}  // namespace forecast
