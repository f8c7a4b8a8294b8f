#include <gtest/gtest.h>
#include <reel/data/forecast_errors.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include "temp_folder.hpp"

namespace reel {
namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

TEST(ForecastErrorsTest, AreMeansOverPairs) {
  ForecastErrors errors, more;
  errors.add(1, 3);
  errors.add(5, 4);
  more.add(0, 4);
  errors.add(more);
  EXPECT_EQ(errors.count(), 3u);
  EXPECT_DOUBLE_EQ(errors.mse(), (4.0 + 1 + 16) / 3);
  EXPECT_DOUBLE_EQ(errors.mae(), 7.0 / 3);
  EXPECT_DOUBLE_EQ(errors.rmse(), std::sqrt(7));
  EXPECT_DOUBLE_EQ(errors.mase(2), 7.0 / 6);
  EXPECT_TRUE(std::isnan(ForecastErrors().mse()));
}

TEST(ForecastErrorsTest, TheScaleIsTheNaiveForecasts) {
  const std::vector<double> values = {1, 5, 2, 8, kGap, 9};
  EXPECT_DOUBLE_EQ(naive_scale(values), (4.0 + 3 + 6) / 3);
  EXPECT_DOUBLE_EQ(naive_scale(values, 2), (1.0 + 3 + 1) / 3);
  EXPECT_TRUE(std::isnan(naive_scale(values, 6)));
  EXPECT_EQ(test::error_of([&] { naive_scale(values, 0); }),
            "naive_scale: season must be positive; got 0");
}

TEST(ForecastErrorsTest, IntervalsHoldTruths) {
  IntervalErrors errors;
  errors.add(0, 2, 1);
  errors.add(0, 2, 2);
  errors.add(0, 2, 3);
  errors.add(1, 7, 0);
  EXPECT_DOUBLE_EQ(errors.coverage(), 0.5);
  EXPECT_DOUBLE_EQ(errors.width(), 3);
}

}  // namespace
}  // namespace reel
