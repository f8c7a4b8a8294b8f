// Linear forecasts, fitted by ridge regression.
#pragma once

#include <vector>

#include "dataset.hpp"

namespace forecast {

struct Matrix {
  std::size_t rows, columns;
  std::vector<double> values = std::vector<double>(rows * columns, 0.0);
  double* operator[](std::size_t row) { return &values[row * columns]; }
  const double* operator[](std::size_t row) const { return &values[row * columns]; }
};

// For each target a linear map of its own T values, less the last one, and a 1, to its next H
// values, less the same: weights [T + 1, H]. Ridge regression on the windows in `train`; its
// strength is the one with the least squares on `dev`.
std::vector<Matrix> fit_linear(const Dataset& data, const reel::WindowOptions& shape,
                               const reel::RowRange& train, const reel::RowRange& dev);
// Writes the forecasts of the rows of one target from `row` on.
void apply_linear(const Matrix& weights, const Dataset& data, std::size_t target, std::size_t row,
                  std::span<double> values);

}  // namespace forecast
