// Rows of different lengths in one array.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <span>

namespace reel::inline REEL_PRECISION {

// x [T, B, ..], or [B, T, ..] with batch_first, with zeros past each row's end, whatever stood
// there, NaN included; no lengths: x. Throws ShapeError unless each row has a length of at most T.
Var zero_past_end(const Var& x, std::span<const std::size_t> lengths, bool batch_first = false);

}  // namespace reel::inline REEL_PRECISION
