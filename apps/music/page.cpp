#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace music {

using namespace reel;

namespace {

constexpr std::size_t kMostSteps = 64;

std::string name_of(int pitch) {
  constexpr std::array<const char*, 12> kNames = {"C",  "C#", "D",  "D#", "E",  "F",
                                                  "F#", "G",  "G#", "A",  "A#", "B"};
  return fmt::format("{}{}", kNames[static_cast<std::size_t>(pitch) % 12], pitch / 12 - 1);
}

// A row for each key from the highest that matters down to the lowest.
apps::HeatMap heat_map(const std::string& title, const Array& values, int lowest, int highest) {
  apps::HeatMap map{.title = title};
  for (int pitch = highest; pitch >= lowest; --pitch) {
    map.rows.push_back(name_of(pitch));
    for (std::size_t t = 0; t < values.shape(0); ++t)
      map.values.push_back(
          static_cast<double>(values(t, static_cast<std::size_t>(pitch - kLowestPitch))));
  }
  for (std::size_t t = 0; t < values.shape(0); ++t)
    map.columns.push_back(t % 4 == 0 ? fmt::format("{}", t + 1) : "");
  return map;
}

}  // namespace

void add_piece(apps::Report& report, const Model& model, const PianoRoll& piece) {
  PianoRoll roll = piece;
  roll.resize(std::min(roll.size(), kMostSteps));
  const auto range = transposition_range(roll);
  if (range.down == 0 && range.up == 0) return;  // no notes
  const int lowest = kLowestPitch - range.down, highest = kHighestPitch - range.up;
  const PianoRoll* const rolls[] = {&roll};
  const Model::Result result = model(make_batch(rolls), nullptr);
  report.heading("A piece that was not learned from");
  report.paragraph(
      "The probability of each key at each step, given the steps before; below, what then "
      "sounded.");
  report.heat_map(heat_map("told", sigmoid(result.logits).value(), lowest, highest));
  report.heat_map(heat_map("played", result.keys, lowest, highest));
}

}  // namespace music
