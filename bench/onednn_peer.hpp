// oneDNN's fused recurrent primitives as a contestant.
#pragma once

#include "contestant.hpp"

namespace bench {

// Throws Missing if oneDNN was not found when this was built, or has no such cell.
std::unique_ptr<Contestant> make_onednn(const Problem& problem);

}  // namespace bench
