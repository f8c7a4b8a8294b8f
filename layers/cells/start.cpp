#include <reel/autodiff/error.hpp>
#include <reel/layers/cells/start.hpp>

#include <algorithm>
#include <cmath>

namespace reel::inline REEL_PRECISION::detail {

void check_sizes(std::size_t input, std::size_t hidden) {
  check<Error>(input > 0 && hidden > 0,
               "cell: input and hidden sizes must be positive; got {} and {}", input, hidden);
}

CellStart::CellStart(std::size_t input, std::size_t hidden, Random& random, Init init)
    : input_(input), hidden_(hidden), random_(random), init_(init) {
  check_sizes(input, hidden);
}

Parameter CellStart::weight_ih(std::size_t blocks) {
  if (init_ == Init::kPyTorch) return as_pytorch({blocks * hidden_, input_});
  return Parameter(glorot(hidden_, input_, random_, blocks));
}

Parameter CellStart::weight_hh(std::size_t blocks, std::size_t columns) {
  if (init_ == Init::kPyTorch) return as_pytorch({blocks * hidden_, columns});
  const Array square = orthogonal(hidden_, random_, blocks);
  Array weight = empty_array({blocks * hidden_, columns});
  for (std::size_t i = 0; i < blocks * hidden_; ++i)
    std::copy_n(&square(i, 0), columns, &weight(i, 0));
  return Parameter(std::move(weight));
}

Parameter CellStart::bias(std::size_t blocks, std::size_t ones) {
  if (init_ == Init::kPyTorch) return as_pytorch({blocks * hidden_});
  Array bias = full_array({blocks * hidden_}, 0);
  if (ones < blocks) std::fill_n(bias.data() + ones * hidden_, hidden_, real(1));
  return Parameter(std::move(bias));
}

Parameter CellStart::weight_hr(std::size_t width) {
  if (init_ == Init::kPyTorch) return as_pytorch({width, hidden_});
  return Parameter(glorot(width, hidden_, random_));
}

Parameter CellStart::ones(std::size_t blocks) const {
  return Parameter(full_array({blocks * hidden_}, 1));
}

Parameter CellStart::uniform_row() { return as_pytorch({hidden_}); }

Parameter CellStart::as_pytorch(const Shape& shape) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_));
  return Parameter(uniform(shape, -bound, bound, random_));
}

}  // namespace reel::inline REEL_PRECISION::detail
