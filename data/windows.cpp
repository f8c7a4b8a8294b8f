#include <reel/data/windows.hpp>

#include <algorithm>
#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

// How many of the first n rows have a gap, for n = 0 .. rows.
std::vector<std::size_t> count_gaps(const Array& values) {
  const std::size_t rows = values.shape()[0], width = values.shape()[1];
  std::vector<std::size_t> counts = {0};
  for (std::size_t r = 0; r < rows; ++r) {
    const real* row = values.data() + r * width;
    const bool gap = std::any_of(row, row + width, [](real x) { return std::isnan(x); });
    counts.push_back(counts.back() + gap);
  }
  return counts;
}

void check_series(std::span<const Series> all) {
  for (const Series& s : all)
    check(s.inputs.dimension() == 2 && s.targets.dimension() == 2 &&
              s.inputs.shape()[0] == s.targets.shape()[0] &&
              s.inputs.shape()[1] == all[0].inputs.shape()[1] &&
              s.targets.shape()[1] == all[0].targets.shape()[1],
          "windows: series must have inputs [rows, F] and targets [rows, K], F and K as the first "
          "one's; got inputs {}, targets {}",
          shape_of(s.inputs), shape_of(s.targets));
}

// Rows first .. first + count - 1 of `from` [rows, width] to column `b` of `to` [count, B, width].
void copy_rows(const Array& from, std::size_t first, std::size_t count, Array& to, std::size_t b) {
  const std::size_t width = from.shape()[1], batch = to.shape()[1];
  for (std::size_t t = 0; t < count; ++t)
    std::copy_n(from.data() + (first + t) * width, width, to.data() + (t * batch + b) * width);
}

}  // namespace

std::vector<Window> find_windows(std::span<const Series> all, const WindowOptions& options,
                                 const RowRange& rows) {
  const auto [length, horizon, stride] = options;
  check<Error>(length > 0 && horizon > 0 && stride > 0,
               "windows: input length, horizon and stride must be positive; got {}, {}, {}", length,
               horizon, stride);
  check_series(all);
  std::vector<Window> windows;
  for (std::size_t s = 0; s < all.size(); ++s) {
    const auto inputs = count_gaps(all[s].inputs), targets = count_gaps(all[s].targets);
    const std::size_t end = std::min(rows.end, all[s].inputs.shape()[0]);
    // `at`: the first row of the horizon.
    for (std::size_t at = std::max(rows.begin, length); at <= end && horizon <= end - at;) {
      if (inputs[at] == inputs[at - length] && targets[at + horizon] == targets[at])
        windows.push_back({s, at - length});
      if (stride > end - at) break;
      at += stride;
    }
  }
  return windows;
}

WindowBatch make_windows(std::span<const Series> all, std::span<const Window> windows,
                         const WindowOptions& options) {
  check<Error>(!all.empty(), "windows: there must be a series");
  check_series(all);
  const auto [length, horizon, stride] = options;
  WindowBatch batch{empty_array({length, windows.size(), all[0].inputs.shape()[1]}),
                    empty_array({horizon, windows.size(), all[0].targets.shape()[1]})};
  for (std::size_t b = 0; b < windows.size(); ++b) {
    const auto [s, begin] = windows[b];
    check<Error>(s < all.size() && begin + length + horizon <= all[s].inputs.shape()[0],
                 "windows: a window must lie in its series; got rows {} .. {} of series {}", begin,
                 begin + length + horizon, s);
    copy_rows(all[s].inputs, begin, length, batch.inputs, b);
    copy_rows(all[s].targets, begin + length, horizon, batch.targets, b);
  }
  return batch;
}

}  // namespace reel::inline REEL_PRECISION
