#include <gtest/gtest.h>
#include <reel/data/scaling.hpp>

#include <cmath>
#include <limits>

#include "temp_folder.hpp"

namespace reel {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

TEST(ScalingTest, KnowsTheGivenRowsOnly) {
  const Columns columns = {{1, 3, kGap, 5, 7, 1e6}, {4, 4, 4, 4, 4, 8}};
  const Standardizer scaling = Standardizer::fit(columns, 0, 5);
  EXPECT_EQ(scaling.mean, (std::vector<double>{4, 4}));
  EXPECT_DOUBLE_EQ(scaling.deviation[0], std::sqrt(5));  // of 1 3 5 7
  EXPECT_EQ(scaling.deviation[1], 1);                    // constant
  const Columns scaled = scaling.apply(columns);
  EXPECT_DOUBLE_EQ(scaled[0][0], -3 / std::sqrt(5));
  EXPECT_TRUE(std::isnan(scaled[0][2]));
  EXPECT_EQ(scaled[1][5], 4);
  for (const std::size_t r : {0, 1, 3, 5})
    EXPECT_NEAR(scaling.invert(scaled[0][r], 0), columns[0][r], 1e-9);
}

TEST(ScalingTest, AConstantColumnIsShiftedOnly) {
  const Columns columns = {std::vector<double>(10, 0.1), std::vector<double>(100, 20.3)};
  const Standardizer scaling = Standardizer::fit(columns, 0, 10);
  EXPECT_EQ(scaling.mean, (std::vector<double>{0.1, 20.3}));
  EXPECT_EQ(scaling.deviation, (std::vector<double>{1, 1}));
}

TEST(ScalingTest, WrongUseIsNamed) {
  EXPECT_EQ(test::error_of([] {
              Standardizer::fit({{kGap, 1}}, 0, 1);
            }),
            "standardizer: column 0 must have a number in rows 0 .. 1; got gaps");
  EXPECT_EQ(test::error_of([] { Standardizer::fit({{1}}, 0, 2); }),
            "standardizer: rows must lie in 0 .. 1; got 0 .. 2");
  EXPECT_EQ(test::error_of([] { Standardizer::fit({{1}}, 0, 1).apply(Columns{}); }),
            "standardizer: there must be 1 columns; got 0");
}

TEST(GapsTest, AreFilledFromBefore) {
  const std::vector<double> values = {kGap, 2, kGap, kGap, 3};
  EXPECT_EQ(fill_forward(values), (std::vector<double>{0, 2, 2, 2, 3}));
  EXPECT_EQ(fill_forward(values, 9)[0], 9);
  EXPECT_EQ(observed(values), (std::vector<double>{0, 1, 0, 0, 1}));
}

}  // namespace
}  // namespace reel
