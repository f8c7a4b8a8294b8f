#include "more_cells.hpp"
#include "stack_of.hpp"

namespace reel::inline REEL_PRECISION::layer_tests {

std::vector<Maker> makers_of_more_cells() { return makers(MoreCells()); }

}  // namespace reel::inline REEL_PRECISION::layer_tests
