#include <gtest/gtest.h>
#include <reel/data/lanes.hpp>

#include <limits>
#include <map>
#include <numeric>

#include "temp_folder.hpp"

namespace reel::inline REEL_PRECISION {
namespace {

using reel::test::error_of;

std::vector<std::int64_t> count_to(std::size_t n) {
  std::vector<std::int64_t> tokens(n);
  std::iota(tokens.begin(), tokens.end(), std::int64_t{0});
  return tokens;
}

TEST(LanesTest, ASmallCaseIsWhatOneWouldWrite) {
  const Lanes lanes(count_to(8), 2, 3);  // predictions 0->1 .. 6->7: four in lane 0, three in 1
  EXPECT_EQ(lanes.windows(), 2u);
  EXPECT_EQ(lanes.targets(), 7u);
  const Lanes::Window first = lanes.window(0), last = lanes.window(1);
  EXPECT_EQ(first.inputs, (Indices{{0, 4}, {1, 5}, {2, 6}}));
  EXPECT_EQ(first.targets, (Indices{{1, 5}, {2, 6}, {3, 7}}));
  EXPECT_EQ(first.count, 6u);
  EXPECT_EQ(last.inputs, (Indices{{3, 0}}));
  EXPECT_EQ(last.targets, (Indices{{4, Lanes::kNone}}));
  EXPECT_EQ(last.count, 1u);
  const Lanes whole(count_to(8), 1, std::numeric_limits<std::size_t>::max());
  EXPECT_EQ(whole.windows(), 1u);
  EXPECT_EQ(whole.window(0).count, 7u);
}

TEST(LanesTest, EachTokenIsPredictedOnceFromTheOneBefore) {
  for (std::size_t tokens : {2, 3, 9, 64, 65, 101})
    for (std::size_t lane_count : {1, 2, 5, 8})
      for (std::size_t steps : {1, 3, 8, 200}) {
        if (tokens <= lane_count) continue;
        const Lanes lanes(count_to(tokens), lane_count, steps);
        std::map<std::int64_t, int> seen;
        std::size_t count = 0;
        for (std::size_t i = 0; i < lanes.windows(); ++i) {
          const Lanes::Window window = lanes.window(i);
          ASSERT_LE(window.inputs.shape()[0], steps);
          count += window.count;
          for (std::size_t k = 0; k < window.inputs.size(); ++k) {
            const std::int64_t target = window.targets.data()[k];
            if (target == Lanes::kNone) continue;
            EXPECT_EQ(window.inputs.data()[k] + 1, target);
            ++seen[target];
          }
        }
        EXPECT_EQ(count, tokens - 1);
        ASSERT_EQ(seen.size(), tokens - 1);
        for (const auto& [target, times] : seen) EXPECT_EQ(times, 1) << target;
      }
}

TEST(LanesTest, ALaneGoesOnWhereItsLastWindowEnded) {
  const Lanes lanes(count_to(1001), 7, 16);
  for (std::size_t i = 0; i + 1 < lanes.windows(); ++i) {
    const Lanes::Window window = lanes.window(i), next = lanes.window(i + 1);
    for (std::size_t lane = 0; lane < 7; ++lane)
      if (next.targets(0, lane) != Lanes::kNone)
        EXPECT_EQ(window.targets(15, lane), next.inputs(0, lane));
  }
}

TEST(LanesTest, SomeLanesAreColumnsOfAll) {
  const Lanes lanes(count_to(50), 6, 4);
  for (std::size_t i = 0; i < lanes.windows(); ++i) {
    const Lanes::Window all = lanes.window(i), some = lanes.window(i, 2, 5);
    std::size_t count = 0;
    for (std::size_t t = 0; t < all.inputs.shape()[0]; ++t)
      for (std::size_t lane = 0; lane < 3; ++lane) {
        EXPECT_EQ(some.inputs(t, lane), all.inputs(t, lane + 2));
        EXPECT_EQ(some.targets(t, lane), all.targets(t, lane + 2));
        count += some.targets(t, lane) != Lanes::kNone;
      }
    EXPECT_EQ(some.count, count);
  }
}

TEST(LanesTest, WrongUseIsNamed) {
  EXPECT_EQ(error_of([] { Lanes(count_to(4), 4, 2); }),
            "lanes: each lane must have a token to predict; got 4 tokens for 4 lanes");
  EXPECT_EQ(error_of([] { Lanes(count_to(4), 0, 2); }),
            "lanes: each lane must have a token to predict; got 4 tokens for 0 lanes");
  EXPECT_EQ(error_of([] { Lanes(count_to(4), 2, 0); }),
            "lanes: a window must have at least one step; got 0");
  EXPECT_EQ(error_of([] { Lanes(count_to(9), 2, 2).window(2, 0, 2); }),
            "lanes: a window must be one of 2, of lanes within 0 .. 2; got 2, lanes 0 .. 2");
}

}  // namespace
}  // namespace reel::inline REEL_PRECISION
