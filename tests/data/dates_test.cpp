#include <gtest/gtest.h>
#include <reel/data/dates.hpp>

#include <cmath>

#include "temp_folder.hpp"

namespace reel {
namespace {

constexpr Time kHour = 3600, kDay = 86400;

TEST(DatesTest, TextBecomesSecondsSince1970) {
  EXPECT_EQ(parse_time("1970-01-01"), 0);
  EXPECT_EQ(parse_time("1970-01-02 00:00:01"), kDay + 1);
  EXPECT_EQ(parse_time("2016-07-01 02:00:00"), 1467338400);  // date -u -d .. +%s
  EXPECT_EQ(parse_time("2016-07-01T02:00"), 1467338400);
  EXPECT_EQ(parse_time("2016-07-01T02:00:00Z"), 1467338400);
  EXPECT_EQ(parse_time("2016/7/1 2"), 1467338400);
  EXPECT_EQ(parse_time("1749-01"), -6974035200);
  EXPECT_EQ(parse_time("1971"), 365 * kDay);
  EXPECT_EQ(parse_time("1-01"), parse_time("0001-01-01"));
}

TEST(DatesTest, OtherTextIsNoDate) {
  for (const char* text : {"", "x", "2015-13", "2015-02-29", "2015-00-01", "2015-01-01 24:00",
                           "2015-01-01 00:60", "2015--1", "2015-", "20150101", "3.5", "-5",
                           "2015-01-01 00:00:00:00", "2015-01-01x", "01.02.2015"})
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  EXPECT_TRUE(parse_time("2016-02-29").has_value());
}

TEST(DatesTest, TextComesBack) {
  for (const char* text : {"2016-07-01 02:00", "1899-12-31 23:59:59", "0001-01-01 00:00"})
    EXPECT_EQ(format_time(*parse_time(text), false), text);
  EXPECT_EQ(format_time(*parse_time("2016-07-01 02:00"), true), "2016-07-01");
}

TEST(DatesTest, TheStepIsTheMostFrequentDistance) {
  const auto step = [](std::initializer_list<const char*> texts) {
    std::vector<Time> times;
    for (const char* text : texts) times.push_back(*parse_time(text));
    return infer_step(times);
  };
  EXPECT_EQ(step({"2016-01-01", "2016-02-01", "2016-05-01", "2016-06-01"}),
            (TimeStep{.months = 1}));
  EXPECT_EQ(step({"1749", "1750", "1752", "1753"}), (TimeStep{.months = 12}));
  EXPECT_EQ(step({"2016-01-31", "2016-02-01", "2016-02-02"}), (TimeStep{.seconds = kDay}));
  EXPECT_EQ(step({"2016-01-01 00:00", "2016-01-01 01:00", "2016-01-01 04:00", "2016-01-01 05:00"}),
            (TimeStep{.seconds = kHour}));
  EXPECT_EQ(step({"2015-02-28", "2015-03-31", "2015-04-30", "2015-05-31"}),
            (TimeStep{.months = 1, .month_day = 31}));
  EXPECT_EQ(step({"2015-02-28", "2015-03-30", "2015-04-30"}),
            (TimeStep{.months = 1, .month_day = 30}));
  EXPECT_EQ(step({"2015-06-30", "2015-09-30"}), (TimeStep{.months = 3, .month_day = 31}));
  EXPECT_EQ(step({"2013-02-28", "2014-02-28"}), (TimeStep{.months = 12, .month_day = 31}));
  EXPECT_EQ(step({"2015-01-29", "2015-01-30", "2015-02-02", "2015-02-03"}),  // from a Thursday on
            (TimeStep{.seconds = kDay, .workdays = true}));
  EXPECT_EQ(step({"2015-02-02", "2015-02-03", "2015-02-06"}), (TimeStep{.seconds = kDay}));
  EXPECT_EQ(step({"2015-01-30", "2015-01-31", "2015-02-02", "2015-02-05"}),
            (TimeStep{.seconds = kDay}));
  EXPECT_EQ(test::error_of([&] {
              step({"2016-01-02", "2016-01-01"});
            }),
            "infer_step: times must rise; got 2016-01-01 00:00 after 2016-01-02 00:00");
  EXPECT_EQ(test::error_of([&] { step({"2016-01-02"}); }),
            "infer_step: there must be at least two times; got 1");
}

TEST(DatesTest, StepsAreAddedAndCounted) {
  const Time start = *parse_time("2015-01-31 06:00");
  const auto later = [&](const TimeStep& step, std::int64_t n) {
    return format_time(advance(start, step, n), false);
  };
  EXPECT_EQ(later({.months = 1}, 1), "2015-02-28 06:00");
  EXPECT_EQ(later({.months = 1}, 14), "2016-03-31 06:00");
  EXPECT_EQ(later({.months = 3}, -1), "2014-10-31 06:00");
  EXPECT_EQ(later({.seconds = kHour}, 20), "2015-02-01 02:00");
  EXPECT_EQ(later({.months = 1, .month_day = 30}, 2), "2015-03-30 06:00");
  const Time friday = *parse_time("1969-12-26 06:00");
  const TimeStep workday{.seconds = kDay, .workdays = true};
  const std::vector<std::pair<std::int64_t, const char*>> workdays{
      {-5, "1969-12-19"}, {-1, "1969-12-25"}, {0, "1969-12-26"},  {1, "1969-12-29"},
      {4, "1970-01-01"},  {6, "1970-01-05"},  {511, "1971-12-13"}};
  for (const auto& [n, day] : workdays) {
    EXPECT_EQ(format_time(advance(friday, workday, n), true), day) << n;
    EXPECT_EQ(steps_between(friday, *parse_time(std::string(day) + " 06:00"), workday), n);
  }
  EXPECT_EQ(steps_between(friday, friday + kDay, workday), std::nullopt);  // a Saturday
  for (const TimeStep step : {TimeStep{.months = 5}, TimeStep{.seconds = 7 * kHour}})
    for (const std::int64_t n : {-3, 0, 1, 40})
      EXPECT_EQ(steps_between(start, advance(start, step, n), step), n);
  EXPECT_EQ(steps_between(start, start + 1, {.seconds = 2}), std::nullopt);
  EXPECT_EQ(steps_between(start, start + kDay, {.months = 1}), std::nullopt);
  EXPECT_EQ(steps_between(start, start, {}), std::nullopt);
}

TEST(DatesTest, TheCalendarTurns) {
  const Time monday = *parse_time("2024-01-01");
  const std::vector<Time> times = {monday, monday + 6 * kHour, monday + 7 * kDay / 2,
                                   monday + 183 * kDay};
  const CalendarFeatures f = calendar_features(times, {.seconds = 6 * kHour});
  EXPECT_EQ(f.names, (std::vector<std::string>{"day_sine", "day_cosine", "week_sine", "week_cosine",
                                               "year_sine", "year_cosine"}));
  ASSERT_EQ(f.columns.size(), 6u);
  EXPECT_NEAR(f.columns[0][1], 1, 1e-12);   // a quarter of a day
  EXPECT_NEAR(f.columns[3][2], -1, 1e-12);  // half a week
  EXPECT_NEAR(f.columns[5][3], -1, 1e-12);  // half of a year of 366 days
  for (std::size_t c = 0; c < 6; ++c) EXPECT_NEAR(f.columns[c][0], c % 2, 1e-12);
  EXPECT_EQ(calendar_features(times, {.seconds = kDay}).names.size(), 4u);
  EXPECT_EQ(calendar_features(times, {.months = 1}).names.size(), 2u);
  EXPECT_EQ(calendar_features(times, {.months = 12}).names.size(), 0u);
}

}  // namespace
}  // namespace reel
