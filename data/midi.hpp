// Music as a standard MIDI file.
#pragma once

#include <reel/data/piano_roll.hpp>

#include <string>

namespace reel {

struct MidiOptions {
  double beats_per_minute = 80;  // quarter notes
  double steps_per_beat = 1;     // steps of the roll
  int program = 0;               // 0 .. 127, General MIDI's instruments from 0, a grand piano
  int velocity = 80;             // 1 .. 127, how hard a key is struck
  // A pitch that sounds in steps that follow each other is one long note; else it is struck anew.
  bool hold = true;
};

// The bytes of a standard MIDI file of format 0 (The Complete MIDI 1.0 Detailed Specification,
// 1996): one track on channel 1 with tempo, instrument and notes, 480 ticks to the quarter note.
// Silence at the end is kept. Throws Error if an option is out of its range or too long for the
// format.
std::string to_midi(const PianoRoll& roll, const MidiOptions& options = {});

}  // namespace reel
