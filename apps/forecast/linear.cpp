#include "linear.hpp"

#include <algorithm>
#include <cmath>

namespace forecast {

using namespace reel;

namespace {

void add_row(double* to, const double* from, double factor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += factor * from[i];
}
// A X = B for a symmetric positive definite A [n, n], by Cholesky's method; B [n, m] becomes X.
void solve(Matrix a, Matrix& b) {
  const std::size_t n = a.rows;
  for (std::size_t i = 0; i < n; ++i) {  // A = U' U, by rows
    const double pivot = std::sqrt(a[i][i]);
    for (std::size_t j = i; j < n; ++j) a[i][j] /= pivot;
    for (std::size_t k = i + 1; k < n; ++k) add_row(a[k] + k, a[i] + k, -a[i][k], n - k);
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) add_row(b[i], b[k], -a[k][i], b.columns);
    for (std::size_t m = 0; m < b.columns; ++m) b[i][m] /= a[i][i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) add_row(b[i], b[k], -a[i][k], b.columns);
    for (std::size_t m = 0; m < b.columns; ++m) b[i][m] /= a[i][i];
  }
}

// The T values before `row` less the last of them, then a 1.
void read_inputs(const Dataset& data, std::size_t target, std::size_t row,
                 std::span<double> inputs) {
  const std::size_t length = inputs.size() - 1;
  const double last = data.value(target, row - 1);
  for (std::size_t t = 0; t < length; ++t) inputs[t] = data.value(target, row - length + t) - last;
  inputs[length] = 1;
}

struct Ridge {
  Matrix squares, products;  // X'X [T + 1, T + 1], X'Y [T + 1, H]

  void add(std::span<const double> x, std::span<const double> y) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      add_row(squares[i] + i, &x[i], x[i], x.size() - i);
      add_row(products[i], y.data(), x[i], y.size());
    }
  }
  Matrix weights(double strength) const {
    Matrix a = squares, w = products;
    for (std::size_t i = 0; i < a.rows; ++i) a[i][i] += strength;
    solve(std::move(a), w);
    return w;
  }
};

}  // namespace

void apply_linear(const Matrix& weights, const Dataset& data, std::size_t target, std::size_t row,
                  std::span<double> values) {
  std::vector<double> inputs(weights.rows);
  read_inputs(data, target, row, inputs);
  std::fill(values.begin(), values.end(), data.value(target, row - 1));
  for (std::size_t i = 0; i < inputs.size(); ++i)
    add_row(values.data(), weights[i], inputs[i], values.size());
}

std::vector<Matrix> fit_linear(const Dataset& data, const WindowOptions& shape,
                               const RowRange& train, const RowRange& dev) {
  static constexpr double kStrengths[] = {1, 0.01, 0.1, 10, 100, 1000};
  const std::size_t length = shape.input_length, horizon = shape.horizon;
  const std::size_t targets = data.targets();
  std::vector<Ridge> sums(targets, {{length + 1, length + 1}, {length + 1, horizon}});
  const auto each = [&](const RowRange& rows, auto&& act) {
    std::vector<double> truth(horizon);
    for (const Window& window : find_windows(data.series, shape, rows))
      for (std::size_t k = 0; k < targets; ++k) {
        const std::size_t row = window.begin + length;
        for (std::size_t h = 0; h < horizon; ++h) truth[h] = data.value(k, row + h);
        act(k, row, truth);
      }
  };
  std::vector<double> inputs(length + 1);
  each(train, [&](std::size_t target, std::size_t row, std::vector<double>& truth) {
    read_inputs(data, target, row, inputs);
    const double last = data.value(target, row - 1);
    for (double& value : truth) value -= last;
    sums[target].add(inputs, truth);
  });

  std::vector<Matrix> best;
  double least = 0;
  for (const double strength : kStrengths) {
    std::vector<Matrix> weights;
    for (const Ridge& sum : sums) weights.push_back(sum.weights(strength));
    ForecastErrors errors;
    std::vector<double> values(horizon);
    each(dev, [&](std::size_t target, std::size_t row, const std::vector<double>& truth) {
      apply_linear(weights[target], data, target, row, values);
      for (std::size_t h = 0; h < horizon; ++h) errors.add(values[h], truth[h]);
    });
    if (best.empty() || errors.mse() < least) best = std::move(weights), least = errors.mse();
  }
  return best;
}

}  // namespace forecast
