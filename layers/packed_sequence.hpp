// PyTorch's form of a ragged batch, for those who come with it. reel's layers need no packing.
#pragma once

#include <reel/autodiff/ops.hpp>

#include <span>
#include <vector>

namespace reel::inline REEL_PRECISION {

// As torch.nn.utils.rnn.PackedSequence: rows sorted by falling length, all of step 0, then those
// of step 1 that have not ended, ...
struct PackedSequence {
  Var data;                              // [sum of lengths, ..]
  std::vector<std::size_t> batch_sizes;  // rows of each step
  // Sorted row -> row, and back; one of them suffices, without both the rows are sorted.
  std::vector<std::size_t> sorted_indices, unsorted_indices;
};

// x [T, B, ..] or, with batch_first, [B, T, ..]. Lengths in any order; unlike in PyTorch zero is
// allowed. Rows of equal length keep their order.
PackedSequence pack_padded_sequence(const Var& x, std::span<const std::size_t> lengths,
                                    bool batch_first = false);

struct PaddedSequence {
  Var x;                             // [T, B, ..], zeros past a row's end
  std::vector<std::size_t> lengths;  // [B]
};
// T is the longest row's, or total_length if that is not 0. Throws ShapeError if the parts of
// `packed` do not fit together or total_length is less than T.
PaddedSequence pad_packed_sequence(const PackedSequence& packed, bool batch_first = false,
                                   std::size_t total_length = 0);

}  // namespace reel::inline REEL_PRECISION
