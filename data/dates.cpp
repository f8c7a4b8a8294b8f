#include <reel/autodiff/error.hpp>
#include <reel/data/dates.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <map>
#include <numbers>

namespace reel {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kDay = 86400;

struct Moment {
  year_month_day date;
  std::int64_t second;  // of the day
};

Moment moment_of(Time time) {
  const auto day = std::chrono::floor<days>(std::chrono::sys_seconds(std::chrono::seconds(time)));
  return {year_month_day(day), time - day.time_since_epoch().count() * kDay};
}
Time time_of(const year_month_day& date, std::int64_t second) {
  return sys_days(date).time_since_epoch().count() * kDay + second;
}
std::int64_t month_number(const year_month_day& date) {
  return int(date.year()) * std::int64_t{12} + unsigned(date.month()) - 1;
}

year_month_day on_day(const std::chrono::year_month& month, unsigned day) {
  const year_month_day date = month / std::chrono::day(day);
  return date.ok() ? date : month / std::chrono::last;
}

// Workdays since a Monday, and back. A Saturday or Sunday counts as the Friday before.
constexpr std::int64_t kMonday = -3;  // 1969-12-29, in days since 1970-01-01
std::int64_t workday_of(const year_month_day& date) {
  const std::int64_t day = sys_days(date).time_since_epoch().count() - kMonday;
  const std::int64_t week = (day - (day % 7 + 7) % 7) / 7;
  return 5 * week + std::min<std::int64_t>(day - 7 * week, 4);
}
year_month_day date_of_workday(std::int64_t workday) {
  const std::int64_t week = (workday - (workday % 5 + 5) % 5) / 5;
  return sys_days(days(7 * week + (workday - 5 * week) + kMonday));
}
bool is_weekend(const year_month_day& date) {
  return std::chrono::weekday(sys_days(date)).iso_encoding() > 5;
}

// The numbers of a date and the marks between them: "2016-07-01 00:00" has 5.
std::optional<std::vector<int>> numbers_of(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kMarks = {"-/", "-/", " T", ":", ":"};
  std::vector<int> numbers;
  if (text.ends_with('Z') && text.find(':') != text.npos) text.remove_suffix(1);
  for (;;) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    int number = 0;
    if (digits < 1 || digits > 4) return {};
    std::from_chars(text.data(), text.data() + digits, number);
    numbers.push_back(number);
    text.remove_prefix(digits);
    if (text.empty()) return numbers;
    if (numbers.size() > kMarks.size()) return {};
    if (kMarks[numbers.size() - 1].find(text[0]) == std::string_view::npos) return {};
    text.remove_prefix(1);
  }
}

