// What a report shows of a music model.
#pragma once

#include "../common/report.hpp"
#include "model.hpp"

namespace music {

// A piece as the model hears it coming: at each step the probability of each key, given the steps
// before, and what then sounded.
void add_piece(apps::Report& report, const Model& model, const reel::PianoRoll& piece);

}  // namespace music
