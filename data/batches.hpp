// Sequences of different lengths, gathered into padded arrays.
#pragma once

#include <reel/autodiff/array.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace reel {

struct BatchOptions {
  bool bucket = true;  // batches of similar lengths, each with its longest first
  std::optional<std::uint64_t> seed = {};  // of the shuffle; without one input order is kept
  std::size_t max_length = std::numeric_limits<std::size_t>::max();  // longer ones are cut
};

// Which examples go together: each is in one batch, and at most one batch is not full. With a
// seed, examples and batches are shuffled; with buckets, lengths are sorted within windows of a
// few dozen batches, so that little is padded and chance is kept. Throws Error if batch_size is 0.
using BatchPlan = std::vector<std::vector<std::size_t>>;
BatchPlan plan_batches(std::span<const std::size_t> lengths, std::size_t batch_size,
                       const BatchOptions& options = {});

// The same rows in another order: dealt in turn, as cards are, to `parts` parts that follow each
// other and differ by one row at most. Of rows sorted by length, each part thus gets long and
// short ones, and parts cost the same. Throws Error if parts is 0.
std::vector<std::size_t> deal(std::span<const std::size_t> rows, std::size_t parts);

}  // namespace reel

namespace reel::inline REEL_PRECISION {

struct Batch {
  Indices tokens;                    // [T, B] time-major; 0, which is <pad>, beyond a row's end
  std::vector<std::size_t> lengths;  // [B]; T is the longest, at least 1
  std::vector<std::size_t> rows;     // [B] which examples these are
};

// The sequences of the given rows, each cut at max_length. Throws Error if there is no such row.
Batch make_batch(std::span<const std::vector<std::int64_t>> sequences,
                 std::span<const std::size_t> rows,
                 std::size_t max_length = std::numeric_limits<std::size_t>::max());

// The batches of plan_batches, made.
std::vector<Batch> make_batches(std::span<const std::vector<std::int64_t>> sequences,
                                std::size_t batch_size, const BatchOptions& options = {});

}  // namespace reel::inline REEL_PRECISION
