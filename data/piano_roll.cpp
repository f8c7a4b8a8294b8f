#include <reel/autodiff/error.hpp>
#include <reel/data/file.hpp>
#include <reel/data/json.hpp>
#include <reel/data/piano_roll.hpp>

#include <algorithm>
#include <set>

namespace reel {
namespace {

using nlohmann::json;

constexpr int kSilence = -1;

const json& list_in(const json& value, const std::string& where, const char* what) {
  check<FileError>(value.is_array(), "{}: must be a list of {}; found {}", where, what,
                   value.type_name());
  return value;
}

std::vector<int> parse_step(const json& step, const std::string& where) {
  std::set<int> pitches;
  for (const json& entry : list_in(step, where, "pitches")) {
    const auto pitch = entry.is_number_integer() ? entry.get<std::int64_t>() : 0;
    const bool too_large = entry.is_number_unsigned() && pitch < 0;
    const bool fits =
        !too_large && (pitch == kSilence || (pitch >= kLowestPitch && pitch <= kHighestPitch));
    check<FileError>(fits, "{}: a pitch must lie in {} .. {}, or be {} for silence; found {}",
                     where, kLowestPitch, kHighestPitch, kSilence, entry.dump());
    if (pitch != kSilence) pitches.insert(static_cast<int>(pitch));
  }
  return {pitches.begin(), pitches.end()};
}

std::vector<PianoRoll> parse_part(const json& file, const char* part, const std::string& source) {
  check<FileError>(file.is_object() && file.contains(part),
                   "{}: must be an object with train, valid and test; found no {}", source, part);
  std::vector<PianoRoll> rolls;
  const std::string where = fmt::format("{}: {}", source, part);
  for (const json& piece : list_in(file[part], where, "pieces")) {
    const std::string place = fmt::format("{}, piece {}", where, rolls.size() + 1);
    PianoRoll roll;
    for (const json& step : list_in(piece, place, "steps"))
      roll.push_back(parse_step(step, fmt::format("{}, step {}", place, roll.size() + 1)));
    check<FileError>(!roll.empty(), "{}: must have a step; found none", place);
    rolls.push_back(std::move(roll));
  }
  check<FileError>(!rolls.empty(), "{}: must have a piece; found none", where);
  return rolls;
}

}  // namespace

PianoRolls read_piano_rolls(const std::filesystem::path& path) {
  const std::string source = path.string();
  const json file = parse_json(read_file(path), source);
  return {parse_part(file, "train", source), parse_part(file, "valid", source),
          parse_part(file, "test", source)};
}

Transposition transposition_range(const PianoRoll& roll) {
  int lowest = kHighestPitch, highest = kLowestPitch;
  for (const auto& step : roll)
    for (const int pitch : step) {
      lowest = std::min(lowest, pitch);
      highest = std::max(highest, pitch);
    }
  if (lowest > highest) return {0, 0};
  return {kLowestPitch - lowest, kHighestPitch - highest};
}

PianoRoll transpose(PianoRoll roll, int semitones) {
  for (auto& step : roll)
    for (int& pitch : step) {
      pitch += semitones;
      check<Error>(pitch >= kLowestPitch && pitch <= kHighestPitch,
                   "transpose: pitches must stay in {} .. {}; got {}, moved by {}", kLowestPitch,
                   kHighestPitch, pitch - semitones, semitones);
    }
  return roll;
}

}  // namespace reel

namespace reel::inline REEL_PRECISION {

Array keys_of(std::span<const PianoRoll* const> rolls, std::size_t delay) {
  std::size_t steps = 1;
  for (const PianoRoll* roll : rolls) steps = std::max(steps, roll->size());
  Array keys = full_array({steps, rolls.size(), kPianoKeys}, 0);
  for (std::size_t b = 0; b < rolls.size(); ++b)
    for (std::size_t t = delay; t < rolls[b]->size(); ++t)
      for (const int pitch : (*rolls[b])[t - delay]) {
        check<Error>(pitch >= kLowestPitch && pitch <= kHighestPitch,
                     "piano roll: a pitch must lie in {} .. {}; got {}", kLowestPitch,
                     kHighestPitch, pitch);
        keys(t, b, static_cast<std::size_t>(pitch - kLowestPitch)) = 1;
      }
  return keys;
}

}  // namespace reel::inline REEL_PRECISION
