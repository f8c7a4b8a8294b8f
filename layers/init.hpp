// Initial values of parameters.
#pragma once

#include <reel/autodiff/array.hpp>
#include <reel/autodiff/random.hpp>

namespace reel::inline REEL_PRECISION {

// How a recurrent cell starts: orthogonal recurrent and Glorot input weights per gate, zero
// biases but the forget gate's 1; or PyTorch's uniform(-1/sqrt(hidden), 1/sqrt(hidden)) for all.
enum class Init { kOrthogonal, kPyTorch };

Array uniform(const Shape& shape, double low, double high, Random& random);
Array normal(const Shape& shape, double deviation, Random& random);

// Glorot & Bengio 2010: uniform in +-sqrt(6 / (in + out)) for each of `blocks` matrices [out, in]
// stacked in one [blocks * out, in].
Array glorot(std::size_t out, std::size_t in, Random& random, std::size_t blocks = 1);

// Saxe et al. 2014: `blocks` orthogonal matrices [n, n] (QR of a normal one), stacked.
Array orthogonal(std::size_t n, Random& random, std::size_t blocks = 1);

}  // namespace reel::inline REEL_PRECISION
