#include <reel/layers/loss.hpp>

namespace reel::inline REEL_PRECISION {
namespace {

void check_same(const char* op, const Var& y, const Var& target) {
  check(y.shape() == target.shape() && y.size() > 0,
        "{}: y and target must have one shape and an element; got y {}, target {}", op, y.shape(),
        target.shape());
}

}  // namespace

Var mse(const Var& y, const Var& target) {
  check_same("mse", y, target);
  return mean(pointwise(
      "mse", [](auto a, auto b) { return square(a - b); }, y, target));
}

Var mae(const Var& y, const Var& target) {
  check_same("mae", y, target);
  return mean(pointwise(
      "mae", [](auto a, auto b) { return abs(a - b); }, y, target));
}

Var huber(const Var& y, const Var& target, real delta) {
  check_same("huber", y, target);
  check<Error>(delta > 0, "huber: delta must be positive; got {}", delta);
  const auto loss = [delta](auto a, auto b) {
    const auto d = a - b;
    return where(abs(d) <= delta, 0.5 * d * d, delta * (abs(d) - delta / 2));
  };
  return mean(pointwise("huber", loss, y, target));
}

Var quantile_loss(const Var& y, const Var& target, const std::vector<real>& quantiles) {
  check(y.dim() >= 1 && y.size() > 0 &&
            Shape(y.shape().begin(), y.shape().end() - 1) == target.shape() &&
            y.size(-1) == quantiles.size(),
        "quantile_loss: y must be [.., quantiles], target [..]; got y {}, target {}, {} quantiles",
        y.shape(), target.shape(), quantiles.size());
  Array q = empty_array({quantiles.size()});
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    check<Error>(quantiles[i] > 0 && quantiles[i] < 1,
                 "quantile_loss: quantiles must lie between 0 and 1; got {}", quantiles[i]);
    q(i) = quantiles[i];
  }
  Axes column(target.shape().begin(), target.shape().end());
  column.push_back(1);
  return mean(pointwise(
      "quantile_loss",
      [](auto a, auto t, auto share) {
        return where(a <= t, share * (t - a), (1 - share) * (a - t));
      },
      y, reshape(target, column), Var(q)));
}

Var gaussian_nll(const Var& y, const Var& variance, const Var& target, real epsilon) {
  check_same("gaussian_nll", y, target);
  check(variance.shape() == y.shape(), "gaussian_nll: variance must be {}, as y; got {}", y.shape(),
        variance.shape());
  check<Error>(epsilon > 0, "gaussian_nll: epsilon must be positive; got {}", epsilon);
  const auto loss = [epsilon](auto a, auto v, auto t) {
    const auto bounded = max(v, epsilon);
    return 0.5 * (log(bounded) + square(t - a) / bounded);
  };
  return mean(pointwise("gaussian_nll", loss, y, variance, target));
}

// log(1 + e^x) - x t
Var bce_with_logits(const Var& logits, const Var& target) {
  check_same("bce_with_logits", logits, target);
  return mean(pointwise(
      "bce_with_logits", [](auto x, auto t) { return softplus(x) - x * t; }, logits, target));
}

Var cross_entropy(const Var& logits, const Indices& classes, const CrossEntropyOptions& options) {
  const real smoothing = options.label_smoothing;
  check<Error>(smoothing >= 0 && smoothing <= 1,
               "cross_entropy: label_smoothing must lie in [0, 1]; got {}", smoothing);
  check(logits.dim() >= 1, "cross_entropy: logits must be [.., classes]; got {}", logits.shape());
  const Shape rows(logits.shape().begin(), logits.shape().end() - 1);
  check(shape_of(classes) == rows,
        "cross_entropy: classes must have the shape of logits without its last axis; got logits "
        "{}, classes {}",
        logits.shape(), shape_of(classes));
  const std::size_t count = logits.size(-1);
  const bool weighted = options.weights.dimension() > 0;
  check(!weighted || shape_of(options.weights) == Shape{count},
        "cross_entropy: weights must be [{}], one per class; got {}", count,
        shape_of(options.weights));

  // -1 for ignored rows, which pick reads as 0.
  Indices kept = classes;
  Array row_weight = full_array(shape_of(classes), 0);
  double total = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    std::int64_t& c = kept.data()[i];
    if (c == options.ignore_index) {
      c = -1;
      continue;
    }
    check(c >= 0 && c < static_cast<std::int64_t>(count),
          "cross_entropy: a class must lie in 0 .. {}, or be ignore_index ({}); got {}", count - 1,
          options.ignore_index, c);
    const real w = weighted ? options.weights.data()[c] : real(1);
    row_weight.data()[i] = w;
    total += static_cast<double>(w);
  }
  const real scale = total > 0 ? static_cast<real>(-1 / total) : real(0);

  const Var log_p = log_softmax(logits);
  Var loss = sum(pick(log_p, kept) * Var(row_weight)) * (scale * (1 - smoothing));
  if (smoothing > 0) {
    Array keep = full_array(shape_of(classes), 0);
    for (std::size_t i = 0; i < kept.size(); ++i) keep.data()[i] = kept.data()[i] >= 0 ? 1 : 0;
    const Var per_row = sum(weighted ? log_p * Var(options.weights) : log_p, {-1});
    loss =
        loss + sum(where(Var(keep), per_row, 0)) * (scale * smoothing / static_cast<real>(count));
  }
  return loss;
}

}  // namespace reel::inline REEL_PRECISION
