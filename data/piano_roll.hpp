// Polyphonic music as piano rolls.
#pragma once

#include <reel/autodiff/array.hpp>

#include <filesystem>
#include <span>
#include <vector>

namespace reel {

// The keys of a piano as MIDI pitches; 60 is middle C.
constexpr int kLowestPitch = 21, kHighestPitch = 108;
constexpr std::size_t kPianoKeys = kHighestPitch - kLowestPitch + 1;

// For each step of time the pitches that sound, ascending, each once.
using PianoRoll = std::vector<std::vector<int>>;

struct PianoRolls {
  std::vector<PianoRoll> train, valid, test;
};

// A JSON object with a list of pieces for each of train, valid and test; a piece is a list of
// steps, a step a list of pitches in any order, -1 standing for a voice that is silent: the form of
// the JSB chorales (Boulanger-Lewandowski et al. 2012). Throws FileError, naming the file and the
// place (line and column of what is no JSON, else piece and step), for anything else, and for a
// part without pieces or a piece without steps.
PianoRolls read_piano_rolls(const std::filesystem::path& path);

// All pitches moved by so many semitones. Throws Error if one would leave the piano.
PianoRoll transpose(PianoRoll roll, int semitones);
// The largest ranges by which a roll can be moved, {down <= 0, up >= 0}; without notes both are 0.
struct Transposition {
  int down, up;
};
Transposition transposition_range(const PianoRoll& roll);

}  // namespace reel

namespace reel::inline REEL_PRECISION {

// 1 where a key sounds, 0 elsewhere: [T, B, kPianoKeys], T the longest roll's steps, at least 1;
// zeros past a roll's end. With a delay each roll is moved on by so many steps, silent ones first,
// and loses its last ones: with one, what has been heard before each step.
Array keys_of(std::span<const PianoRoll* const> rolls, std::size_t delay = 0);

}  // namespace reel::inline REEL_PRECISION
