#include <reel/layers/schedule.hpp>

#include <algorithm>
#include <limits>
#include <numeric>

namespace reel::inline REEL_PRECISION {

void check_lengths(std::size_t steps, std::size_t batch, std::span<const std::size_t> lengths) {
  check(lengths.size() == batch,
        "lengths: there must be one per row; got {} lengths for a batch of {}", lengths.size(),
        batch);
  for (std::size_t row = 0; row < lengths.size(); ++row) {
    check(lengths[row] <= std::numeric_limits<std::size_t>::max() / 2,
          "lengths: a length must not be negative; got {} for row {}",
          static_cast<std::ptrdiff_t>(lengths[row]), row);
    check(lengths[row] <= steps,
          "lengths: a length must not exceed the {} steps of x; got {} for row {}", steps,
          lengths[row], row);
  }
}

Schedule::Schedule(std::size_t steps, std::size_t batch, std::span<const std::size_t> lengths,
                   bool reversed)
    : reversed_(reversed), batch_(batch) {
  if (!lengths.empty()) check_lengths(steps, batch, lengths);
  for (const std::size_t length : lengths) full_ &= length == steps;
  if (reversed) reverse(steps, lengths);
  if (full_) {
    steps_ = batch == 0 ? 0 : steps;
    total_ = steps * batch;
    unpack_ = reversal_;
    elements_ = reversal_;
    return;
  }

  Counts sorted(batch);
  std::iota(sorted.begin(), sorted.end(), std::size_t{0});
  // Not stable_sort, which asks the system for memory.
  std::sort(sorted.begin(), sorted.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
  });
  order_ = Indices::from_shape({batch});
  inverse_ = Indices::from_shape({batch});
  for (std::size_t i = 0; i < batch; ++i) {
    order_(i) = static_cast<std::int64_t>(sorted[i]);
    inverse_(sorted[i]) = static_cast<std::int64_t>(i);
  }

  steps_ = lengths[sorted[0]];
  rows_at_.assign(steps_, 0);
  for (std::size_t length : lengths) {
    total_ += length;
    for (std::size_t t = 0; t < length; ++t) ++rows_at_[t];
  }
  pack_ = Indices::from_shape({total_});
  elements_ = Indices::from_shape({total_});
  unpack_ = Indices::from_shape({steps * batch});
  std::fill(unpack_.begin(), unpack_.end(), std::int64_t{-1});
  std::size_t packed = 0;
  for (std::size_t t = 0; t < steps_; ++t) {
    first_rows_.push_back(packed);
    for (std::size_t i = 0; i < rows_at_[t]; ++i, ++packed) {
      const std::size_t padded = t * batch + sorted[i];
      pack_(packed) = static_cast<std::int64_t>(padded);
      const std::size_t element = reversed ? static_cast<std::size_t>(reversal_(padded)) : padded;
      elements_(packed) = static_cast<std::int64_t>(element);
      unpack_(element) = static_cast<std::int64_t>(packed);
    }
  }
  first_rows_.push_back(packed);
}

// (t, row) -> (length - 1 - t, row), its own inverse.
void Schedule::reverse(std::size_t steps, std::span<const std::size_t> lengths) {
  reversal_ = Indices::from_shape({steps * batch_});
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t row = 0; row < batch_; ++row) {
      const std::size_t length = lengths.empty() ? steps : lengths[row];
      const std::size_t element = (length - 1 - t) * batch_ + row;
      reversal_(t * batch_ + row) = t < length ? static_cast<std::int64_t>(element) : -1;
    }
}

Indices Schedule::pack(std::size_t begin, std::size_t end) const {
  const auto first = static_cast<std::ptrdiff_t>(first_row(begin));
  const auto last = static_cast<std::ptrdiff_t>(first_row(end));
  Indices rows = Indices::from_shape({static_cast<std::size_t>(last - first)});
  std::transform(pack_.begin() + first, pack_.begin() + last, rows.begin(),
                 [&](std::int64_t row) { return row - static_cast<std::int64_t>(begin * batch_); });
  return rows;
}

Indices Schedule::sorted_rows(std::size_t begin, std::size_t end) const {
  Indices rows = Indices::from_shape({first_row(end) - first_row(begin)});
  for (std::size_t t = begin, at = 0; t < end; ++t)
    for (std::size_t row = 0; row < rows_at(t); ++row) rows(at++) = static_cast<std::int64_t>(row);
  return rows;
}

}  // namespace reel::inline REEL_PRECISION
