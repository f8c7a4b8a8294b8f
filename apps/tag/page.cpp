#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tag {

using namespace reel;

namespace {

constexpr std::size_t kExamples = 12;

std::string percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.1f}", 100 * double(part) / double(whole));
}

// How often a tag, in a row, was taken for another, in a column.
apps::HeatMap confusion_map(const Evaluation& e) {
  apps::HeatMap map{.title = "share of a tag's words (row) given each tag (column)"};
  for (const Evaluation::Tag& tag : e.tags) map.rows.push_back(tag.name);
  map.columns = map.rows;
  map.values.assign(map.rows.size() * map.rows.size(), 0);
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(std::find(map.rows.begin(), map.rows.end(), name) -
                                    map.rows.begin());
  };
  for (std::size_t i = 0; i < e.tags.size(); ++i)
    if (const Evaluation::Tag& tag = e.tags[i]; tag.words > 0)
      map.values[i * e.tags.size() + i] = double(tag.right) / double(tag.words);
  for (const Evaluation::Confusion& c : e.confusions) {
    const std::size_t row = place(c.tag);
    map.values[row * e.tags.size() + place(c.predicted)] =
        double(c.count) / double(e.tags[row].words);
  }
  return map;
}

}  // namespace

void write_page(const std::filesystem::path& path, apps::Report& report, const Tagger& tagger,
                const MostFrequentTag& baseline, const Sentences& dev) {
  if (!dev.empty()) {
    const auto predicted = tagger.predict(tagger.encode(dev));
    const Evaluation e = evaluate(dev, predicted, tagger.words);
    report.heading("On the sentences that chose the epoch");
    report.paragraph(summary(e));
    report.paragraph(
        fmt::format("most frequent tag of each word: accuracy {:.4f}",
                    evaluate(dev, baseline.predict(dev), tagger.words).all.accuracy()));
    std::vector<std::vector<std::string>> rows;
    for (const Evaluation::Tag& tag : e.tags)
      rows.push_back({tag.name, std::to_string(tag.words), percent(tag.right, tag.words),
                      percent(tag.right, tag.predicted)});
    report.table({"tag", "words", "accuracy %", "precision %"}, rows);
    report.heat_map(confusion_map(e));

    report.heading("Examples");
    report.paragraph("Each word with the tag it was given; on red where that is wrong.");
    for (std::size_t s = 0; s < std::min(kExamples, dev.size()); ++s) {
      std::vector<std::pair<std::string, double>> words;
      for (std::size_t i = 0; i < dev[s].words.size(); ++i)
        words.push_back(
            {dev[s].words[i] + "/" + predicted[s][i], predicted[s][i] == dev[s].tags[i] ? 0 : -1});
      report.words(words);
    }
  }
  report.write(path);
}

}  // namespace tag
