#include "gradients.hpp"

#include <reel/autodiff/ops.hpp>
#include <reel/autodiff/tape.hpp>
#include <reel/layers/init.hpp>
#include <reel/layers/state.hpp>

#include <cmath>

namespace memory {

using namespace reel;

namespace {

double squares(const Array& x) {
  double sum = 0;
  for (const real v : x) sum += static_cast<double>(v) * static_cast<double>(v);
  return sum;
}

}  // namespace

std::vector<double> gradient_norms(const Start& start, const GradientOptions& options) {
  Random random(options.seed);
  const std::size_t input = 4, batch = options.batch_size;
  const Layer any = make_layer(start, input, random);
  return std::visit(
      [&](const auto& layer) {
        Tape tape;
        auto state = layer.initial_state(batch);
        Var output;
        // A leaf of zeros is added to each part of each state; its gradient is the state's.
        std::vector<std::vector<Var>> probes(options.steps);
        for (auto& at_step : probes) {
          const Var x(normal({batch, input}, options.input_scale, random));
          std::tie(output, state) = layer.step(x, state);
          for_each_part(state, [&](Var& part) {
            at_step.push_back(tape.leaf(full_array(part.shape(), 0)));
            part = part + at_step.back();
          });
        }
        const Var projection(normal(output.shape(), 1, random));
        tape.backward(sum(first_part(state) * projection));
        std::vector<double> norms;
        for (const auto& at_step : probes) {
          double total = 0;
          for (const Var& probe : at_step) total += squares(probe.grad());
          norms.push_back(std::sqrt(total));
        }
        const double last = norms.back();
        for (double& norm : norms) norm /= last;
        return norms;
      },
      any);
}

double factor_per_step(const std::vector<double>& norms) {
  // Least squares of log norm over the distance d to the end.
  double n = 0, d_sum = 0, y_sum = 0, dd = 0, dy = 0;
  for (std::size_t t = 0; t < norms.size(); ++t) {
    if (!(norms[t] > 0)) continue;
    const auto d = static_cast<double>(norms.size() - 1 - t);
    const double y = std::log(norms[t]);
    n += 1, d_sum += d, y_sum += y, dd += d * d, dy += d * y;
  }
  return std::exp((n * dy - d_sum * y_sum) / (n * dd - d_sum * d_sum));
}

}  // namespace memory
