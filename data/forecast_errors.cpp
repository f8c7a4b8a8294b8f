#include <reel/autodiff/error.hpp>
#include <reel/data/forecast_errors.hpp>

namespace reel {

void ForecastErrors::add(const ForecastErrors& other) {
  squares_ += other.squares_;
  distances_ += other.distances_;
  count_ += other.count_;
}

double naive_scale(std::span<const double> values, std::size_t season) {
  check<Error>(season > 0, "naive_scale: season must be positive; got 0");
  double sum = 0, count = 0;
  for (std::size_t t = season; t < values.size(); ++t)
    if (const double d = values[t] - values[t - season]; !std::isnan(d))
      sum += std::abs(d), ++count;
  return sum / count;
}

}  // namespace reel
