#include <reel/layers/cells/gru.hpp>
#include <reel/layers/cells/lstm.hpp>
#include <reel/layers/cells/rnn.hpp>

#include <algorithm>

namespace reel::inline REEL_PRECISION {
namespace {

Array pytorch(const Shape& shape, std::size_t hidden, Random& random) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  return uniform(shape, -bound, bound, random);
}

// The weights of a cell whose `gates` blocks each map input and hidden to hidden.
struct Start {
  Parameter weight_ih, weight_hh, bias;
  Start(std::size_t input, std::size_t hidden, std::size_t gates, Random& random, Init init) {
    check<Error>(input > 0 && hidden > 0,
                 "cell: input and hidden sizes must be positive; got {} and {}", input, hidden);
    const bool as_pytorch = init == Init::kPyTorch;
    const std::size_t rows = gates * hidden;
    weight_ih = Parameter(as_pytorch ? pytorch({rows, input}, hidden, random)
                                     : glorot(hidden, input, random, gates));
    weight_hh = Parameter(as_pytorch ? pytorch({rows, hidden}, hidden, random)
                                     : orthogonal(hidden, random, gates));
    bias = Parameter(as_pytorch ? pytorch({rows}, hidden, random) : full_array({rows}, 0));
  }
};

}  // namespace

Rnn::Rnn(std::size_t input, std::size_t hidden, Random& random, Activation f, Init init)
    : activation(f) {
  Start start(input, hidden, 1, random, init);
  weight_ih = std::move(start.weight_ih);
  weight_hh = std::move(start.weight_hh);
  bias_ih = std::move(start.bias);
  bias_ih.merged_bias = true;
}

Lstm::Lstm(std::size_t input, std::size_t hidden, Random& random, Init init) {
  Start start(input, hidden, 4, random, init);
  weight_ih = std::move(start.weight_ih);
  weight_hh = std::move(start.weight_hh);
  bias_ih = std::move(start.bias);
  bias_ih.merged_bias = true;
  if (init == Init::kOrthogonal)
    std::fill_n(bias_ih.mutable_value().data() + hidden, hidden, real(1));  // forget gate
}

Gru::Gru(std::size_t input, std::size_t hidden, Random& random, Init init) {
  Start start(input, hidden, 3, random, init);
  weight_ih = std::move(start.weight_ih);
  weight_hh = std::move(start.weight_hh);
  bias_ih = std::move(start.bias);
  bias_hh = Parameter(init == Init::kPyTorch ? pytorch({3 * hidden}, hidden, random)
                                             : full_array({3 * hidden}, 0));
}

}  // namespace reel::inline REEL_PRECISION
