#include "duel.hpp"

#include <algorithm>
#include <cmath>

#include "peak.hpp"

namespace bench {
namespace {

constexpr double kTurn = 20;  // ms
constexpr double kMostSteps = 100;

double quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

Sample summary(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)};
}

DuelResult duel(const std::vector<Contestant*>& contestants, std::size_t turns) {
  const std::size_t count = contestants.size();
  std::vector<std::size_t> steps;
  for (Contestant* contestant : contestants) {
    std::vector<double> warm_up;
    contestant->run(3, warm_up);
    steps.push_back(
        static_cast<std::size_t>(std::clamp(std::ceil(kTurn / warm_up.back()), 1.0, kMostSteps)));
  }
  std::vector<std::vector<double>> all(count), ratios(count);
  double peak = 0;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    std::vector<double> median;
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<double> ms;
      contestants[i]->run(steps[i], ms);
      all[i].insert(all[i].end(), ms.begin(), ms.end());
      median.push_back(summary(ms).median);
    }
    for (std::size_t i = 0; i < count; ++i) ratios[i].push_back(median[0] / median[i]);
    peak = std::max(peak, gflops_of_large_product());
  }
  DuelResult result{{}, {}, peak};
  for (std::size_t i = 0; i < count; ++i) {
    result.ms.push_back(summary(all[i]));
    result.ratio.push_back(summary(ratios[i]));
  }
  return result;
}

}  // namespace bench
