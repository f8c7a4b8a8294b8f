#include <reel/autodiff/error.hpp>
#include <reel/autodiff/random.hpp>
#include <reel/data/batches.hpp>

#include <algorithm>
#include <numeric>

namespace reel {

BatchPlan plan_batches(std::span<const std::size_t> lengths, std::size_t batch_size,
                       const BatchOptions& options) {
  constexpr std::size_t kWindow = 32;
  check<Error>(batch_size > 0, "plan_batches: batch size must be positive; got 0");
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::optional<Random> random;
  if (options.seed) random.emplace(*options.seed).shuffle(order);

  const auto longer = [&](std::size_t a, std::size_t b) {
    return std::min(lengths[a], options.max_length) > std::min(lengths[b], options.max_length);
  };
  BatchPlan plan;
  for (auto begin = order.begin(); begin != order.end();) {
    const bool at_window = options.bucket && plan.size() % kWindow == 0;
    const auto left = static_cast<std::size_t>(order.end() - begin);
    const std::size_t window = left / kWindow < batch_size ? left : kWindow * batch_size;
    if (at_window) std::stable_sort(begin, begin + static_cast<std::ptrdiff_t>(window), longer);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(left, batch_size));
    plan.emplace_back(begin, end);
    begin = end;
  }
  if (random) random->shuffle(plan);
  return plan;
}

std::vector<std::size_t> deal(std::span<const std::size_t> rows, std::size_t parts) {
  check<Error>(parts > 0, "deal: there must be a part; got 0");
  std::vector<std::size_t> dealt;
  dealt.reserve(rows.size());
  for (std::size_t part = 0; part < parts; ++part)
    for (std::size_t i = part; i < rows.size(); i += parts) dealt.push_back(rows[i]);
  return dealt;
}

}  // namespace reel

namespace reel::inline REEL_PRECISION {

Batch make_batch(std::span<const std::vector<std::int64_t>> sequences,
                 std::span<const std::size_t> rows, std::size_t max_length) {
  Batch batch{{}, {}, {rows.begin(), rows.end()}};
  std::size_t steps = 1;
  for (std::size_t row : rows) {
    check<Error>(row < sequences.size(), "make_batch: row must be below {}; got {}",
                 sequences.size(), row);
    batch.lengths.push_back(std::min(sequences[row].size(), max_length));
    steps = std::max(steps, batch.lengths.back());
  }
  batch.tokens = Indices(Indices::shape_type{steps, rows.size()}, 0);
  for (std::size_t b = 0; b < rows.size(); ++b)
    for (std::size_t t = 0; t < batch.lengths[b]; ++t)
      batch.tokens.data()[t * rows.size() + b] = sequences[rows[b]][t];
  return batch;
}

std::vector<Batch> make_batches(std::span<const std::vector<std::int64_t>> sequences,
                                std::size_t batch_size, const BatchOptions& options) {
  std::vector<std::size_t> lengths;
  for (const auto& sequence : sequences) lengths.push_back(sequence.size());
  std::vector<Batch> batches;
  for (const auto& rows : plan_batches(lengths, batch_size, options))
    batches.push_back(make_batch(sequences, rows, options.max_length));
  return batches;
}

}  // namespace reel::inline REEL_PRECISION
