#include <reel/autodiff/error.hpp>
#include <reel/data/scaling.hpp>

#include <algorithm>
#include <cmath>

namespace reel {

Standardizer Standardizer::fit(const Columns& columns, std::size_t begin, std::size_t end) {
  Standardizer scaling;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    check<Error>(begin <= end && end <= columns[c].size(),
                 "standardizer: rows must lie in 0 .. {}; got {} .. {}", columns[c].size(), begin,
                 end);
    double count = 0, sum = 0, squares = 0, low = INFINITY, high = -INFINITY;
    for (std::size_t i = begin; i < end; ++i)
      if (const double x = columns[c][i]; !std::isnan(x)) {
        ++count;
        sum += x;
        low = std::min(low, x);
        high = std::max(high, x);
      }
    check<Error>(count > 0, "standardizer: column {} must have a number in rows {} .. {}; got gaps",
                 c, begin, end);
    const double mean = low == high ? low : sum / count;  // a quotient may be off by a little
    for (std::size_t i = begin; i < end; ++i)
      if (const double d = columns[c][i] - mean; !std::isnan(d)) squares += d * d;
    scaling.mean.push_back(mean);
    scaling.deviation.push_back(squares > 0 ? std::sqrt(squares / count) : 1);
  }
  return scaling;
}

Columns Standardizer::apply(Columns columns) const {
  check(columns.size() == mean.size(), "standardizer: there must be {} columns; got {}",
        mean.size(), columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c)
    for (double& value : columns[c]) value = apply(value, c);
  return columns;
}

std::vector<double> fill_forward(std::vector<double> values, double first) {
  double last = first;
  for (double& value : values) last = value = std::isnan(value) ? last : value;
  return values;
}

std::vector<double> observed(std::span<const double> values) {
  std::vector<double> flags;
  for (const double value : values) flags.push_back(std::isnan(value) ? 0 : 1);
  return flags;
}

}  // namespace reel
