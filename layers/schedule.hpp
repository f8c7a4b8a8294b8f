// Which rows of a ragged batch run at which step.
#pragma once

#include <reel/autodiff/array.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// Throws ShapeError unless there is one length, from 0 to `steps`, for each row.
void check_lengths(std::size_t steps, std::size_t batch, std::span<const std::size_t> lengths);

// Rows sorted by falling length, so that the rows alive at step t are the first rows_at[t]. The
// packed form holds the alive rows of step 0, then of step 1, ..: one row per element, no padding.
// Reversed, step t of a row is its element length - 1 - t.
class Schedule {
 public:
  // No lengths: all are `steps`.
  Schedule(std::size_t steps, std::size_t batch, std::span<const std::size_t> lengths,
           bool reversed = false);

  bool is_full() const { return full_; }  // nothing to pack: every row runs all steps
  bool is_reversed() const { return reversed_; }
  std::size_t steps() const { return steps_; }  // of the longest row
  std::size_t rows_at(std::size_t t) const { return full_ ? batch_ : rows_at_[t]; }  // > 0
  std::size_t total() const { return total_; }                                       // packed rows
  std::size_t batch() const { return batch_; }
  // The packed row that step t starts with; total() for the step after the last.
  std::size_t first_row(std::size_t t) const { return full_ ? t * batch_ : first_rows_[t]; }

  // The padded row that step t starts with; for the step after the last, the number of all padded
  // rows, those past the longest row's end included. Not if full.
  std::size_t first_padded_row(std::size_t t) const {
    return t < steps_ ? t * batch_ : unpack_.size();
  }

  // For gather, from and to padded rows numbered t * batch + row.
  // Step of a row -> its element, or -1 past the row's end; only if reversed.
  const Indices& reversal() const { return reversal_; }
  // Packed row -> step of a row, for steps begin .. end - 1, counted from the first of each.
  Indices pack(std::size_t begin, std::size_t end) const;
  // Packed row -> its sorted row, for the same steps.
  Indices sorted_rows(std::size_t begin, std::size_t end) const;
  const Indices& pack() const { return pack_; }  // of all steps
  // Element -> packed row, or -1 past the row's end; not if full and not reversed. And back.
  const Indices& unpack() const { return unpack_; }
  const Indices& elements() const { return elements_; }
  const Indices& order() const { return order_; }      // sorted row -> row
  const Indices& inverse() const { return inverse_; }  // row -> sorted row

 private:
  using Counts = std::vector<std::size_t, PoolAllocator<std::size_t>>;

  void reverse(std::size_t steps, std::span<const std::size_t> lengths);

  bool full_ = true, reversed_;
  std::size_t batch_ = 0, steps_ = 0, total_ = 0;
  Counts rows_at_, first_rows_;  // if not full
  Indices reversal_, pack_, unpack_, elements_, order_, inverse_;
};

}  // namespace reel::inline REEL_PRECISION
