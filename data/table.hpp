// Tables of numbers over time, out of CSV files.
#pragma once

#include <reel/data/dates.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

struct TableOptions {
  // The columns of numbers that are wanted, in this order. None: all of them; the first cell of a
  // column that is no gap says whether it is one.
  std::vector<std::string> columns = {};
  // The column of dates, or several with its numbers from the year on (year, month, day, hour).
  // None: the first column, if its first cell is a date that has a month; else there are no dates.
  std::vector<std::string> date = {};
};

struct Table {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;  // of each name, of `rows` numbers; NaN is a gap
  std::vector<Time> times;                   // of each row, rising; empty: no dates
  std::vector<std::string> skipped = {};     // columns that hold no numbers, where all were wanted
  std::size_t rows = 0;

  // Throws Error if there is no such column.
  const std::vector<double>& column(std::string_view name) const;
};

// Reads a CSV file: a header with names, then a row on each line; fields are separated by what
// the header has first of comma, semicolon and tab, and may be quoted (RFC 4180). UTF-8, with or
// without a byte order mark, LF or CRLF; blank lines do not count. A cell is a number with a
// decimal point, or a gap: nothing, NA, N/A, NaN, null, none in any case, - or ?. Throws FileError,
// naming line and column, where something else stands, where dates do not rise, or if a column is
// missing.
Table read_table(const std::filesystem::path& path, const TableOptions& options = {});

// The same table with a row of gaps wherever the dates leave out one or more steps, each as long
// as infer_step says. Throws Error if a date lies between steps, or a hundred rows would be missing
// for each that is there; a table without dates is left as it is.
Table with_missing_rows(Table table);

}  // namespace reel
