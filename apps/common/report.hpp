// A page about a training: one file of HTML that needs nothing else, also offline.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "chart.hpp"
#include "training.hpp"

namespace apps {

// Parts of the page appear in the order in which they were added. Any text may be given: it is
// shown as it is. Pictures are drawn when the page is written, so that a training whose model is
// not saved yet cannot fail for want of gnuplot.
class Report {
 public:
  explicit Report(std::string title);

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void preformatted(const std::string& text);
  void table(const std::vector<std::string>& header,
             const std::vector<std::vector<std::string>>& rows);
  void chart(const Chart& chart);
  void heat_map(const HeatMap& map);
  // Words on green or red, as their weights in [-1, 1] say.
  void words(const std::vector<std::pair<std::string, double>>& weighed);

  // Options, curves of loss and measures, time and speed, the model's parameters (see
  // reel::describe).
  void training(const TrainingOptions& options, const Training& training, const std::string& unit,
                const std::string& model);

  // The file is replaced whole. Throws reel::FileError, and what svg() throws.
  void write(const std::filesystem::path& path) const;
  std::string html() const;

 private:
  void add(const std::string& html);

  std::string title_;
  std::vector<std::variant<std::string, Chart, HeatMap>> parts_;  // HTML, or to be drawn
};

// Throws reel::Error if a report is asked for that could not be written at the end.
void check_report(const std::string& path);

}  // namespace apps
