#include <fmt/ranges.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/csv.hpp>
#include <reel/data/file.hpp>
#include <reel/data/table.hpp>
#include <reel/data/text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>

namespace reel {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

// More rows to fill in than this for each that is there are taken for a mistake.
constexpr std::size_t kMostMissing = 100;

bool is_gap(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  static const std::set<std::string> gaps = {"", "na", "n/a", "nan", "null", "none", "-", "?"};
  return gaps.contains(text);
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return {};
  if (error == std::errc::result_out_of_range)
    value = std::strtod(std::string(text).c_str(), {});
  else if (error != std::errc{})
    return {};
  if (!std::isfinite(value)) return {};
  return value;
}

struct Record {
  std::size_t line;  // where it begins
  std::vector<std::string> fields;
};

// A file's records, and where things are in it.
struct Sheet {
  std::string source;
  std::vector<std::string> header;
  std::vector<Record> records;

  std::string where(const Record& record, std::size_t column) const {
    return fmt::format("{}:{}: column {} ({})", source, record.line, column + 1, header[column]);
  }
  std::size_t find(const std::string& name) const {
    const auto match = std::find(header.begin(), header.end(), name);
    check<FileError>(match != header.end(), "{}:1: there must be a column {:?}; found {}", source,
                     name, fmt::join(header, ", "));
    return static_cast<std::size_t>(match - header.begin());
  }
};

std::string text_of(const CsvField& field, const std::string& source, std::size_t line) {
  check<FileError>(!field.open, "{}:{}: a quoted field must end with a quote; found the file's end",
                   source, line);
  check<FileError>(field.behind.empty(),
                   "{}:{}: a quoted field must end where its quotes do; found {:?} behind them",
                   source, line, field.behind.substr(0, 1));
  if (field.quoted) return field.text;
  const std::size_t begin = std::min(field.text.find_first_not_of(' '), field.text.size());
  return field.text.substr(begin, field.text.find_last_not_of(' ') + 1 - begin);
}

Sheet read_sheet(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  Sheet sheet{path.string(), {}, {}};
  check_utf8<FileError>(bytes, sheet.source);
  CsvReader reader(bytes, ",;\t");
  while (const std::optional<CsvRecord> record = reader.next()) {
    std::vector<std::string> fields;
    for (const CsvField& field : record->fields)
      fields.push_back(text_of(field, sheet.source, record->line));
    if (sheet.header.empty()) {
      sheet.header = std::move(fields);
      continue;
    }
    check<FileError>(fields.size() == sheet.header.size(),
                     "{}:{}: a row must have {} fields, as the header; found {}", sheet.source,
                     record->line, sheet.header.size(), fields.size());
    sheet.records.push_back({record->line, std::move(fields)});
  }
  check<FileError>(!sheet.records.empty(),
                   "{}: table must have a header and a row; found neither{}", sheet.source,
                   sheet.header.empty() ? "" : " a row");
  std::set<std::string_view> names;
  for (const std::string& name : sheet.header)
    check<FileError>(names.insert(name).second,
                     "{}:1: columns must have names of their own; found {:?} twice", sheet.source,
                     name);
  return sheet;
}

std::vector<double> read_numbers(const Sheet& sheet, std::size_t column) {
  std::vector<double> numbers;
  for (const Record& record : sheet.records) {
    const std::string& cell = record.fields[column];
    const std::optional<double> number = is_gap(cell) ? kGap : parse_number(cell);
    check<FileError>(number.has_value(), "{}: a number or a gap must stand here; found {:?}",
                     sheet.where(record, column), cell);
    numbers.push_back(*number);
  }
  return numbers;
}

std::vector<Time> read_times(const Sheet& sheet, const std::vector<std::size_t>& columns) {
  static constexpr std::array<const char*, 6> kMarks = {"", "-", "-", " ", ":", ":"};
  std::vector<Time> times;
  for (const Record& record : sheet.records) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) text += kMarks[i] + record.fields[columns[i]];
    const std::optional<Time> time = parse_time(text);
    check<FileError>(time.has_value(),
                     "{}: a date such as 2016-07-01 00:00 must stand here; found "
                     "{:?}",
                     sheet.where(record, columns[0]), text);
    check<FileError>(times.empty() || *time > times.back(),
                     "{}: dates must rise from row to row; found {:?} after {}",
                     sheet.where(record, columns[0]), text,
                     format_time(times.empty() ? 0 : times.back(), false));
    times.push_back(*time);
  }
  return times;
}