// The value that occurs most often, of several the smallest.
std::int64_t most_frequent(const std::vector<std::int64_t>& values) {
  std::map<std::int64_t, std::size_t> counts;
  for (const std::int64_t value : values) ++counts[value];
  return std::max_element(counts.begin(), counts.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
  const auto found = numbers_of(text);
  if (!found) return {};
  std::array<int, 6> n = {0, 1, 1, 0, 0, 0};
  std::copy(found->begin(), found->end(), n.begin());
  const year_month_day date{std::chrono::year(n[0]),
                            std::chrono::month(static_cast<unsigned>(n[1])),
                            std::chrono::day(static_cast<unsigned>(n[2]))};
  if (!date.ok() || n[3] > 23 || n[4] > 59 || n[5] > 59) return {};
  return time_of(date, n[3] * 3600 + n[4] * 60 + n[5]);
}

std::string format_time(Time time, bool days_only) {
  const auto [date, second] = moment_of(time);
  std::string text = fmt::format("{:04}-{:02}-{:02}", int(date.year()), unsigned(date.month()),
                                 unsigned(date.day()));
  if (!days_only) text += fmt::format(" {:02}:{:02}", second / 3600, second / 60 % 60);
  if (!days_only && second % 60 != 0) text += fmt::format(":{:02}", second % 60);
  return text;
}

TimeStep infer_step(std::span<const Time> times) {
  check<Error>(times.size() >= 2, "infer_step: there must be at least two times; got {}",
               times.size());
  std::vector<std::int64_t> in_months, in_seconds;
  const Moment first = moment_of(times[0]);
  unsigned latest = 0, earliest = 31;  // day of a month
  bool weekends = false, all_ends = true;
  for (const Time time : times) {
    const year_month_day date = moment_of(time).date;
    latest = std::max(latest, unsigned(date.day()));
    earliest = std::min(earliest, unsigned(date.day()));
    weekends |= is_weekend(date);
    all_ends = all_ends && date == on_day(date.year() / date.month(), 31);
  }
  if (all_ends) latest = 31;
  bool one_day = true;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const Moment b = moment_of(times[i]);
    one_day = one_day && b.second == first.second &&
              b.date == on_day(b.date.year() / b.date.month(), latest);
    if (i == 0) continue;
    check<Error>(times[i] > times[i - 1], "infer_step: times must rise; got {} after {}",
                 format_time(times[i], false), format_time(times[i - 1], false));
    in_months.push_back(month_number(b.date) - month_number(moment_of(times[i - 1]).date));
    in_seconds.push_back(times[i] - times[i - 1]);
  }
  if (one_day)
    return {.months = most_frequent(in_months), .month_day = earliest < latest ? latest : 0};
  const std::int64_t seconds = most_frequent(in_seconds);
  const std::int64_t spanned = times.back() - times[0];
  return {.seconds = seconds, .workdays = seconds == kDay && !weekends && spanned > 4 * kDay};
}

Time advance(Time time, const TimeStep& step, std::int64_t count) {
  const Moment start = moment_of(time);
  if (step.workdays) return time_of(date_of_workday(workday_of(start.date) + count), start.second);
  if (step.months == 0) return time + step.seconds * count;
  const auto month = start.date.year() / start.date.month() + months(step.months * count);
  const unsigned day = step.month_day > 0 ? step.month_day : unsigned(start.date.day());
  return time_of(on_day(month, day), start.second);
}

std::optional<std::int64_t> steps_between(Time from, Time to, const TimeStep& step) {
  const year_month_day first = moment_of(from).date, last = moment_of(to).date;
  const std::int64_t size = step.workdays ? 1 : step.months != 0 ? step.months : step.seconds;
  const std::int64_t distance = step.workdays      ? workday_of(last) - workday_of(first)
                                : step.months != 0 ? month_number(last) - month_number(first)
                                                   : to - from;
  if (size <= 0 || distance % size != 0 || advance(from, step, distance / size) != to) return {};
  return distance / size;
}

CalendarFeatures calendar_features(std::span<const Time> times, const TimeStep& step) {
  CalendarFeatures features;
  const std::int64_t length = step.months != 0 ? step.months * 30 * kDay : step.seconds;
  const auto add = [&](const std::string& name, auto&& share) {
    for (const bool sine : {true, false}) {
      features.names.push_back(name + (sine ? "_sine" : "_cosine"));
      std::vector<double>& column = features.columns.emplace_back();
      for (const Time time : times) {
        const double angle = 2 * std::numbers::pi * share(moment_of(time));
        column.push_back(sine ? std::sin(angle) : std::cos(angle));
      }
    }
  };
  const auto day_share = [](const Moment& m) { return static_cast<double>(m.second) / kDay; };
  if (length < kDay) add("day", day_share);
  if (length < 7 * kDay)
    add("week", [&](const Moment& m) {
      const std::chrono::weekday weekday{sys_days(m.date)};
      return (weekday.iso_encoding() - 1 + day_share(m)) / 7;
    });
  if (length < 360 * kDay)
    add("year", [&](const Moment& m) {
      const auto first = m.date.year() / std::chrono::January / 1;
      const auto day = (sys_days(m.date) - sys_days(first)).count();
      return (static_cast<double>(day) + day_share(m)) / (m.date.year().is_leap() ? 366 : 365);
    });
  return features;
}

}  // namespace reel
