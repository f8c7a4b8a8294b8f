// Sliding windows over series: a stretch of the past, and what came after it.
#pragma once

#include <reel/autodiff/array.hpp>

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

namespace reel {

struct WindowOptions {
  std::size_t input_length;  // rows that are known, T
  std::size_t horizon;       // rows behind them to forecast, H
  std::size_t stride = 1;    // from one window to the next
};

// Rows begin .. end - 1.
struct RowRange {
  std::size_t begin = 0, end = std::numeric_limits<std::size_t>::max();
};

// Rows begin .. begin + T + H - 1 of one series.
struct Window {
  std::size_t series, begin;
};

}  // namespace reel

namespace reel::inline REEL_PRECISION {

// Rows in order of time. NaN is a gap.
struct Series {
  Array inputs;   // [rows, F]: targets, covariates, features of the calendar
  Array targets;  // [rows, K]: what is to be forecast
};

// The windows of all series in which no target has a gap in the horizon and no input has one in
// the T rows before: whoever wants to learn from inputs with gaps fills them (fill_forward).
// The horizon lies in `rows`; the inputs may reach back before them, since at the time of the
// forecast they are known. In order of series, then of time. Throws Error if T, H or stride is 0
// or the two arrays of a series differ in rows.
std::vector<Window> find_windows(std::span<const Series> all, const WindowOptions& options,
                                 const RowRange& rows = {});

struct WindowBatch {
  Array inputs;   // [T, B, F]
  Array targets;  // [H, B, K]
};
// The rows of these windows, copied. All series must have the same F and K.
WindowBatch make_windows(std::span<const Series> all, std::span<const Window> windows,
                         const WindowOptions& options);

}  // namespace reel::inline REEL_PRECISION
