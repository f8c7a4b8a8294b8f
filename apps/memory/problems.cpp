#include "problems.hpp"

namespace memory {

using namespace reel;

Adding make_adding(std::size_t length, std::size_t rows, Random& random) {
  check<Error>(length >= 2, "adding problem: there must be two steps; got {}", length);
  Adding batch{full_array({length, rows, 2}, 0), full_array({rows, 1}, 0)};
  const std::size_t half = length / 2;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t t = 0; t < length; ++t)
      batch.x(t, row, 0) = static_cast<real>(random.uniform());
    for (const std::size_t t : {random.below(half), half + random.below(length - half)}) {
      batch.x(t, row, 1) = 1;
      batch.y(row, 0) += batch.x(t, row, 0);
    }
  }
  return batch;
}

Copy make_copy(std::size_t delay, std::size_t rows, Random& random) {
  constexpr std::size_t kBlank = Copy::kSymbols, kSign = kBlank + 1, kItems = Copy::kItems;
  const std::size_t steps = delay + 2 * kItems + 1;
  Copy batch{full_array({steps, rows, Copy::kClasses}, 0), Indices::from_shape({steps, rows})};
  batch.y.fill(kBlank);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t t = 0; t < steps; ++t) {
      std::size_t symbol = kBlank;
      if (t < kItems) {
        symbol = random.below(Copy::kSymbols);
        batch.y(steps - kItems + t, row) = static_cast<std::int64_t>(symbol);
      } else if (t == kItems + delay) {
        symbol = kSign;
      }
      batch.x(t, row, symbol) = 1;
    }
  return batch;
}

}  // namespace memory
