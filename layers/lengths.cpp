#include <reel/layers/lengths.hpp>
#include <reel/layers/schedule.hpp>

namespace reel::inline REEL_PRECISION {

Var zero_past_end(const Var& x, std::span<const std::size_t> lengths, bool batch_first) {
  if (lengths.empty()) return x;
  check(x.dim() >= 2, "lengths: x must be {}; got {}", batch_first ? "[B, T, ..]" : "[T, B, ..]",
        x.shape());
  const std::size_t steps = x.size(batch_first ? 1 : 0), batch = x.size(batch_first ? 0 : 1);
  check_lengths(steps, batch, lengths);
  Shape shape(x.dim(), 1);
  shape[0] = x.size(0);
  shape[1] = x.size(1);
  Array inside = empty_array(shape);
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t row = 0; row < batch; ++row)
      inside.data()[batch_first ? row * steps + t : t * batch + row] = t < lengths[row] ? 1 : 0;
  return where(Var(std::move(inside)), x, 0);
}

}  // namespace reel::inline REEL_PRECISION
