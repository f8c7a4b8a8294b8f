#include "report.hpp"

#include <fmt/format.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/file.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace apps {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; )"
                              R"(style-src 'unsafe-inline'">
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1a202c; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #e2e8f0; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #e2e8f0; padding: .25rem .6rem; text-align: left; vertical-align: top; }
th { background: #f7fafc; }
pre { background: #f7fafc; padding: .75rem; overflow-x: auto; font-size: .85rem; }
figure { margin: 1rem 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
.words span { padding: .1rem .15rem; border-radius: .2rem; }
</style>
)";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += static_cast<unsigned char>(c) < ' ' && c != '\n' && c != '\t' ? ' ' : c;
    }
  return result;
}

std::string element(const char* tag, const std::string& text) {
  return fmt::format("<{0}>{1}</{0}>\n", tag, escaped(text));
}

std::string row(const char* tag, const std::vector<std::string>& cells) {
  std::string text = "<tr>";
  for (const std::string& cell : cells) text += fmt::format("<{0}>{1}</{0}>", tag, escaped(cell));
  return text + "</tr>\n";
}

// A chart for each quantity: "dev loss" beside "loss", as both are losses.
std::vector<Chart> curves(const std::vector<Epoch>& history) {
  std::vector<Chart> charts;
  const auto add = [&](const std::string& name, double epoch, double value) {
    const std::string quantity = name.substr(name.rfind(' ') + 1);
    auto chart = std::ranges::find(charts, quantity, &Chart::y_label);
    if (chart == charts.end())
      chart = charts.insert(charts.end(), Chart{.x_label = "epoch", .y_label = quantity});
    auto series = std::ranges::find(chart->series, name, &Series::name);
    if (series == chart->series.end()) series = chart->series.insert(series, Series{.name = name});
    series->x.push_back(epoch);
    series->y.push_back(value);
  };
  for (const Epoch& epoch : history) {
    const auto number = static_cast<double>(epoch.number);
    add("loss", number, epoch.loss);
    for (const Measure& m : epoch.measures) add(m.name, number, m.value);
  }
  return charts;
}

}  // namespace

Report::Report(std::string title) : title_(std::move(title)) {}

void Report::add(const std::string& html) { parts_.emplace_back(html); }
void Report::heading(const std::string& text) { add(element("h2", text)); }
void Report::paragraph(const std::string& text) { add(element("p", text)); }
void Report::preformatted(const std::string& text) { add(element("pre", text)); }

void Report::table(const std::vector<std::string>& header,
                   const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<table>\n" + row("th", header);
  for (const auto& cells : rows) html += row("td", cells);
  add(html + "</table>\n");
}

void Report::chart(const Chart& chart) { parts_.emplace_back(chart); }
void Report::heat_map(const HeatMap& map) { parts_.emplace_back(map); }

void Report::words(const std::vector<std::pair<std::string, double>>& weighed) {
  std::string html = "<p class=\"words\">";
  for (const auto& [word, weight] : weighed) {
    const double depth = std::isfinite(weight) ? std::min(std::abs(weight), 1.0) * 0.75 : 0;
    html += fmt::format("<span style=\"background:rgba({},{:.2f})\">{}</span> ",
                        weight > 0 ? "72,187,120" : "245,101,101", depth, escaped(word));
  }
  add(html + "</p>\n");
}

void Report::training(const TrainingOptions& options, const Training& training,
                      const std::string& unit, const std::string& model) {
  heading("Training");
  const std::vector<Epoch>& history = training.history();
  if (!history.empty()) {
    paragraph(fmt::format("{} epochs, {:.0f} s, {:.0f} {} per second.{}", history.size(),
                          training.seconds(), history.back().rate, unit,
                          training.best_epoch() > 0
                              ? fmt::format(" The best epoch was {}.", training.best_epoch())
                              : ""));
    for (const Chart& one : curves(history)) chart(one);
    std::vector<std::string> header{"epoch", "loss"};
    for (const Measure& m : history.front().measures) header.push_back(m.name);
    std::vector<std::vector<std::string>> rows;
    for (const Epoch& epoch : history) {
      auto& cells = rows.emplace_back();
      cells = {std::to_string(epoch.number), fmt::format("{:.6f}", epoch.loss)};
      for (const Measure& m : epoch.measures) cells.push_back(fmt::format("{:.4f}", m.value));
    }
    table(header, rows);
  }
  heading("Settings");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : options.given) rows.push_back({name, value});
  table({"option", "value"}, rows);
  heading("Model");
  preformatted(model);
}

std::string Report::html() const {
  const auto figure = [](const auto& picture) { return "<figure>" + svg(picture) + "</figure>\n"; };
  std::string html = kHead + element("title", title_) + "</head>\n<body>\n" + element("h1", title_);
  for (const auto& part : parts_) {
    if (const auto* text = std::get_if<std::string>(&part)) html += *text;
    if (const auto* chart = std::get_if<Chart>(&part)) html += figure(*chart);
    if (const auto* map = std::get_if<HeatMap>(&part)) html += figure(*map);
  }
  return html + "</body>\n</html>\n";
}

void Report::write(const std::filesystem::path& path) const {
  reel::write_file_atomically(path, html());
}

void check_report(const std::string& path) {
  if (path.empty()) return;
  svg(Chart{.series = {{.name = "", .x = {0, 1}, .y = {0, 1}}}});
  const std::filesystem::path folder = std::filesystem::absolute(path).parent_path();
  reel::check<reel::FileError>(std::filesystem::is_directory(folder),
                               "{}: there must be a folder {} for the report", path,
                               folder.string());
  reel::check_writable(path);
}

}  // namespace apps
