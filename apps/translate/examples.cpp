#include "training.hpp"

namespace translate {

using namespace reel;

void show_examples(const Translator& translator, const Pairs& pairs, const Score& score,
                   apps::Report& report) {
  constexpr std::size_t kRows = 20, kMaps = 3;
  const std::size_t every = std::max<std::size_t>(1, pairs.size() / kRows);
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < pairs.size() && rows.size() < kRows; i += every)
    rows.push_back({pairs[i].source, pairs[i].target, score.by_greedy[i], score.by_beam[i]});
  report.heading("Translations");
  report.table({"source", "one translation", "greedy", "beam"}, rows);

  report.heading("Where it looked");
  report.paragraph(
      "Each row is a token of the translation; the darker a square, the more attention the source "
      "token above it had while that token was chosen.");
  for (std::size_t map = 0; map < kMaps && map < rows.size(); ++map) {
    const auto& row = rows[rows.size() - 1 - map];
    const auto made = translator.align(row[0], row[3]);
    report.heat_map({.title = row[0],
                     .rows = made.target,
                     .columns = made.source,
                     .values = {made.weights.begin(), made.weights.end()}});
  }
}

}  // namespace translate
