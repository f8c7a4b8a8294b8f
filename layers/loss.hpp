// Losses: scalars to minimise, each the mean over its elements.
#pragma once

#include <reel/autodiff/ops.hpp>

namespace reel::inline REEL_PRECISION {

Var mse(const Var& y, const Var& target);  // mean of (y - target)^2
Var mae(const Var& y, const Var& target);  // mean of |y - target|
// Huber 1964: d^2 / 2 for |d| <= delta, else delta (|d| - delta / 2), with d = y - target.
Var huber(const Var& y, const Var& target, real delta = 1);
// -t log s - (1 - t) log(1 - s) with s = sigmoid(logits), finite for any logits; t in [0, 1].
Var bce_with_logits(const Var& logits, const Var& target);
// Quantile (pinball) loss (Koenker & Bassett 1978): with d = target - y_q, max(q d, (q - 1) d),
// least where y_q is the q-quantile. y [.., Q], target [..], quantiles Q numbers in (0, 1).
Var quantile_loss(const Var& y, const Var& target, const std::vector<real>& quantiles);
// -log N(target; y, variance) less log(2 pi) / 2: (log v + (target - y)^2 / v) / 2, where v is the
// variance, from below bounded by epsilon: below it gets no gradient. All of one shape.
Var gaussian_nll(const Var& y, const Var& variance, const Var& target, real epsilon = real(1e-6));

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;  // rows with this class do not count
  Array weights = {};                // [classes], each row counts as its class says; empty: 1
  real label_smoothing = 0;          // this share of the target is spread over all classes
};
// Mean of -log softmax(logits)[class] over rows; logits [.., classes], classes [..]. With weights
// the mean is weighted by them, as in PyTorch. 0 if every row is ignored.
Var cross_entropy(const Var& logits, const Indices& classes,
                  const CrossEntropyOptions& options = {});

}  // namespace reel::inline REEL_PRECISION
