#include "chart.hpp"

#include <fmt/format.h>
#include <reel/autodiff/error.hpp>

#include <algorithm>
#include <cmath>

#include "gnuplot.hpp"

namespace apps {
namespace {

constexpr const char* kColours[] = {"#2b6cb0", "#dd6b20", "#2f855a", "#c53030",
                                    "#805ad5", "#718096", "#b7791f", "#319795"};
constexpr double kFadedBand = 0.25;

std::string number(double x) { return std::isfinite(x) ? fmt::format("{:.9g}", x) : "NaN"; }

std::string start(const std::string& title, int width, int height) {
  return fmt::format(
      "set terminal svg size {},{} dynamic noenhanced font 'sans-serif,13' background '#ffffff'\n"
      "set title {}\nset datafile missing 'NaN'\n",
      width, height, gnuplot_string(title));
}

// Is x a count, such as epochs, with so few values that each can have a tick?
bool counts_few(const Chart& chart) {
  constexpr double kFew = 12;
  double low = INFINITY, high = -INFINITY;
  for (const Series& series : chart.series)
    for (const double x : series.x) {
      if (x != std::floor(x)) return false;
      low = std::min(low, x);
      high = std::max(high, x);
    }
  return !chart.log_x && high - low <= kFew;
}

// Is there a point? Otherwise gnuplot finds no ranges.
bool has_point(const Chart& chart) {
  for (const Series& series : chart.series)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) return true;
  return false;
}

// The numbers of a series as an inline data block.
std::string block(std::size_t index, const Series& series) {
  std::string text = fmt::format("$series{} << END\n", index);
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    text += number(series.x[i]) + ' ' + number(series.y[i]);
    if (!series.top.empty()) text += ' ' + number(series.top[i]);
    text += '\n';
  }
  if (series.x.empty()) text += "NaN NaN NaN\n";
  return text + "END\n";
}

std::string plot_of(std::size_t index, const Series& series, bool time) {
  const char* const x = time ? "(timecolumn(1,'%s'))" : "1";
  const char* const colour = kColours[index % std::size(kColours)];
  const std::string title =
      series.name.empty() ? std::string("notitle") : "title " + gnuplot_string(series.name);
  switch (series.style) {
    case Series::Style::kBand:
      return fmt::format(
          "$series{} using {}:2:3 with filledcurves fc rgb '{}' fs transparent "
          "solid {} noborder {}",
          index, x, colour, kFadedBand, title);
    case Series::Style::kPoints:
      return fmt::format("$series{} using {}:2 with points pt 7 ps 0.5 lc rgb '{}' {}", index, x,
                         colour, title);
    default:
      return fmt::format("$series{} using {}:2 with lines lw 2 lc rgb '{}' {}", index, x, colour,
                         title);
  }
}

// Labels of a length that fits a picture.
constexpr std::size_t kLongest = 30;
std::size_t length(const std::string& text) {  // in code points
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}
std::vector<std::string> shortened(std::vector<std::string> labels) {
  for (std::string& label : labels) {
    const bool cut = length(label) > kLongest;
    while (cut && length(label) >= kLongest) label.pop_back();
    if (cut) label += "…";
  }
  return labels;
}
int pixels(const std::vector<std::string>& labels) {
  std::size_t longest = 0;
  for (const std::string& label : labels) longest = std::max(longest, length(label));
  return 8 * static_cast<int>(longest);
}

std::string ticks(const char* axis, const std::vector<std::string>& labels) {
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : ", ", gnuplot_string(labels[i]), i);
  return fmt::format("set {}tics ({})\n", axis, text);
}

}  // namespace

std::string svg(const Chart& chart) {
  reel::check<reel::Error>(!chart.series.empty(), "chart: there must be a series; got none");
  std::string script = start(chart.title, chart.width, chart.height);
  script += fmt::format("set xlabel {}\nset ylabel {}\nset grid lc rgb '#dddddd'\n",
                        gnuplot_string(chart.x_label), gnuplot_string(chart.y_label));
  script += "set key outside right top\nset border 3\nset tics nomirror\n";
  if (chart.log_x) script += "set logscale x\nset format x '%g'\n";
  if (chart.log_y) script += "set logscale y\nset format y '%g'\n";
  if (chart.x_is_time)
    script +=
        "set xdata time\nset timefmt '%s'\nset format x '%Y-%m-%d'\nset xtics rotate by 30 right\n";
  else if (counts_few(chart))
    script += "set xtics 1\n";
  std::string plots;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    const bool band = series.style == Series::Style::kBand;
    reel::check<reel::Error>(
        series.x.size() == series.y.size() && series.top.size() == (band ? series.y.size() : 0),
        "chart: a series must have as many y as x; {} has {} x, {} y, {} top", series.name,
        series.x.size(), series.y.size(), series.top.size());
    script += block(i, series);
    plots += (i == 0 ? "plot " : ", ") + plot_of(i, series, chart.x_is_time);
  }
  if (!has_point(chart)) script += "set xrange [1:2]\nset yrange [1:2]\n";
  return draw(script + plots + "\n");
}

std::string svg(const HeatMap& map) {
  reel::check<reel::Error>(
      !map.values.empty() && map.values.size() == map.rows.size() * map.columns.size(),
      "heat map: there must be a value for each of {} x {} labels; got {}", map.rows.size(),
      map.columns.size(), map.values.size());
  constexpr int kCell = 26, kMargin = 150;
  const std::vector<std::string> rows = shortened(map.rows), columns = shortened(map.columns);
  std::string script =
      start(map.title, kMargin + pixels(rows) + kCell * static_cast<int>(columns.size()),
            kMargin + pixels(columns) + kCell * static_cast<int>(rows.size()));
  script +=
      "set palette defined (0 '#ffffff', 1 '#1a365d')\nset tics scale 0\n"
      "set xtics rotate by 60 right offset 0,-0.2\nunset key\n";
  script += ticks("x", columns) + ticks("y", rows);
  script += fmt::format("set xrange [-0.5:{}]\nset yrange [{}:-0.5]\n",
                        static_cast<double>(map.columns.size()) - 0.5,
                        static_cast<double>(map.rows.size()) - 0.5);
  script += "$map << END\n";
  for (std::size_t i = 0; i < map.values.size(); ++i)
    script += fmt::format("{} {} {}\n", i % map.columns.size(), i / map.columns.size(),
                          number(map.values[i]));
  return draw(script +
              "END\nset cbrange [0:*]\nset style fill solid noborder\n"
              "plot $map using 1:2:(0.5):(0.5):3 with boxxyerror fillcolor palette\n");
}

}  // namespace apps
