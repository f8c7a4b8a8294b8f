#include <gtest/gtest.h>
#include <reel/data/windows.hpp>

#include <limits>

#include "temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

constexpr real kGap = std::numeric_limits<real>::quiet_NaN();

// Row r of series s: inputs 100 s + r and minus that, target 1000 + r.
Series make_series(std::size_t rows, std::size_t s = 0) {
  Series series{empty_array({rows, 2}), empty_array({rows, 1})};
  for (std::size_t r = 0; r < rows; ++r) {
    series.inputs(r, 0) = static_cast<real>(100 * s + r);
    series.inputs(r, 1) = -series.inputs(r, 0);
    series.targets(r, 0) = static_cast<real>(1000 + r);
  }
  return series;
}

std::vector<std::size_t> begins(const std::vector<Window>& windows) {
  std::vector<std::size_t> all;
  for (const Window& window : windows) all.push_back(window.begin);
  return all;
}

using Rows = std::vector<std::size_t>;

TEST(WindowsTest, SlideOverEachSeries) {
  const std::vector<Series> all = {make_series(6), make_series(2), make_series(5)};
  const auto windows = find_windows(all, {.input_length = 3, .horizon = 2});
  EXPECT_EQ(begins(windows), (Rows{0, 1, 0}));
  EXPECT_EQ(windows[2].series, 2u);
  EXPECT_EQ(begins(find_windows(all, {.input_length = 1, .horizon = 1, .stride = 2})),
            (Rows{0, 2, 4, 0, 0, 2}));
  const std::size_t endless = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(begins(find_windows(all, {.input_length = 1, .horizon = 1, .stride = endless})),
            (Rows{0, 0, 0}));
  EXPECT_TRUE(find_windows(all, {.input_length = 1, .horizon = endless}).empty());
}

TEST(WindowsTest, InputsReachBackBeforeTheRange) {
  const std::vector<Series> all = {make_series(20)};
  const WindowOptions shape{.input_length = 4, .horizon = 2};
  EXPECT_EQ(begins(find_windows(all, shape, {10, 14})), (Rows{6, 7, 8}));
  EXPECT_EQ(begins(find_windows(all, shape, {0, 7})), (Rows{0, 1}));
  EXPECT_TRUE(find_windows(all, shape, {10, 11}).empty());
  EXPECT_EQ(begins(find_windows(all, shape, {17, 99})), (Rows{13, 14}));
}

TEST(WindowsTest, NoGapIsReadOrForecast) {
  std::vector<Series> all = {make_series(12)};
  all[0].inputs(2, 1) = kGap;
  all[0].targets(9, 0) = kGap;
  all[0].targets(3, 0) = kGap;  // before the first horizon that could be
  EXPECT_EQ(begins(find_windows(all, {.input_length = 3, .horizon = 2})), (Rows{3, 4, 7}));
}

TEST(WindowsTest, BatchesAreTimeMajor) {
  const std::vector<Series> all = {make_series(9), make_series(9, 1)};
  const WindowOptions shape{.input_length = 3, .horizon = 2};
  const std::vector<Window> windows = {{1, 4}, {0, 2}};
  const WindowBatch batch = make_windows(all, windows, shape);
  EXPECT_EQ(shape_of(batch.inputs), (Shape{3, 2, 2}));
  EXPECT_EQ(shape_of(batch.targets), (Shape{2, 2, 1}));
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_EQ(batch.inputs(t, 0, 0), real(104 + t));
    EXPECT_EQ(batch.inputs(t, 0, 1), -real(104 + t));
    EXPECT_EQ(batch.inputs(t, 1, 0), real(2 + t));
  }
  for (std::size_t h = 0; h < 2; ++h) {
    EXPECT_EQ(batch.targets(h, 0, 0), real(1007 + h));
    EXPECT_EQ(batch.targets(h, 1, 0), real(1005 + h));
  }
}

TEST(WindowsTest, WrongUseIsNamed) {
  const std::vector<Series> all = {make_series(5)};
  EXPECT_EQ(test::error_of([&] {
              find_windows(all, {0, 1});
            }),
            "windows: input length, horizon and stride must be positive; got 0, 1, 1");
  const std::vector<Window> outside = {{0, 3}};
  EXPECT_EQ(test::error_of([&] {
              make_windows(all, outside, {2, 1});
            }),
            "windows: a window must lie in its series; got rows 3 .. 6 of series 0");
  EXPECT_EQ(test::error_of([&] {
              make_windows({}, outside, {2, 1});
            }),
            "windows: there must be a series");
  const std::vector<Series> uneven = {{empty_array({3, 2}), empty_array({2, 1})}};
  EXPECT_EQ(test::error_of([&] {
              find_windows(uneven, {1, 1});
            }),
            "windows: series must have inputs [rows, F] and targets [rows, K], F and K as the "
            "first one's; got inputs [3, 2], targets [2, 1]");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