std::vector<std::size_t> date_columns(const Sheet& sheet, const std::vector<std::string>& names) {
  check<FileError>(names.size() <= 6, "{}: a date has at most 6 columns; got {}", sheet.source,
                   names.size());
  std::vector<std::size_t> columns;
  columns.reserve(names.size());
  for (const std::string& name : names) columns.push_back(sheet.find(name));
  const std::string& first = sheet.records[0].fields[0];
  const bool dated = first.find_first_of("-/", 1) != first.npos && parse_time(first).has_value();
  if (names.empty() && dated) columns.push_back(0);
  return columns;
}

bool holds_numbers(const Sheet& sheet, std::size_t column) {
  for (const Record& record : sheet.records)
    if (const std::string& cell = record.fields[column]; !is_gap(cell))
      return parse_number(cell).has_value();
  return false;
}

}  // namespace

const std::vector<double>& Table::column(std::string_view name) const {
  const auto match = std::find(names.begin(), names.end(), name);
  check<Error>(match != names.end(), "table: there must be a column {:?}; found {}", name,
               fmt::join(names, ", "));
  return columns[static_cast<std::size_t>(match - names.begin())];
}

Table read_table(const std::filesystem::path& path, const TableOptions& options) {
  const Sheet sheet = read_sheet(path);
  Table table;
  table.rows = sheet.records.size();
  const std::vector<std::size_t> dates = date_columns(sheet, options.date);
  if (!dates.empty()) table.times = read_times(sheet, dates);

  std::vector<std::size_t> wanted;
  for (const std::string& name : options.columns) wanted.push_back(sheet.find(name));
  if (options.columns.empty())
    for (std::size_t i = 0; i < sheet.header.size(); ++i) {
      if (std::find(dates.begin(), dates.end(), i) != dates.end()) continue;
      if (holds_numbers(sheet, i))
        wanted.push_back(i);
      else
        table.skipped.push_back(sheet.header[i]);
    }
  check<FileError>(!wanted.empty(), "{}: there must be a column of numbers; found {}", sheet.source,
                   fmt::join(sheet.header, ", "));
  for (const std::size_t column : wanted) {
    table.names.push_back(sheet.header[column]);
    table.columns.push_back(read_numbers(sheet, column));
  }
  return table;
}

Table with_missing_rows(Table table) {
  if (table.times.size() < 2) return table;
  const TimeStep step = infer_step(table.times);
  const Time first = table.times[0];
  std::vector<std::size_t> places;
  for (const Time time : table.times) {
    const auto steps = steps_between(first, time, step);
    check<Error>(steps.has_value(),
                 "with_missing_rows: dates must be {} {} apart, or a multiple; found {} between "
                 "steps",
                 step.workdays      ? 1
                 : step.months != 0 ? step.months
                                    : step.seconds,
                 step.workdays      ? "workday"
                 : step.months != 0 ? "month(s)"
                                    : "seconds",
                 format_time(time, false));
    places.push_back(static_cast<std::size_t>(*steps));
  }
  check<Error>(places.back() < kMostMissing * places.size(),
               "with_missing_rows: at least one row in {} must be there; found {} in {}",
               kMostMissing, places.size(), places.back() + 1);
  table.rows = places.back() + 1;
  for (std::vector<double>& column : table.columns) {
    std::vector<double> spread(table.rows, kGap);
    for (std::size_t i = 0; i < places.size(); ++i) spread[places[i]] = column[i];
    column = std::move(spread);
  }
  table.times.clear();
  for (std::size_t i = 0; i < table.rows; ++i)
    table.times.push_back(advance(first, step, static_cast<std::int64_t>(i)));
  return table;
}

}  // namespace reel
