#include <gtest/gtest.h>
#include <reel/autodiff/error.hpp>
#include <reel/data/midi.hpp>

namespace reel {
namespace {

std::string bytes(std::initializer_list<int> numbers) {
  std::string text;
  for (const int number : numbers) text += static_cast<char>(number);
  return text;
}

// Header chunk, then a track chunk with tempo, program, these events and the track's end.
std::string file_of(std::initializer_list<int> tempo_and_program, std::initializer_list<int> notes,
                    std::initializer_list<int> end) {
  const std::string track = bytes(tempo_and_program) + bytes(notes) + bytes(end);
  return "MThd" + bytes({0, 0, 0, 6, 0, 0, 0, 1, 0x01, 0xe0}) + "MTrk" +
         bytes({0, 0, 0, static_cast<int>(track.size())}) + track;
}

// Half a second a beat: 500,000 = 0x07a120 microseconds; 480 ticks are 0x83 0x60.
TEST(MidiTest, IsWhatTheSpecificationSaysByteByByte) {
  const PianoRoll roll{{60, 64}, {60}, {}};
  EXPECT_EQ(to_midi(roll, {.beats_per_minute = 120, .program = 19, .velocity = 100}),
            file_of({0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, 0, 0xc0, 19},
                    {0, 0x90, 60, 100, 0, 0x90, 64, 100,  // both are struck
                     0x83, 0x60, 0x80, 64, 0,             // 64 ends, 60 is held
                     0x83, 0x60, 0x80, 60, 0},            // 60 ends
                    {0x83, 0x60, 0xff, 0x2f, 0}));        // after a silent beat
}

TEST(MidiTest, RepeatedNotesAreStruckAnewIfWanted) {
  EXPECT_EQ(
      to_midi({{60}, {60}}, {.beats_per_minute = 120, .velocity = 1, .hold = false}),
      file_of({0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, 0, 0xc0, 0},
              {0, 0x90, 60, 1, 0x83, 0x60, 0x80, 60, 0, 0, 0x90, 60, 1, 0x83, 0x60, 0x80, 60, 0},
              {0, 0xff, 0x2f, 0}));
}

TEST(MidiTest, StepsMayBePartsOfABeat) {
  // Two steps a beat: 240 ticks are 0x81 0x70; 60 beats a minute: 1,000,000 = 0x0f4240.
  EXPECT_EQ(to_midi({{60}}, {.beats_per_minute = 60, .steps_per_beat = 2}),
            file_of({0, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0, 0xc0, 0},
                    {0, 0x90, 60, 80, 0x81, 0x70, 0x80, 60, 0}, {0, 0xff, 0x2f, 0}));
  // Three thirds of a beat end where the beat does.
  const std::string thirds = to_midi({{60}, {61}, {62}}, {.steps_per_beat = 3});
  EXPECT_NE(thirds.find(bytes({0x81, 0x20, 0x80, 62, 0})), thirds.npos);
}

TEST(MidiTest, LongSilencesTakeMoreBytes) {
  PianoRoll roll(100);  // 48,000 ticks are 0x82 0xf7 0x00
  roll.push_back({60});
  const std::string file = to_midi(roll);
  EXPECT_NE(file.find(bytes({0x82, 0xf7, 0x00, 0x90, 60, 80})), file.npos);
}

TEST(MidiTest, AnEmptyRollIsATrackWithoutNotes) {
  EXPECT_EQ(to_midi({}, {.beats_per_minute = 120}),
            file_of({0, 0xff, 0x51, 3, 0x07, 0xa1, 0x20, 0, 0xc0, 0}, {}, {0, 0xff, 0x2f, 0}));
}

TEST(MidiTest, WrongOptionsAreNamed) {
  const auto error = [](const MidiOptions& options) -> std::string {
    try {
      to_midi({{60}}, options);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_THROW(to_midi(PianoRoll{{60}, {128}}), Error);
  EXPECT_THROW(to_midi(PianoRoll{{-1}}), Error);
  EXPECT_EQ(error({.beats_per_minute = 3}), "midi: beats per minute must lie in 4 .. 1000; got 3");
  EXPECT_EQ(error({.steps_per_beat = 0}), "midi: steps per beat must lie in 1/64 .. 480; got 0");
  EXPECT_EQ(error({.program = 128}), "midi: program must lie in 0 .. 127; got 128");
  EXPECT_EQ(error({.velocity = 0}), "midi: velocity must lie in 1 .. 127; got 0");
}

}  // namespace
}  // namespace reel
