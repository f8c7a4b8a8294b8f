// How far forecasts are from what came.
#pragma once

#include <cmath>
#include <cstddef>
#include <span>

namespace reel {

// Means over all pairs that were added; NaN before the first.
class ForecastErrors {
 public:
  void add(double forecast, double truth) {
    const double d = forecast - truth;
    squares_ += d * d;
    distances_ += std::abs(d);
    ++count_;
  }
  void add(const ForecastErrors& other);  // as if its pairs had been added here

  double mse() const { return squares_ / static_cast<double>(count_); }    // mean of d^2
  double mae() const { return distances_ / static_cast<double>(count_); }  // mean of |d|
  double rmse() const { return std::sqrt(mse()); }
  // Mean absolute scaled error (Hyndman & Koehler 2006): mae over naive_scale of the rows to learn
  // from. Below 1: better than the seasonal-naive forecast was there, one season ahead.
  double mase(double scale) const { return mae() / scale; }
  std::size_t count() const { return count_; }

 private:
  double squares_ = 0, distances_ = 0;
  std::size_t count_ = 0;
};

// Mean of |values[t] - values[t - season]|, pairs with a gap (NaN) left out; NaN if none is left.
// Throws Error if season is 0.
double naive_scale(std::span<const double> values, std::size_t season = 1);

// Share of the truths that lie in their intervals, and the intervals' mean width.
class IntervalErrors {
 public:
  void add(double low, double high, double truth) {
    inside_ += low <= truth && truth <= high;
    width_ += high - low;
    ++count_;
  }
  double coverage() const { return inside_ / static_cast<double>(count_); }
  double width() const { return width_ / static_cast<double>(count_); }

 private:
  double inside_ = 0, width_ = 0;
  std::size_t count_ = 0;
};

}  // namespace reel
