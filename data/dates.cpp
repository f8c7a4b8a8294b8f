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

// The numbers of a date and the marks between them: "2016-07-01 00:00" has 5.
std::optional<std::vector<int>> numbers_of(std::string_view text) {
  static constexpr std::array<std::string_view, 5> kMarks = {"-/", "-/", " T", ":", ":"};
  std::vector<int> numbers;
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
  bool one_day = true;
  for (std::size_t i = 1; i < times.size(); ++i) {
    check<Error>(times[i] > times[i - 1], "infer_step: times must rise; got {} after {}",
                 format_time(times[i], false), format_time(times[i - 1], false));
    const Moment a = moment_of(times[i - 1]), b = moment_of(times[i]);
    one_day = one_day && a.date.day() == b.date.day() && a.second == b.second;
    in_months.push_back(month_number(b.date) - month_number(a.date));
    in_seconds.push_back(times[i] - times[i - 1]);
  }
  if (one_day) return {.months = most_frequent(in_months)};
  return {.seconds = most_frequent(in_seconds)};
}

Time advance(Time time, const TimeStep& step, std::int64_t count) {
  if (step.months == 0) return time + step.seconds * count;
  const Moment start = moment_of(time);
  year_month_day date = start.date + months(step.months * count);
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  return time_of(date, start.second);
}

std::optional<std::int64_t> steps_between(Time from, Time to, const TimeStep& step) {
  const std::int64_t size = step.months != 0 ? step.months : step.seconds;
  const std::int64_t distance =
      step.months != 0 ? month_number(moment_of(to).date) - month_number(moment_of(from).date)
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
