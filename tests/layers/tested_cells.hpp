// The cells that a test binary is about; lists are compiled apart, since each cell takes its time.
#pragma once

#ifdef REEL_MORE_CELLS
#include "more_cells.hpp"
#else
#include "answers.hpp"
#endif

namespace reel::inline REEL_PRECISION::layer_tests {

#ifdef REEL_MORE_CELLS
using TestedCells = MoreCells;
#else
using TestedCells = BuiltInCells;
#endif

}  // namespace reel::inline REEL_PRECISION::layer_tests
