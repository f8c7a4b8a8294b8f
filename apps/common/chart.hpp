// Charts, drawn by gnuplot as SVG.
#pragma once

#include <string>
#include <vector>

namespace apps {

struct Series {
  enum class Style { kLine, kPoints, kBand };
  std::string name = {};               // in the key; empty: not there
  std::vector<double> x = {}, y = {};  // as many of each; what is not finite is a gap
  std::vector<double> top = {};        // of a band, whose bottom is y
  Style style = Style::kLine;
};

struct Chart {
  std::string title = {}, x_label = {}, y_label = {};
  std::vector<Series> series = {};
  bool log_x = false, log_y = false;
  bool x_is_time = false;  // seconds since 1970-01-01 UTC
  int width = 760, height = 340;
};

// A number for each row and column, dark for large ones.
struct HeatMap {
  std::string title = {};
  std::vector<std::string> rows = {}, columns = {};  // their labels
  std::vector<double> values = {};                   // [rows, columns]
};

// An <svg> element, to stand in a page. Labels may be any text. Throws reel::Error if there is no
// gnuplot, or it refuses, and for series whose sizes differ.
std::string svg(const Chart& chart);
std::string svg(const HeatMap& map);

}  // namespace apps
