#include <fmt/format.h>
#include <reel/layers/adaptive_softmax.hpp>

#include <algorithm>
#include <cmath>

namespace reel::inline REEL_PRECISION {
namespace {

Indices to_indices(const std::vector<std::int64_t>& values) {
  Indices indices(Indices::shape_type{values.size()});
  std::copy(values.begin(), values.end(), indices.begin());
  return indices;
}

}  // namespace

AdaptiveSoftmax::AdaptiveSoftmax(std::size_t in, std::size_t classes, Random& random,
                                 const Config& config)
    : config_(config), ends_(config.cutoffs) {
  ends_.push_back(classes);
  check<Error>(ends_.size() > 1 && ends_[0] > 0 &&
                   std::is_sorted(ends_.begin(), ends_.end(), std::less_equal<>()),
               "adaptive_softmax: cutoffs must rise from at least 1 to less than {} classes; got "
               "{}",
               classes, fmt::join(config.cutoffs, ", "));
  check<Error>(config.div_value >= 1, "adaptive_softmax: div_value must be at least 1; got {}",
               config.div_value);
  const std::size_t clusters = config.cutoffs.size();
  head_ = Parameter(glorot(ends_[0] + clusters, in, random));
  bias_ = Parameter(full_array({ends_[0] + clusters}, 0));
  for (std::size_t i = 0; i < clusters; ++i) {
    const double shrunk = static_cast<double>(in) / std::pow(config.div_value, i + 1);
    const std::size_t narrow = std::max<std::size_t>(1, static_cast<std::size_t>(shrunk));
    tails_.push_back({Parameter(glorot(narrow, in, random)),
                      Parameter(glorot(ends_[i + 1] - ends_[i], narrow, random))});
  }
}

Var AdaptiveSoftmax::rows_of(const Var& h) const {
  const std::size_t in = head_.shape()[1];
  check(h.dim() >= 1 && h.size(-1) == in, "adaptive_softmax: h must be [.., {}]; got {}", in,
        h.shape());
  return reshape(h, {-1, static_cast<std::ptrdiff_t>(in)});
}

Var AdaptiveSoftmax::head(const Var& rows) const {
  return log_softmax(config_.head_bias ? affine(rows, head_, bias_) : affine(rows, head_));
}

Var AdaptiveSoftmax::tail(std::size_t i, const Var& rows) const {
  return log_softmax(affine(affine(rows, tails_[i].narrow), tails_[i].wide));
}

std::size_t AdaptiveSoftmax::cluster_of(std::int64_t c) const {
  const auto end = std::upper_bound(ends_.begin(), ends_.end(), static_cast<std::size_t>(c));
  return static_cast<std::size_t>(end - ends_.begin());
}

Var AdaptiveSoftmax::loss(const Var& h, const Indices& classes, std::int64_t ignore_index) const {
  const Scope scope(layer_path(head_, "adaptive_softmax"));
  const Var rows = rows_of(h);
  check(shape_of(classes) == Shape(h.shape().begin(), h.shape().end() - 1),
        "adaptive_softmax: classes must have the shape of h without its last axis; got h {}, "
        "classes {}",
        h.shape(), shape_of(classes));
  struct Members {
    std::vector<std::int64_t> rows, classes;
  };
  std::vector<Members> members(ends_.size());  // of the head, which all rows are in, and clusters
  for (std::size_t r = 0; r < classes.size(); ++r) {
    const std::int64_t c = classes.data()[r];
    if (c == ignore_index) continue;
    check(c >= 0 && std::cmp_less(c, this->classes()),
          "adaptive_softmax: a class must lie in 0 .. {}, or be ignore_index ({}); got {}",
          this->classes() - 1, ignore_index, c);
    const std::size_t cluster = cluster_of(c);
    members[0].rows.push_back(static_cast<std::int64_t>(r));
    members[0].classes.push_back(cluster == 0 ? c
                                              : static_cast<std::int64_t>(ends_[0] + cluster - 1));
    if (cluster == 0) continue;
    members[cluster].rows.push_back(static_cast<std::int64_t>(r));
    members[cluster].classes.push_back(c - static_cast<std::int64_t>(ends_[cluster - 1]));
  }
  const std::size_t count = members[0].rows.size();
  if (count == 0) return sum(slice(rows, 0, 0, 0));  // 0, whatever they are
  const bool all = count == classes.size();
  const Var kept = all ? rows : gather(rows, to_indices(members[0].rows));
  Var total = sum(pick(head(kept), to_indices(members[0].classes)));
  for (std::size_t i = 0; i < tails_.size(); ++i) {
    const Members& m = members[i + 1];
    if (m.rows.empty()) continue;
    const Var log_p = tail(i, gather(rows, to_indices(m.rows)));
    total = total + sum(pick(log_p, to_indices(m.classes)));
  }
  return total * (real(-1) / static_cast<real>(count));
}

Var AdaptiveSoftmax::log_probabilities(const Var& h) const {
  const Scope scope(layer_path(head_, "adaptive_softmax"));
  const Var rows = rows_of(h), log_head = head(rows);
  const auto head_size = static_cast<std::ptrdiff_t>(ends_[0]);
  std::vector<Var> parts{slice(log_head, -1, 0, head_size)};
  for (std::size_t i = 0; i < tails_.size(); ++i) {
    const auto at = head_size + static_cast<std::ptrdiff_t>(i);
    parts.push_back(tail(i, rows) + slice(log_head, -1, at, at + 1));
  }
  Axes shape;
  for (std::size_t i = 0; i + 1 < h.dim(); ++i)
    shape.push_back(static_cast<std::ptrdiff_t>(h.shape()[i]));
  shape.push_back(static_cast<std::ptrdiff_t>(classes()));
  return reshape(concat(parts, -1), shape);
}

}  // namespace reel::inline REEL_PRECISION
