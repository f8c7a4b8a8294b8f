#include <reel/layers/packed_sequence.hpp>
#include <reel/layers/schedule.hpp>

#include <algorithm>
#include <numeric>

namespace reel::inline REEL_PRECISION {
namespace {

// The first two axes of x as one.
Var rows_of(const Var& x) {
  Axes shape{static_cast<std::ptrdiff_t>(x.size(0) * x.size(1))};
  for (std::size_t axis = 2; axis < x.dim(); ++axis)
    shape.push_back(static_cast<std::ptrdiff_t>(x.shape()[axis]));
  return reshape(x, shape);
}

}  // namespace

PackedSequence pack_padded_sequence(const Var& x, std::span<const std::size_t> lengths,
                                    bool batch_first) {
  check(x.dim() >= 2, "pack: x must be {}; got {}", batch_first ? "[B, T, ..]" : "[T, B, ..]",
        x.shape());
  const std::size_t steps = x.size(batch_first ? 1 : 0), batch = x.size(batch_first ? 0 : 1);
  check_lengths(steps, batch, lengths);

  PackedSequence packed;
  packed.sorted_indices.resize(batch);
  std::iota(packed.sorted_indices.begin(), packed.sorted_indices.end(), std::size_t{0});
  std::stable_sort(packed.sorted_indices.begin(), packed.sorted_indices.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  packed.unsorted_indices.resize(batch);
  for (std::size_t i = 0; i < batch; ++i) packed.unsorted_indices[packed.sorted_indices[i]] = i;

  std::vector<std::int64_t> rows;
  for (std::size_t t = 0; t < steps; ++t) {
    std::size_t alive = 0;
    for (; alive < batch && t < lengths[packed.sorted_indices[alive]]; ++alive) {
      const std::size_t row = packed.sorted_indices[alive];
      rows.push_back(static_cast<std::int64_t>(batch_first ? row * steps + t : t * batch + row));
    }
    if (alive > 0) packed.batch_sizes.push_back(alive);
  }
  Indices from = Indices::from_shape({rows.size()});
  std::copy(rows.begin(), rows.end(), from.begin());
  packed.data = gather(rows_of(x), from);
  return packed;
}

PaddedSequence pad_packed_sequence(const PackedSequence& packed, bool batch_first,
                                   std::size_t total_length) {
  const auto& sizes = packed.batch_sizes;
  const std::size_t longest = sizes.size();
  const std::size_t steps = total_length == 0 ? longest : total_length;
  check(steps >= longest, "pad: total_length must be at least the longest row's {}; got {}",
        longest, steps);
  check(std::is_sorted(sizes.rbegin(), sizes.rend()) && (sizes.empty() || sizes.back() > 0),
        "pad: batch_sizes must be positive and must not grow");
  const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  check(packed.data.dim() >= 1 && packed.data.size(0) == total,
        "pad: data must have a row for each of batch_sizes' {}; got {}", total,
        packed.data.shape());
  const std::size_t alive = sizes.empty() ? 0 : sizes[0];
  const std::size_t named = std::max(packed.unsorted_indices.size(), packed.sorted_indices.size());
  const std::size_t batch = named == 0 ? alive : named;
  check(batch >= alive, "pad: there must be an index for each of {} rows; got {}", alive, batch);
  const auto inverse = [&](const char* what, const std::vector<std::size_t>& places) {
    std::vector<std::size_t> rows(batch, batch);
    check(places.empty() || places.size() == batch,
          "pad: {} must have an index for each of {} rows; got {}", what, batch, places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      check(places[i] < batch && rows[places[i]] == batch,
            "pad: {} must name each of {} rows once; got {}", what, batch, places[i]);
      rows[places[i]] = i;
    }
    return rows;
  };
  const auto sorted = inverse("unsorted_indices", packed.unsorted_indices);
  const auto unsorted = inverse("sorted_indices", packed.sorted_indices);
  const bool both = !packed.sorted_indices.empty() && !packed.unsorted_indices.empty();
  check(!both || sorted == packed.sorted_indices,
        "pad: sorted_indices and unsorted_indices must be each other's inverse");
  const auto place_of = [&](std::size_t row) {
    if (!packed.unsorted_indices.empty()) return packed.unsorted_indices[row];
    return packed.sorted_indices.empty() ? row : unsorted[row];
  };

  PaddedSequence padded;
  padded.lengths.resize(batch);
  Shape shape{batch_first ? batch : steps, batch_first ? steps : batch};
  Indices from = Indices::from_shape({shape[0], shape[1]});
  for (std::size_t row = 0; row < batch; ++row) {
    const std::size_t place = place_of(row);
    std::size_t first = 0;  // packed row of step t
    for (std::size_t t = 0; t < steps; ++t) {
      const bool runs = t < longest && place < sizes[t];
      if (runs) padded.lengths[row] = t + 1;
      const std::int64_t at = runs ? static_cast<std::int64_t>(first + place) : -1;
      (batch_first ? from(row, t) : from(t, row)) = at;
      if (t < longest) first += sizes[t];
    }
  }
  padded.x = gather(packed.data, from);
  return padded;
}

}  // namespace reel::inline REEL_PRECISION
