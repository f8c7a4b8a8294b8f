// Dates of time series: reading them, the step between them, and what the calendar tells of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reel {

// Seconds since 1970-01-01 00:00 in the proleptic Gregorian calendar, without time zones.
using Time = std::int64_t;

// Reads 2016-07-01 00:00:00 and what begins like it, from the year on (2016, 2016-07, .. 00:00);
// also with / between the numbers of the date, T instead of the space, Z behind the time, and
// fewer digits. Nothing if the text is no such date.
std::optional<Time> parse_time(std::string_view text);
// 2016-07-01, with 00:00 behind unless `days_only`, and with :00 if the seconds are not 0.
std::string format_time(Time time, bool days_only);

// From one row of a series to the next: so many months, or so many seconds; the other is 0.
struct TimeStep {
  std::int64_t months = 0, seconds = 0;
  unsigned month_day = 0;  // of months: on this day, or the last; 0: the day that one starts from
  bool workdays = false;   // of seconds, which are a day: Saturdays and Sundays do not count
  bool operator==(const TimeStep&) const = default;
};

// The most frequent distance: in months if all times lie on one day of the month, or on the last
// of those that lack it, at one time of day; else in seconds, in workdays if it is a day and
// weekends are left out. Throws Error unless there are two times, each later than the one before.
TimeStep infer_step(std::span<const Time> times);
// `count` steps later. A day of the month that the new month lacks becomes its last.
Time advance(Time time, const TimeStep& step, std::int64_t count);
// How many steps lead from one time to another; nothing if it is no whole number of them.
std::optional<std::int64_t> steps_between(Time from, Time to, const TimeStep& step);

struct CalendarFeatures {
  std::vector<std::string> names;
  std::vector<std::vector<double>> columns;  // one for each name, each as long as the times
};
// Sine and cosine of the place in the day (for steps below a day), in the week (for steps below
// a week) and in the year (for steps below a year): in [-1, 1], known ahead for any time.
CalendarFeatures calendar_features(std::span<const Time> times, const TimeStep& step);

}  // namespace reel
