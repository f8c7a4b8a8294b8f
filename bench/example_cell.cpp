// The file with which docs/custom-cells.md measures its cell.
#include "../tests/layers/guide_cells.hpp"

using example::GatedUnit;

// [bench]
#include <reel/bench/cell.hpp>

REEL_BENCH_CELL(GatedUnit, "gated-unit", .gates = 2, .builtin = "gru");
// [/bench]
