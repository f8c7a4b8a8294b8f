// Columns of numbers on a common scale, and without gaps.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace reel {

using Columns = std::vector<std::vector<double>>;

// Each column less its mean, over its standard deviation. Both are those of some rows only, those
// to learn from, so that nothing is known of the others.
struct Standardizer {
  std::vector<double> mean, deviation;  // of each column; a deviation of 0 is taken for 1

  // Of the numbers in rows begin .. end - 1, gaps (NaN) left out; the deviation divides by their
  // count. Throws Error if a column has no number there, or too few rows.
  static Standardizer fit(const Columns& columns, std::size_t begin, std::size_t end);

  double apply(double value, std::size_t column) const {
    return (value - mean[column]) / deviation[column];
  }
  double invert(double value, std::size_t column) const {
    return value * deviation[column] + mean[column];
  }
  Columns apply(Columns columns) const;  // gaps stay gaps
};

// Each gap (NaN) takes the value before it; those at the start take `first`.
std::vector<double> fill_forward(std::vector<double> values, double first = 0);
// 1 where there is a number, 0 where there is a gap.
std::vector<double> observed(std::span<const double> values);

}  // namespace reel
