#include <reel/layers/loss.hpp>

#include <cmath>

#include "op_cases.hpp"

namespace reel::testing {
namespace {

double softplus_of(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// The mean over elements of a loss of (y, target).
OpCase mean_loss(const char* name, std::function<Var(const Var&, const Var&)> function,
                 double (*loss)(double, double)) {
  return {.name = name,
          .declared = name,
          .function = [function](auto in) { return function(in[0], in[1]); },
          .reference =
              [loss](const std::vector<Tensor>& in) {
                Tensor y{Shape{}};
                for (std::size_t i = 0; i < in[0].data.size(); ++i)
                  y.data[0] += loss(in[0].data[i], in[1].data[i]) / double(in[0].data.size());
                return y;
              },
          .shapes = {{3, 4}, {3, 4}},
          .empty = {},
          .ones = {{1}, {1}}};
}

OpCase within(double low, double high, OpCase op) {
  op.low = low;
  op.high = high;
  return op;
}
OpCase distinct(OpCase op) { return op.distinct = true, within(-50, 50, op); }

// -sum_r w_r (1 - s) log p_r[c_r] + w_k s / K log p_rk over sum_r w_r, without ignored rows.
OpCase cross_entropy_case(const char* name, std::vector<std::int64_t> classes,
                          std::vector<double> weights, double smoothing) {
  Indices list(Indices::shape_type{classes.size()});
  std::copy(classes.begin(), classes.end(), list.begin());
  CrossEntropyOptions options;
  options.ignore_index = 7;
  options.label_smoothing = static_cast<real>(smoothing);
  if (!weights.empty()) {
    options.weights = empty_array({weights.size()});
    std::copy(weights.begin(), weights.end(), options.weights.begin());
  }
  OpCase op{.name = name,
            .declared = "cross_entropy",
            .function = [=](auto in) { return cross_entropy(in[0], list, options); },
            .reference = {}};
  op.reference = [=](const std::vector<Tensor>& in) {
    const std::size_t count = in[0].shape[1];
    const auto weight = [&](std::size_t k) { return weights.empty() ? 1.0 : weights[k]; };
    double sum = 0, total = 0;
    for (std::size_t r = 0; r < classes.size(); ++r) {
      if (classes[r] == 7) continue;
      const double* x = &in[0].data[r * count];
      const double top = *std::max_element(x, x + count);
      double mass = 0;
      for (std::size_t k = 0; k < count; ++k) mass += std::exp(x[k] - top);
      const auto log_p = [&](std::size_t k) { return x[k] - top - std::log(mass); };
      const auto c = static_cast<std::size_t>(classes[r]);
      total += weight(c);
      sum -= (1 - smoothing) * weight(c) * log_p(c);
      for (std::size_t k = 0; k < count; ++k)
        sum -= smoothing / double(count) * weight(k) * log_p(k);
    }
    return Tensor({}, total > 0 ? sum / total : 0);
  };
  op.shapes = {{classes.size(), 3}};
  return op;
}

OpCase quantile_case() {
  const std::vector<real> quantiles = {0.1, 0.5, 0.75};
  OpCase op{.name = "quantile_loss",
            .declared = "quantile_loss",
            .function = [=](auto in) { return quantile_loss(in[0], in[1], quantiles); },
            .shapes = {{2, 4, 3}, {2, 4}}};
  op.reference = [=](const std::vector<Tensor>& in) {
    Tensor loss{Shape{}};
    for (std::size_t i = 0; i < in[0].data.size(); ++i) {
      const double d = in[1].data[i / 3] - in[0].data[i], q = quantiles[i % 3];
      loss.data[0] += std::max(q * d, (q - 1) * d) / double(in[0].data.size());
    }
    return loss;
  };
  op.distinct = true;
  return within(-50, 50, op);
}

// Of y, s and target; the variance is s^2 + 1.
OpCase gaussian_case() {
  OpCase op{.name = "gaussian_nll",
            .declared = "gaussian_nll",
            .function = [](auto in) { return gaussian_nll(in[0], in[1] * in[1] + 1, in[2]); },
            .shapes = {{3, 4}, {3, 4}, {3, 4}},
            .ones = {{1}, {1}, {1}}};
  op.reference = [](const std::vector<Tensor>& in) {
    Tensor loss{Shape{}};
    for (std::size_t i = 0; i < in[0].data.size(); ++i) {
      const double s = in[1].data[i], d = in[2].data[i] - in[0].data[i], v = s * s + 1;
      loss.data[0] += (std::log(v) + d * d / v) / 2 / double(in[0].data.size());
    }
    return loss;
  };
  return op;
}

}  // namespace

std::vector<OpCase> loss_cases() {
  const auto huber_of = [](const Var& y, const Var& target) { return huber(y, target, 2); };
  const auto huber_loss = [](double y, double target) {
    const double d = std::abs(y - target);
    return d <= 2 ? d * d / 2 : 2 * (d - 1);
  };
  return {
      mean_loss("mse", mse, [](double y, double target) { return (y - target) * (y - target); }),
      distinct(mean_loss("mae", mae, [](double y, double t) { return std::abs(y - t); })),
      within(-0.9, 0.9, mean_loss("huber", huber_of, huber_loss)),
      [&] {
        OpCase far = distinct(mean_loss("huber", huber_of, huber_loss));
        far.name = "huber_far";
        return far;
      }(),
      mean_loss("bce_with_logits", bce_with_logits,
                [](double x, double t) { return t * softplus_of(-x) + (1 - t) * softplus_of(x); }),
      quantile_case(),
      gaussian_case(),
      cross_entropy_case("cross_entropy", {2, 0, 1, 2}, {}, 0),
      cross_entropy_case("cross_entropy_ignoring", {2, 7, 1, 7}, {}, 0),
      cross_entropy_case("cross_entropy_weighted", {2, 0, 1, 7}, {0.5, 2, 3}, 0),
      cross_entropy_case("cross_entropy_smoothed", {2, 0, 1, 7}, {0.5, 2, 3}, 0.1),
  };
}

}  // namespace reel::testing
