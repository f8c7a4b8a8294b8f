#include <gtest/gtest.h>
#include <reel/data/table.hpp>

#include <cmath>

#include "temp_folder.hpp"

namespace reel {
namespace {

using Names = std::vector<std::string>;
using Numbers = std::vector<double>;

class TableTest : public testing::Test {
 protected:
  Table read(std::string_view text, const TableOptions& options = {}) {
    return read_table(folder_.write("t.csv", text), options);
  }
  // The error's text behind the file's name.
  std::string refusal(std::string_view text, const TableOptions& options = {}) {
    const std::string error = test::error_of<FileError>([&] { read(text, options); });
    const std::string file = (folder_ / "t.csv").string();
    EXPECT_TRUE(error.starts_with(file)) << error;
    return error.substr(std::min(error.size(), file.size()));
  }
  test::TempFolder folder_;
};

TEST_F(TableTest, ReadsColumnsOfNumbers) {
  const Table table = read("a,b\n1,-2.5\n+3e2, 4 \n");
  EXPECT_EQ(table.names, (Names{"a", "b"}));
  EXPECT_EQ(table.column("a"), (Numbers{1, 300}));
  EXPECT_EQ(table.column("b"), (Numbers{-2.5, 4}));
  EXPECT_EQ(table.rows, 2u);
  EXPECT_TRUE(table.times.empty());
  EXPECT_EQ(test::error_of([&] { table.column("c"); }),
            "table: there must be a column \"c\"; found a, b");
}

TEST_F(TableTest, ReadsWhatSpreadsheetsWrite) {
  // Byte order mark, CRLF, quotes, blank lines, no line end at the end, other separators.
  EXPECT_EQ(read("\xEF\xBB\xBF\"a\",\"b\"\r\n\"1\",2\r\n\r\n3,\"4\"").column("b"), (Numbers{2, 4}));
  EXPECT_EQ(read("a;b,c\n1;2\n").names, (Names{"a", "b,c"}));
  EXPECT_EQ(read("a\tb\n1\t\n").names, (Names{"a"}));
  EXPECT_EQ(read("\"x, \"\"y\"\"\",\"two\nlines\"\n1,2\n").names,
            (Names{"x, \"y\"", "two\nlines"}));
}

TEST_F(TableTest, TheSeparatorIsThatOfTheHeader) {
  EXPECT_EQ(read("\n\r\na;b\n1;2\n").names, (Names{"a", "b"}));
  EXPECT_EQ(read("\"a\nx\";b\n1;2\n").names, (Names{"a\nx", "b"}));
  EXPECT_EQ(read("a\n\"1\"\n2\n").names, (Names{"a"}));
}

TEST_F(TableTest, NumbersMayVanishButHaveOneSign) {
  EXPECT_EQ(read("a,b\n1e-400,-1e-400\n").column("a"), (Numbers{0}));
  EXPECT_EQ(refusal("a\n1\n1e400\n"),
            ":3: column 1 (a): a number or a gap must stand here; found "
            "\"1e400\"");
  EXPECT_EQ(refusal("a\n1\n+-5\n"),
            ":3: column 1 (a): a number or a gap must stand here; found "
            "\"+-5\"");
}

TEST_F(TableTest, ColumnsWithoutNumbersAreTold) {
  EXPECT_EQ(read("d,a,b\nx,1,\"2,5\"\n").skipped, (Names{"d", "b"}));
}

TEST_F(TableTest, GapsHaveManyNames) {
  const Table table = read("a,b\n,1\nNA,1\nn/a,1\nNaN,1\nnull,1\nNone,1\n-,1\n?,1\n7,1\n");
  const Numbers& a = table.column("a");
  for (std::size_t i = 0; i < 8; ++i) EXPECT_TRUE(std::isnan(a[i])) << i;
  EXPECT_EQ(a[8], 7);
}

TEST_F(TableTest, ColumnsAreChosen) {
  const char* text = "word,a,b,empty\nsun,1,2,\nrain,3,4,NA\n";
  EXPECT_EQ(read(text).names, (Names{"a", "b"}));
  EXPECT_EQ(read(text, {.columns = {"b", "a"}}).columns, (std::vector<Numbers>{{2, 4}, {1, 3}}));
  EXPECT_EQ(refusal(text, {.columns = {"c"}}),
            ":1: there must be a column \"c\"; found word, a, b, empty");
}

TEST_F(TableTest, DatesAreFoundOrNamed) {
  const Table first = read("when,a\n2016-01-01 01:00,5\n2016-01-01 02:00,6\n");
  EXPECT_EQ(first.names, (Names{"a"}));
  EXPECT_EQ(first.times[1] - first.times[0], 3600);
  EXPECT_TRUE(read("a,b\n2016,1\n2017,1\n").times.empty());  // numbers
  EXPECT_EQ(read("a,day\n1,2016\n2,2017\n", {.date = {"day"}}).times.size(), 2u);
  const Table parts = read("no,year,month,hour,day\n1,2010,12,23,31\n2,2011,1,0,1\n",
                           {.columns = {"no"}, .date = {"year", "month", "day", "hour"}});
  EXPECT_EQ(parts.times[1] - parts.times[0], 3600);
}

TEST_F(TableTest, MistakesAreLocated) {
  EXPECT_EQ(refusal("a,b\n1,2\n3,x\n"),
            ":3: column 2 (b): a number or a gap must stand here; found \"x\"");
  EXPECT_EQ(refusal("a,b\n1,2\n3,1.5.2\n"),
            ":3: column 2 (b): a number or a gap must stand here; found \"1.5.2\"");
  EXPECT_EQ(refusal("a\n1\ninf\n"),
            ":3: column 1 (a): a number or a gap must stand here; found \"inf\"");
  EXPECT_EQ(refusal("a,b\n1,2\n3\n"), ":3: a row must have 2 fields, as the header; found 1");
  EXPECT_EQ(refusal("a,b\n\n1,\"2\n\n3,4\n"),
            ":3: a quoted field must end with a quote; found the file's end");
  EXPECT_EQ(refusal("a,b\n1,\"2\"3\n"),
            ":2: a quoted field must end where its quotes do; found \"3\" behind them");
  EXPECT_EQ(refusal("a,a\n1,2\n"), ":1: columns must have names of their own; found \"a\" twice");
  EXPECT_EQ(refusal("d,a\n2016-01-01,2\n2016-01-01,3\n"),
            ":3: column 1 (d): dates must rise from row to row; found \"2016-01-01\" after "
            "2016-01-01 00:00");
  EXPECT_EQ(refusal("d,a\n2016-01-01,2\n\nsoon,3\n"),
            ":4: column 1 (d): a date such as 2016-07-01 00:00 must stand here; found \"soon\"");
  EXPECT_EQ(refusal("a\nx\n"), ": there must be a column of numbers; found a");
  EXPECT_EQ(refusal(""), ": table must have a header and a row; found neither");
  EXPECT_EQ(refusal("a\n"), ": table must have a header and a row; found neither a row");
  EXPECT_NE(refusal("a\n\xff\n").find("UTF-8"), std::string::npos);
  EXPECT_THROW(read_table(folder_ / "none.csv"), FileError);
}

TEST_F(TableTest, MissingRowsBecomeGaps) {
  const Table table =
      with_missing_rows(read("m,a\n2016-01,1\n2016-02,2\n2016-05,5\n2016-06,6\n2016-07,7\n"));
  EXPECT_EQ(table.rows, 7u);
  EXPECT_EQ(format_time(table.times[3], true), "2016-04-01");
  EXPECT_EQ(table.columns[0][4], 5);
  EXPECT_TRUE(std::isnan(table.columns[0][2]) && std::isnan(table.columns[0][3]));
  EXPECT_EQ(with_missing_rows(read("a\n1\n2\n")).rows, 2u);
  EXPECT_EQ(
      test::error_of([&] {
        with_missing_rows(read("d,a\n2016-01-01,1\n2016-01-03,2\n2016-01-05,3\n2016-01-06,3\n"));
      }),
      "with_missing_rows: dates must be 172800 seconds apart, or a multiple; found "
      "2016-01-06 00:00 between steps");
}

}  // namespace
}  // namespace reel
