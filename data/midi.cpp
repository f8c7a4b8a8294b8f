#include <reel/autodiff/error.hpp>
#include <reel/data/midi.hpp>

#include <algorithm>
#include <cmath>

namespace reel {
namespace {

constexpr std::uint32_t kTicksPerBeat = 480;

// Most significant byte first.
std::string big_endian(std::uint32_t number, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(number >> shift & 0xff);
  return text;
}

// A variable-length quantity: seven bits in a byte, the high bit set in all but the last.
std::string variable_length(std::uint32_t number) {
  std::string text(1, static_cast<char>(number & 0x7f));
  while (number >>= 7) text.insert(text.begin(), static_cast<char>(0x80 | (number & 0x7f)));
  return text;
}

std::string chunk(std::string_view type, std::string_view content) {
  return std::string(type) + big_endian(static_cast<std::uint32_t>(content.size()), 4) +
         std::string(content);
}

// Events in order of time.
class Track {
 public:
  void add(std::uint32_t tick, std::initializer_list<int> bytes) {
    bytes_ += variable_length(tick - now_);
    now_ = tick;
    for (const int byte : bytes) bytes_ += static_cast<char>(byte);
  }
  void meta(std::uint32_t tick, int type, std::string_view data) {
    add(tick, {0xff, type, static_cast<int>(data.size())});
    bytes_ += data;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::uint32_t now_ = 0;
};

bool sounds(const PianoRoll& roll, std::size_t step, int pitch) {
  return step < roll.size() &&
         std::find(roll[step].begin(), roll[step].end(), pitch) != roll[step].end();
}

void check_options(const PianoRoll& roll, const MidiOptions& o) {
  check<Error>(o.beats_per_minute >= 4 && o.beats_per_minute <= 1000,
               "midi: beats per minute must lie in 4 .. 1000; got {}", o.beats_per_minute);
  check<Error>(o.steps_per_beat >= 1.0 / 64 && o.steps_per_beat <= kTicksPerBeat,
               "midi: steps per beat must lie in 1/64 .. {}; got {}", kTicksPerBeat,
               o.steps_per_beat);
  check<Error>(o.program >= 0 && o.program <= 127, "midi: program must lie in 0 .. 127; got {}",
               o.program);
  check<Error>(o.velocity >= 1 && o.velocity <= 127, "midi: velocity must lie in 1 .. 127; got {}",
               o.velocity);
  // A time between events is at most 28 bits.
  const double ticks = static_cast<double>(roll.size()) * kTicksPerBeat / o.steps_per_beat;
  check<Error>(ticks < 0x1p28, "midi: a roll must have fewer than 2^28 ticks; got {}", ticks);
}

}  // namespace

std::string to_midi(const PianoRoll& roll, const MidiOptions& options) {
  check_options(roll, options);
  const auto tick_of = [&](std::size_t step) {
    return static_cast<std::uint32_t>(
        std::lround(static_cast<double>(step) * kTicksPerBeat / options.steps_per_beat));
  };
  const auto microseconds =
      static_cast<std::uint32_t>(std::lround(60e6 / options.beats_per_minute));
  for (const std::vector<int>& step : roll)
    for (const int pitch : step)
      check<Error>(pitch >= 0 && pitch <= 127, "midi: a pitch must lie in 0 .. 127; got {}", pitch);
  Track track;
  track.meta(0, 0x51, big_endian(microseconds, 3));
  track.add(0, {0xc0, options.program});
  for (std::size_t step = 0; step <= roll.size(); ++step) {
    const std::uint32_t tick = tick_of(step);
    const auto held = [&](int pitch) {  // from the step before into this one
      return options.hold && step > 0 && sounds(roll, step - 1, pitch) && sounds(roll, step, pitch);
    };
    if (step > 0)
      for (const int pitch : roll[step - 1])
        if (!held(pitch)) track.add(tick, {0x80, pitch, 0});
    if (step < roll.size())
      for (const int pitch : roll[step])
        if (!held(pitch)) track.add(tick, {0x90, pitch, options.velocity});
  }
  track.meta(tick_of(roll.size()), 0x2f, "");
  return chunk("MThd", big_endian(0, 2) + big_endian(1, 2) + big_endian(kTicksPerBeat, 2)) +
         chunk("MTrk", track.bytes());
}

}  // namespace reel
